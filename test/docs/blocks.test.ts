import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parse as parseYaml } from "yaml";
import { purgeRoutes } from "../../src/endpoints/admin/purge.ts";
import { parseSessionSignal } from "../../src/session/origin-signal.ts";
import { checkConfiguration } from "../../src/tools/check/configuration.ts";
import { run } from "../../src/tools/check/run.ts";
import { readWranglerFile } from "../../src/tools/check/wrangler-file.ts";
import { unexpectedNames } from "../../src/tools/check/wrangler-schema.ts";
import { pages } from "./commands.ts";
import { expectRight, generated, isRoute, isRoutes, routesOf } from "./generated.ts";
import { type Block, blocksIn, blocksOf } from "./markdown.ts";

/** Every fenced block of the pages. What each language is held to stands in `READERS`; a language without a reader fails. */
const blocks = pages.flatMap((file) => blocksOf(file).map((block) => ({ file, ...block })));
type PageBlock = Block & { file: string };

const nameOf = ({ file, line }: PageBlock) => `${file.replaceAll(/\W/g, "-")}-${line}`;

const READERS: Record<string, (block: PageBlock) => unknown> = {
  // test/docs/commands.test.ts has each line of these, and of docs/migrating.md test/docs/migrating.test.ts.
  sh: () => undefined,
  // test/docs/commands.test.ts runs these two pages, and compares what is shown.
  console: ({ file }) => expect(["README.md", "docs/operating.md"]).toContain(file),
  // Types are checked for all at once, below.
  ts: async (block) => {
    if (isRoutes(block.text) || isRoute(block.text)) expectRight(await routesOf(nameOf(block), block.text));
  },
  // Those for Express and FastAPI run in test/docs/your-api.test.ts. Fastify is not installed.
  js: async (block) => {
    const file = await generated(`${nameOf(block)}.mjs`, block.text);
    expect(await run("node", ["--check", file])).toEqual({ code: 0, output: "" });
  },
  python: ({ text }) => expect(text).toContain("from fastapi"),
  json: async ({ text }) => {
    JSON.parse(text);
    expect(await readersOf(text), "the endpoints and fields that take it").toHaveLength(1);
  },
  toml: ({ text }) => checkToml(text),
  // What Prometheus is told: by default it asks for the path `/metrics` over http.
  yaml: ({ text }) =>
    expect(parseYaml(text)).toMatchObject({
      scrape_configs: [{ scheme: "https", metrics_path: "/edge/metrics", authorization: expect.anything() }],
    }),
  mermaid: ({ text }) => expect(text).toMatch(/^flowchart /),
  "": ({ text }) => expect(pathsOf(text).filter((path) => !existsSync(path))).toEqual([]),
};

describe("each fenced block of the pages", () => {
  it("is found", () => expect(blocks.length).toBeGreaterThan(35));

  it.each(blocks)("$file:$line ($language)", async (block) => {
    expect(Object.keys(READERS), `a reader of ${block.language}`).toContain(block.language);
    await READERS[block.language]?.(block);
  });

  it.each([
    "~~~sh\nnpm ci\n~~~",
    "````md\n````",
    "      ```sh\n      npm ci\n      ```",
    "> ```sh\n> npm ci\n> ```",
    "- ```sh\n  npm ci\n  ```",
    "1. ```sh\n   npm ci\n   ```",
    '```ts title="a file"\n```',
    "<pre>npm ci</pre>",
    "<pre><code>npm ci</code></pre>",
    "```sh\nnpm ci\n",
  ])("one in a form that would be passed over is an error: %j", (markdown) => {
    expect(() => blocksIn(markdown, "page.md")).toThrow("page.md:1");
  });
});

/** Who takes this JSON: `POST /edge/cache/purge`, or the field `X-Edge-Session`. */
async function readersOf(text: string): Promise<string[]> {
  const latestPurges = async () => ({ complete: true, shared: true, purges: [] });
  const cache = { purge: async () => "everywhere" as const, latestPurges };
  const purge = purgeRoutes({
    cache,
    hosts: { consoleHost: null, apiHost: null },
    platform: { timer: () => () => {} },
  }).onError((_error, c) => c.body(null, 400));
  const { status } = await purge.request("https://api.example.com/cache/purge", {
    method: "POST",
    body: text,
  });
  const signal = parseSessionSignal(text.replaceAll(/\s*\n\s*/g, " "));
  return [...(status === 200 ? ["purge"] : []), ...(signal ? ["session signal"] : [])];
}

/** Lines for wrangler.toml: wrangler knows each name, and the Worker starts with them. */
async function checkToml(lines: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-docs-"));
  try {
    // `migrations_dir` is a folder beside the file.
    await symlink(resolve("src"), join(folder, "src"));
    const file = join(folder, "wrangler.toml");
    const token = lines.includes("UPSTASH_REDIS_REST_URL") ? 'UPSTASH_REDIS_REST_TOKEN = "a-secret"\n' : "";
    const vars = lines.includes("[vars]") ? "" : '[vars]\nORIGIN_URL = "https://api.example.com"\n';
    const head = 'name = "docs"\nmain = "index.ts"\ncompatibility_date = "2026-04-24"\n';
    await writeFile(file, `${head}${vars}${lines}\n${token}`);
    expect(unexpectedNames(readWranglerFile(file).raw).filter(({ expected }) => expected !== null)).toEqual(
      [],
    );
    expect(checkConfiguration(file, undefined).issue).toBeNull();
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The files and folders of a tree: each line's are before two spaces and words about them, and what is indented is in the folder above. */
function pathsOf(tree: string): string[] {
  let folder = "";
  return tree.split("\n").flatMap((line) => {
    const names = (line.trim().split(/ {2,}/)[0] ?? "").split(" ");
    if (!line.startsWith(" ")) folder = names[0] ?? "";
    return names.map((name) => (line.startsWith(" ") ? `${folder}${name}` : name));
  });
}

it("docs/architecture.md shows each file and folder of src/, and each tool", () => {
  const [tree] = blocks.filter(({ file, language }) => file === "docs/architecture.md" && language === "");
  const shown = pathsOf(tree?.text ?? "").filter((path) => path.startsWith("src/") && path !== "src/");
  const there = readdirSync("src", { withFileTypes: true }).map((each) =>
    each.isDirectory() ? `src/${each.name}/` : `src/${each.name}`,
  );
  expect(shown.sort()).toEqual(there.sort());
  const [, tools = ""] = /^ {2}tools\/ .*: (.*)$/m.exec(tree?.text ?? "") ?? [];
  const folders = readdirSync("src/tools", { withFileTypes: true }).filter((each) => each.isDirectory());
  expect(tools.split(", ").sort()).toEqual(folders.map(({ name }) => name).sort());
});

it("docs/sessions.md and wrangler.toml have the same lines for a database", async () => {
  const [block] = blocks.filter(({ file, language }) => file === "docs/sessions.md" && language === "toml");
  const inToml = (await readFile("wrangler.toml", "utf8")).replaceAll(/^# ?/gm, "");
  const settings = (block?.text ?? "")
    .split("\n")
    .filter((line) => /^[\w[]/.test(line) && !line.startsWith("database_id"));
  expect(settings.length).toBeGreaterThan(4);
  for (const line of settings) expect(inToml.split("\n")).toContain(line);
});

it("examples in TypeScript have the right types", async () => {
  const sources = new Map<string, string>();
  for (const page of pages) {
    const ofPage = blocks.filter(({ file, language }) => file === page && language === "ts");
    for (const block of ofPage) {
      const source = sourceOf(block);
      if (source !== null) sources.set(`types-${nameOf(block)}.ts`, source);
    }
    // Lines of a handler, which may use a name that lines before them declare.
    const lines = ofPage.filter((block) => sourceOf(block) === null).map(({ text }) => text);
    if (lines.length > 0) sources.set(`types-${page.replaceAll(/\W/g, "-")}-handler.ts`, handlerOf(lines));
  }
  expect(sources.size).toBeGreaterThan(7);
  for (const [name, text] of sources) await generated(name, text);
  const config = {
    extends: "../../../tsconfig.json",
    compilerOptions: { types: ["../../../worker-configuration.d.ts", "node"], noUnusedLocals: false },
    files: [...sources.keys()],
    include: [],
    exclude: [],
  };
  const file = await generated("tsconfig.json", JSON.stringify(config));
  expect(await run("tsc", ["-p", file])).toEqual({ code: 0, output: "" });
});

describe("examples in TypeScript load: no value in them is refused", () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(blocks.filter((block) => block.language === "ts" && sourceOf(block) !== null))(
    "$file:$line",
    async (block) => {
      vi.spyOn(globalThis, "fetch").mockImplementation(async () => Response.json({}));
      vi.spyOn(console, "log").mockImplementation(() => {});
      const file = await generated(`load-${nameOf(block)}.ts`, sourceOf(block) ?? "");
      await expect(import(join(process.cwd(), file))).resolves.toBeDefined();
    },
  );
});

/** A block as a module, or null where it is lines of a handler. */
function sourceOf({ text }: PageBlock): string | null {
  const own = text.replaceAll(/"(?:\.\.\/\.\.\/src|\.)\//g, '"../../../src/');
  if (isRoute(text)) return `${IMPORT}export default defineRoutes([\n${own}\n]);\n`;
  if (isRoutes(text)) return /^import .*defineRoutes/m.test(text) ? `${own}\n` : `${IMPORT}${own}\n`;
  return /^(?:import|export) /m.test(text) ? `${own}\n` : null;
}

const IMPORT = 'import { defineRoutes } from "../../../src/config/route.ts";\n';

/** test/docs/migrating.test.ts runs these. */
function handlerOf(lines: string[]): string {
  return `
import type { Context } from "hono";
import type { EdgeEnv } from "../../../src/middleware.ts";
export async function handler(c: Context<EdgeEnv>): Promise<void> {
${lines.join("\n")}
}
`;
}
