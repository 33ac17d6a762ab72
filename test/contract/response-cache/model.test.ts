import * as fc from "fast-check";
import { expect, inject, it } from "vitest";
import { operations } from "../../support/cache-model/operations.ts";
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

it("nobody gets what is purged, another's variant, or an older answer after a newer one", {
  timeout,
}, async () => {
  const property = fc.asyncProperty(operations, runCacheModel);
  const numRuns = asked ?? USUAL_RUNS;
  const { failed, errorInstance, seed, counterexample } = await fc.check(property, { numRuns, ...limit });
  expect(failed, `seed ${seed}: ${errorInstance}\n${JSON.stringify(counterexample)}`).toBe(false);
});
