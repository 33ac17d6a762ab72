import type { EdgeState } from "./edge-state.ts";

const LOOKS_AGAIN_MS = 1000;
const NO_ANSWER = "The Worker does not answer.";

export interface AwaitedAnswerOptions {
  state: Pick<EdgeState, "problem" | "workerStarts" | "workerFails">;
  /** Asks the Worker, so that it reads its configuration. @returns whether it has answered. */
  ask(): Promise<boolean>;
  /** Calls back after ms. Default `setTimeout`. */
  after?(ms: number, run: () => void): void;
}

/** Tells the state that the Worker has started. One that does not answer, as on a machine that is busy, is asked again until it does. */
export function awaitAnswer(options: AwaitedAnswerOptions): Promise<void> {
  const { state, ask, after = afterMs } = options;
  return state.workerStarts(async () => {
    if (await ask()) return;
    state.workerFails(NO_ANSWER);
    after(LOOKS_AGAIN_MS, () => {
      // Another problem has come instead: with it comes another start.
      if (state.problem === NO_ANSWER) void awaitAnswer(options);
    });
  });
}

function afterMs(ms: number, run: () => void): void {
  setTimeout(run, ms).unref();
}
