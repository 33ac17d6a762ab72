import * as fc from "fast-check";
import { expect, inject, it } from "vitest";
import { freshDatabase } from "../../support/database.ts";
import { operations } from "../../support/session-model/operations.ts";
import { runModel } from "../../support/session-model/run.ts";

/**
 * `npm test` makes the same few runs each time. More of them, each time others, under a seed that is printed:
 *
 *     MODEL_RUNS=2000 npx vitest run --project contract test/contract/session/model.test.ts
 *
 * `MODEL_SEED=…` beside it, or alone, makes those of that seed again.
 */
const USUAL = { seed: 14, numRuns: 60 };

const asked = inject("modelRuns");
const numRuns = asked ?? USUAL.numRuns;
const seed = inject("modelSeed") ?? (asked === null ? USUAL.seed : Math.floor(Math.random() * 2 ** 31));

it("sessions in Redis and D1 are what clients were told, whatever is lost", {
  timeout: numRuns * 5000,
}, async () => {
  if (asked !== null) console.log(`MODEL_SEED=${seed} MODEL_RUNS=${numRuns}`);
  const property = fc.asyncProperty(operations, async (list) => {
    await runModel(await freshDatabase("DB_MODEL"), list);
  });
  const { failed, errorInstance, counterexample } = await fc.check(property, { numRuns, seed });
  expect(failed, `seed ${seed}: ${errorInstance}\n${JSON.stringify(counterexample)}`).toBe(false);
});
