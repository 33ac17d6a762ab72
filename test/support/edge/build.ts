import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../src/tools/check/run.ts";

const built = new Map<string, Promise<string>>();

/**
 * Bundles a Worker exactly as `wrangler deploy` would, once per entry and test process.
 *
 * @param options `keepNames`: not minified, for a profile. Default false.
 * @returns the path of the bundle; esbuild's list of what went into it is `inputs.json` beside it.
 */
export function buildWorker(entry = "src/index.ts", { keepNames = false } = {}): Promise<string> {
  const name = `${entry} ${keepNames}`;
  const known = built.get(name);
  if (known) return known;
  const building = build(entry, keepNames);
  built.set(name, building);
  return building;
}

async function build(entry: string, keepNames: boolean): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-bundle-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const { code, output } = await run("wrangler", [
    "deploy",
    entry,
    "--dry-run",
    "--outdir",
    folder,
    "--metafile",
    join(folder, "inputs.json"),
    ...(keepNames ? ["--minify=false"] : []),
  ]);
  if (code !== 0) throw new Error(`The Worker does not build:\n${output}`);
  return join(folder, `${entry.split("/").at(-1)?.replace(/\.ts$/, "")}.js`);
}
