import { expect, it } from "vitest";
import { awaitAnswer } from "../../../../src/tools/start/awaited-answer.ts";
import { EdgeState } from "../../../../src/tools/start/edge-state.ts";

/** A Worker that has run, and is started anew: it answers as the list says, and then always. */
async function started(answers: boolean[]) {
  const said: string[] = [];
  const due: { ms: number; run: () => void }[] = [];
  let asked = 0;
  const state = new EdgeState({ say: (text) => said.push(text), changed: () => {} });
  await state.workerStarts(async () => {});
  await awaitAnswer({
    state,
    ask: async () => {
      asked += 1;
      return answers.shift() ?? true;
    },
    after: (ms, run) => due.push({ ms, run }),
  });
  const pass = async () => {
    due.shift()?.run();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  return { state, said, due, pass, asked: () => asked };
}

it("a Worker that answers is not asked again", async () => {
  const { said, due, asked } = await started([true]);
  expect([said, due.length, asked()]).toEqual([["Reloaded."], 0, 1]);
});

it("one that does not answer is asked again each second until it does, and both are said once", async () => {
  const { state, said, due, pass, asked } = await started([false, false, true]);
  expect(state.problem).toBe("The Worker does not answer.");
  expect(due.map(({ ms }) => ms)).toEqual([1000]);
  await pass();
  await pass();
  expect([said, due.length, asked()]).toEqual([["error: The Worker does not answer.", "Reloaded."], 0, 3]);
  expect(state.problem).toBeNull();
});

it("where another problem has come meanwhile, it is not asked: the start that fixes that asks", async () => {
  const { state, pass, asked } = await started([false]);
  state.buildFails("routes.ts:7");
  await pass();
  expect(asked()).toBe(1);
});
