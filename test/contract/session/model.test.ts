import * as fc from "fast-check";
import { expect, inject, it } from "vitest";
import { freshDatabase } from "../../support/database.ts";
import { operations } from "../../support/session-model/operations.ts";
import { runModel } from "../../support/session-model/run.ts";

/** As many runs as fit into this time, ms, where their number is not asked for. */
const USUAL_MS = 12_000;
const USUAL_RUNS = 100;

/** `MODEL_RUNS=2000 npx vitest run --project contract test/contract/session/model.test.ts` */
const asked = inject("modelRuns");
const limit = asked > 0 ? {} : { interruptAfterTimeLimit: USUAL_MS, markInterruptAsFailure: false };
const timeout = asked > 0 ? asked * 5000 : 10 * USUAL_MS;

it("sessions in Redis and D1 are what clients were told, whatever is lost", { timeout }, async () => {
  const property = fc.asyncProperty(operations, async (list) => {
    await runModel(await freshDatabase("DB_MODEL"), list);
  });
  const numRuns = asked > 0 ? asked : USUAL_RUNS;
  const { failed, errorInstance, seed, counterexample } = await fc.check(property, { numRuns, ...limit });
  expect(failed, `seed ${seed}: ${errorInstance}\n${JSON.stringify(counterexample)}`).toBe(false);
});
