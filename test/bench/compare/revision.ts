import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "../../../src/tools/check/run.ts";

/**
 * Builds the Worker of another git revision as `wrangler deploy` would have, with the packages that are installed here. The
 * revision's files stand in a temporary folder until it is built; the repository stays as it is.
 *
 * @returns the path of the bundle.
 * @throws where git does not know the revision, or where it does not build.
 */
export async function buildRevision(revision: string): Promise<string> {
  const source = await mkdtemp(join(tmpdir(), "envoyou-edge-revision-"));
  const bundle = await mkdtemp(join(tmpdir(), "envoyou-edge-bundle-"));
  try {
    const files = execFileSync("git", ["archive", "--format=tar", revision], { maxBuffer: 2 ** 28 });
    execFileSync("tar", ["-x", "-C", source], { input: files });
    await symlink(resolve("node_modules"), join(source, "node_modules"));
    const { code, output } = await run("wrangler", [
      "deploy",
      "src/index.ts",
      "--cwd",
      source,
      "--dry-run",
      "--outdir",
      bundle,
    ]);
    if (code !== 0) throw new Error(`The Worker of ${revision} does not build:\n${output}`);
    return join(bundle, "index.js");
  } finally {
    await rm(source, { recursive: true, force: true });
  }
}
