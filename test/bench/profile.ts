/**
 * `npm run bench -- profile [ROW]`: where the Worker's CPU goes in one row of the comparison (default "warm GET"), by
 * workerd's own profiler on a bundle that keeps its names. Prints the functions with the most self time, and
 * those with the most total time (callees until the first await included).
 */
import type { CpuProfile } from "./compare/cpu-profile.ts";
import { idle, openHarness, prepare } from "./compare/harness.ts";
import { load } from "./compare/load.ts";
import { rows } from "./compare/rows.ts";

const REQUESTS = 4000;
const MAX_LIST_LENGTH = 40;
/** Microseconds. */
const INTERVAL = 200;
/** A sample that is late by more says how busy the machine was, not what the Worker did. */
const MAX_SAMPLE = 2 * INTERVAL;

const name = process.argv.slice(3).join(" ") || "warm GET";
const row = rows.find((each) => each.name === name);
if (!row) throw new Error(`There is no row ${name}: ${rows.map((each) => each.name).join(", ")}`);
const harness = await openHarness(["edge"], { keepNames: true });
try {
  const edge = harness.contestants.get("edge");
  if (!edge) throw new Error("There is no edge");
  await prepare(harness, row, edge, REQUESTS);
  const ask = () =>
    load({ port: edge.port, clients: 8, requests: REQUESTS, request: (n) => row.request(edge, n) });
  await ask();
  const inspector = await edge.inspector();
  await inspector.call("Profiler.enable");
  await inspector.call("Profiler.setSamplingInterval", { interval: INTERVAL });
  await inspector.call("Profiler.start");
  await ask();
  await idle(harness);
  const { profile } = await inspector.call<{ profile: CpuProfile }>("Profiler.stop");
  inspector.close();
  print(profile);
} finally {
  await harness.stop();
}

function print({ nodes, samples, timeDeltas }: CpuProfile): void {
  const names = new Map(
    nodes.map(({ id, callFrame }) => [
      id,
      `${callFrame.functionName || "(anonymous)"}:${callFrame.lineNumber + 1}`,
    ]),
  );
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const own = new Map<string, number>();
  const whole = new Map<string, number>();
  const add = (sums: Map<string, number>, at: string, time: number) =>
    sums.set(at, (sums.get(at) ?? 0) + time);
  samples.forEach((sampled, index) => {
    const time = Math.min(timeDeltas[index] ?? 0, MAX_SAMPLE);
    add(own, names.get(sampled) ?? "?", time);
    const stack = new Set<string>();
    for (let id: number | undefined = sampled; id !== undefined; id = parents.get(id))
      stack.add(names.get(id) ?? "?");
    for (const at of stack) add(whole, at, time);
  });
  for (const sums of [own, whole])
    for (const at of sums.keys()) if (/^\((idle|root)\)/.test(at)) sums.delete(at);
  const all = [...own.values()].reduce((sum, each) => sum + each, 0);
  console.log(`${name}: ${(all / REQUESTS).toFixed(0)} microseconds of CPU a request, by the samples`);
  for (const [title, sums] of [
    ["of their own", own],
    ["with what they call", whole],
  ] as const) {
    console.log(`\n${title}`);
    const sorted = [...sums].sort(([, one], [, other]) => other - one).slice(0, MAX_LIST_LENGTH);
    for (const [at, microseconds] of sorted) {
      const share = `${((100 * microseconds) / all).toFixed(1)} %`.padStart(7);
      console.log(`${share} ${(microseconds / REQUESTS).toFixed(1).padStart(6)} us  ${at}`);
    }
  }
}
