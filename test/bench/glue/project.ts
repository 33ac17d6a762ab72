import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { run } from "../../../src/tools/check/run.ts";
import { packInto } from "../../support/pack.ts";

const exec = promisify(execFile);

/** The apps' sources. */
export const APPS = join(import.meta.dirname, "apps");
const TARBALL = "envoyou-edge.tgz";

/** The apps in a folder of their own, with every package that any of them needs. */
export interface AppsProject {
  folder: string;
  tarball: string;
  /** Bundles an app exactly as `wrangler deploy` would. */
  bundle(app: string): Promise<Bundle>;
  remove(): Promise<void>;
}

export interface Bundle {
  contents: string;
  /** Bytes, at level 9. */
  gzipped: number;
}

/** @throws Error with what npm says. */
export async function openProject(): Promise<AppsProject> {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-compared-"));
  const tarball = join(folder, TARBALL);
  await cp(await packInto(folder), tarball);
  await cp(APPS, folder, { recursive: true, filter: (path) => basename(path) !== "node_modules" });
  await exec("npm", ["ci", "--no-audit", "--no-fund", "--prefer-offline"], { cwd: folder });
  const install = ["install", "--no-save", "--no-audit", "--no-fund", "--prefer-offline", tarball];
  await exec("npm", install, { cwd: folder });
  const { code, output } = await run("tsc", ["-p", "."], {}, folder);
  if (code !== 0) throw new Error(`The apps do not type-check:\n${output}`);
  return {
    folder,
    tarball,
    bundle: (app) => bundleIn(folder, app),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** @param folder Where the app's source and its packages are. */
export async function bundleIn(folder: string, app: string): Promise<Bundle> {
  const out = join(folder, "bundles");
  const args = ["deploy", `${app}.ts`, "--dry-run", "--outdir", out];
  const { code, output } = await run("wrangler", args, {}, folder);
  if (code !== 0) throw new Error(`${app} does not build:\n${output}`);
  const contents = await readFile(join(out, `${app}.js`), "utf8");
  return { contents, gzipped: gzipSync(contents, { level: 9 }).length };
}

/** Lines of a source that somebody wrote: without empty ones and comments, as biome formats them. */
export async function linesOf(app: string): Promise<number> {
  const text = await readFile(join(APPS, `${app}.ts`), "utf8");
  return text.split("\n").filter((line) => line.trim() !== "" && !line.trim().startsWith("//")).length;
}
