import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** What whoever deploys the edge has beside the repository's files. */
const OWN = /^(node_modules|\.git|\.wrangler|dist|\.dev\.vars(?!\.example).*|\.env.*|\.secrets.*)$/;

export interface ProjectCopy {
  folder: string;
  /** Writes a file of the copy, by its path in the project. */
  write(path: string, text: string): Promise<void>;
  remove(): Promise<void>;
}

/**
 * A copy of the project in a temporary folder, whose files may be changed. It shares `node_modules`, and has none of
 * the variables and secrets that stand in this folder.
 */
export async function copyProject(): Promise<ProjectCopy> {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-copy-"));
  await cp(".", folder, { recursive: true, filter: (path) => path === "." || !OWN.test(basename(path)) });
  await symlink(join(process.cwd(), "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    write: (path, text) => writeFile(join(folder, path), text),
    remove: () => rm(folder, { recursive: true }),
  };
}

/** A copy as it would be before anybody edits it: the tests' routes, and a wrangler.toml without variables. */
export async function untouchedProject(): Promise<ProjectCopy> {
  const copy = await copyProject();
  const routes = await readFile("test/support/sample-routes.ts", "utf8");
  await copy.write("src/routes.ts", routes.replace("../../src/config/", "./config/"));
  await copy.write("wrangler.toml", WRANGLER_TOML);
  return copy;
}

const WRANGLER_TOML = `name = "envoyou-edge"
main = "src/index.ts"
compatibility_date = "2026-04-24"
compatibility_flags = ["nodejs_compat"]
minify = true

[alias]
"@upstash/core-analytics" = "./src/ratelimit/no-analytics.ts"
"#describe" = "./src/runtime/no-descriptions.ts"
`;
