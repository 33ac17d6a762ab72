import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../src/tools/check/run.ts";
import { type ContestantName, entryOf } from "./contestants.ts";

/** ms of CPU until the Worker can take a request, as `wrangler check startup` profiles it; null where it does not. */
export async function startUpMs(name: ContestantName): Promise<number | null> {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-startup-"));
  const outfile = join(folder, "worker.cpuprofile");
  const { code } = await run("wrangler", ["check", "startup", "--outfile", outfile, "--args", entryOf(name)]);
  if (code !== 0) return null;
  const profile = JSON.parse(await readFile(outfile, "utf8")) as {
    nodes: { id: number; callFrame: { functionName: string } }[];
    samples: number[];
    timeDeltas: number[];
  };
  const idle = new Set(
    profile.nodes.filter(({ callFrame }) => callFrame.functionName === "(idle)").map(({ id }) => id),
  );
  const busy = profile.timeDeltas.filter((_, index) => !idle.has(profile.samples[index] ?? -1));
  return busy.reduce((sum, microseconds) => sum + microseconds, 0) / 1000;
}
