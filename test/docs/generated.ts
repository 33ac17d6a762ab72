import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { RouteInput } from "../../src/config/route.ts";
import { loadConfig } from "../../src/edge/load-config.ts";

/** Where sources that are made of a document's blocks find the packages of the repository. */
const FOLDER = "node_modules/.cache/envoyou-edge-docs";

/** Writes a source, whose imports from the repository begin with `../../../`. @returns its path. */
export async function generated(name: string, source: string): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  const file = `${FOLDER}/${name}`;
  await writeFile(file, source);
  return file;
}

/** What `src/routes.ts` begins with. A block may have it, so that it can be pasted as the whole file. */
const ROUTES_IMPORT = /^import \{ defineRoutes \} from "\.\/config\/route\.ts";.*\n\n/;

export function isRoutes(block: string): boolean {
  return block.replace(ROUTES_IMPORT, "").startsWith("export default defineRoutes(");
}

/** One route, as it stands in the list. */
export function isRoute(block: string): boolean {
  return block.startsWith("{ path: ");
}

/** The list that a block defines, or the one route. @param name Of the generated file: one for each block. */
export async function routesOf(name: string, block: string): Promise<RouteInput[]> {
  const list = isRoute(block)
    ? `export default defineRoutes([\n${block}\n]);`
    : block.replace(ROUTES_IMPORT, "");
  const source = `import { defineRoutes } from "../../../src/config/route.ts";\n${list}\n`;
  const file = await generated(`${name}.ts`, source);
  const { default: routes } = (await import(join(process.cwd(), file))) as { default: RouteInput[] };
  return routes;
}

/** The Worker would start with these routes. */
export function expectRight(routes: RouteInput[]): void {
  const env = {
    ORIGIN_URL: "https://api.example.com",
    SESSION_SECRET: "0123456789abcdef0123456789abcdef",
    API_KEYS: "0123456789abcdef:documents:premium",
  };
  expect(() => loadConfig(env, routes)).not.toThrow();
}
