import * as fc from "fast-check";
import { expect, inject, it } from "vitest";
import { type Operation, operations } from "../../support/cache-model/operations.ts";
import { runCacheModel } from "../../support/cache-model/run.ts";

/** As many runs as fit into this time, ms, where their number is not asked for. */
const USUAL_MS = 12_000;
const USUAL_RUNS = 60;
const USUAL_SEED = 20_261_126;

/** `CACHE_MODEL_RUNS=2000 npx vitest run --project contract test/contract/response-cache/model.test.ts`: with another seed each time. */
const asked = inject("cacheModelRuns");
const limit =
  asked !== null
    ? {}
    : { seed: USUAL_SEED, interruptAfterTimeLimit: USUAL_MS, markInterruptAsFailure: false as const };
const timeout = asked !== null ? asked * 5000 : 10 * USUAL_MS;

const asks = { language: "de", scheme: "https:" } as const;
const slow = (at: number): Operation => ({ kind: "slow", at, ...asks });
const get = (at: number, how: "usual" | "kept" | "fresh" = "usual"): Operation => ({
  kind: "get",
  at,
  how,
  ...asks,
});
const write = (at: number, scheme: "https:" | "http:" = "https:"): Operation => ({
  kind: "write",
  at,
  kept: false,
  ...asks,
  scheme,
});
const arrive = (which: number): Operation => ({ kind: "arrive", which });
const finish: Operation = { kind: "finish", which: 0 };
const vary = (on: boolean): Operation => ({ kind: "vary", on });
const pass = (ms: number): Operation => ({ kind: "pass", ms });
const withdraw = (kind: "withdraw" | "head", at: number): Operation => ({ kind, at, ...asks });
const purge = (at: number, soft: boolean): Operation => ({ kind: "purge", at, what: "url", soft });

it.each<[what: string, list: Operation[]]>([
  ["a quick fill and a write where nothing is stored", [slow(0), write(1), arrive(0)]],
  ["the same, by the other scheme", [slow(0), write(1, "http:"), arrive(0)]],
  ["a fill whose write to Redis comes after the write", [get(0, "kept"), write(1), finish]],
  ["a fill that takes its time, and a write", [slow(0), write(1), pass(5010), arrive(0)]],
  ["an older fill that comes last", [slow(0), slow(1), arrive(1), arrive(0)]],
  ["an older fill that comes long after", [slow(0), pass(1500), get(1), pass(1500), arrive(0)]],
  ["a purge between a fill's request and its arrival", [slow(0), purge(1, false), arrive(0)]],
  ["a soft purge there", [slow(0), purge(1, true), pass(5010), arrive(0)]],
  ["a withdrawal there", [get(1), slow(0), withdraw("withdraw", 1), arrive(0)]],
  ["a HEAD that finds another there", [get(1), slow(0), withdraw("head", 1), arrive(0)]],
  ["answers that begin to vary", [get(0), slow(1), vary(true), get(0), arrive(0)]],
  ["an older one that did not vary", [slow(0), vary(true), pass(20), get(1), arrive(0)]],
  ["answers that vary no longer", [vary(true), get(0), slow(1), vary(false), pass(5010), get(0), arrive(0)]],
  ["a write to what varies", [vary(true), get(0), slow(1), write(0), arrive(0)]],
  ["a held answer that another isolate replaces", [get(0), get(1), write(1), get(1), pass(5010), get(0)]],
  ["a soft and then a hard end", [get(0), withdraw("head", 0), slow(0), write(1), purge(1, true), arrive(0)]],
])("%s", async (_, list) => {
  for (const more of [[], [pass(700)], [get(0)], [get(1)], [pass(5010), get(0, "fresh")]] as Operation[][])
    await runCacheModel([...list, ...more]);
});

it("nobody gets what is purged, another's variant, or an older answer after a newer one", {
  timeout,
}, async () => {
  const property = fc.asyncProperty(operations, runCacheModel);
  const numRuns = asked ?? USUAL_RUNS;
  const { failed, errorInstance, seed, counterexample } = await fc.check(property, { numRuns, ...limit });
  expect(failed, `seed ${seed}: ${errorInstance}\n${JSON.stringify(counterexample)}`).toBe(false);
});
