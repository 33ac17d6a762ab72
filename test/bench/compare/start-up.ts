import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../src/tools/check/run.ts";
import { type ContestantName, entryOf } from "./contestants.ts";
import { activeMs, type CpuProfile } from "./cpu-profile.ts";

/** ms of active CPU until the Worker can take a request, as `wrangler check startup` profiles it; null where it does not. */
export async function startUpMs(name: ContestantName): Promise<number | null> {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-startup-"));
  const outfile = join(folder, "worker.cpuprofile");
  const { code } = await run("wrangler", ["check", "startup", "--outfile", outfile, "--args", entryOf(name)]);
  if (code !== 0) return null;
  return activeMs(JSON.parse(await readFile(outfile, "utf8")) as CpuProfile);
}
