import { describe, expect, it } from "vitest";
import { EdgeState } from "../../../../src/tools/start/edge-state.ts";

function state() {
  const said: string[] = [];
  let changes = 0;
  const edge = new EdgeState({
    say: (text) => said.push(text),
    changed: () => {
      changes += 1;
    },
  });
  return { edge, said, changes: () => changes };
}
const nothing = async () => {};

describe("the first start", () => {
  it("resolves when the Worker has read its configuration", async () => {
    const { edge, said } = state();
    await edge.workerStarts(nothing);
    await expect(edge.first).resolves.toBeUndefined();
    expect(said).toEqual([]);
  });

  it("rejects with what is wrong, whatever comes after it", async () => {
    const { edge, said } = state();
    await edge.workerStarts(async () => edge.workerFails("no routes"));
    await expect(edge.first).rejects.toThrow("no routes");
    expect(said).toEqual([]);
  });
});

describe("after it", () => {
  const running = async () => {
    const made = state();
    await made.edge.workerStarts(nothing);
    return made;
  };

  it("says a problem once, and when it is gone", async () => {
    const { edge, said } = await running();
    edge.workerFails("bad");
    edge.workerFails("bad");
    expect(edge.problem).toBe("bad");
    await edge.workerStarts(nothing);
    expect(edge.problem).toBeNull();
    edge.workerFails("bad");
    expect(said).toEqual(["error: bad", "Reloaded.", "error: bad"]);
  });

  it("a problem of the files outlasts a start of the Worker", async () => {
    const { edge, said } = await running();
    edge.filesFail("toml");
    await edge.workerStarts(nothing);
    expect(edge.problem).toBe("toml");
    edge.filesRead();
    await edge.workerStarts(nothing);
    expect(edge.problem).toBeNull();
    expect(said).toEqual(["error: toml", "Reloaded."]);
  });

  it("while a change does not build, the Worker of before is not said to have issues", async () => {
    const { edge, said } = await running();
    edge.workerFails("key scop");
    edge.buildFails("routes.ts:7");
    edge.workerFails("key scop");
    edge.workerFails("key scop");
    expect(edge.problem).toBe("routes.ts:7");
    edge.buildFails("routes.ts:8");
    edge.workerFails("key scop");
    await edge.workerStarts(async () => edge.workerFails("key scop"));
    expect(edge.problem).toBe("key scop");
    await edge.workerStarts(nothing);
    expect(edge.problem).toBeNull();
    expect(said).toEqual([
      "error: key scop",
      "error: routes.ts:7",
      "error: routes.ts:8",
      "error: key scop",
      "Reloaded.",
    ]);
  });

  it("a start whose configuration has an issue is none", async () => {
    const { edge, said } = await running();
    await edge.workerStarts(async () => edge.workerFails("issue"));
    expect(edge.problem).toBe("issue");
    expect(said).toEqual(["error: issue"]);
  });

  it("an old start that is looked at late says nothing", async () => {
    const { edge, said } = await running();
    let look = () => {};
    const old = edge.workerStarts(() => new Promise((resolve) => (look = resolve)));
    edge.workerFails("newer");
    look();
    await old;
    expect(edge.problem).toBe("newer");
    expect(said).toEqual(["error: newer"]);
  });

  const WORKER_SAYS: Record<string, (edge: EdgeState) => Promise<void> | void> = {
    "refuses the same": (edge) => edge.workerStarts(async () => edge.workerFails("key scop")),
    "is not built": (edge) => edge.buildFails("routes.ts:7"),
    "is not built, in the same words": (edge) => edge.buildFails("key scop"),
    "has not been asked yet": () => {},
  };
  it.each(Object.keys(WORKER_SAYS))(
    "what the check finds is said once, where the Worker then %s, and so is its end",
    async (what) => {
      const { edge, said } = await running();
      edge.checkFails("key scop");
      edge.checkFails("key scop");
      await WORKER_SAYS[what]?.(edge);
      expect(edge.problem).toBe("key scop");
      edge.checkPasses({ reloads: false });
      await edge.workerStarts(nothing);
      expect(edge.problem).toBeNull();
      expect(said).toEqual(["error: key scop", "Reloaded."]);
      edge.checkFails("key scop");
      expect(said).toHaveLength(3);
    },
  );

  it("a Worker that refuses what has been fixed meanwhile says nothing new", async () => {
    const { edge, said } = await running();
    edge.checkFails("key scop");
    edge.checkPasses({ reloads: false });
    await edge.workerStarts(async () => edge.workerFails("key scop"));
    await edge.workerStarts(nothing);
    expect(said).toEqual(["error: key scop", "Reloaded."]);
  });

  it("a Worker that says it before the check does", async () => {
    const { edge, said } = await running();
    edge.workerFails("key scop");
    edge.checkFails("key scop");
    edge.checkPasses({ reloads: false });
    await edge.workerStarts(nothing);
    expect(said).toEqual(["error: key scop", "Reloaded."]);
  });

  it("a Worker that runs well before the check says so", async () => {
    const { edge, said } = await running();
    edge.checkFails("key scop");
    await edge.workerStarts(nothing);
    expect(edge.problem).toBe("key scop");
    edge.checkPasses({ reloads: false });
    expect(said).toEqual(["error: key scop", "Reloaded."]);
  });

  it("variables that the Worker never got are fixed when it has them", async () => {
    const { edge, said } = await running();
    edge.checkFails("LOG_LEVEL");
    await edge.workerStarts(nothing);
    edge.checkPasses({ reloads: true });
    expect(said).toEqual(["error: LOG_LEVEL"]);
    await edge.workerStarts(nothing);
    expect(said).toEqual(["error: LOG_LEVEL", "Reloaded."]);
  });

  type Step = (edge: EdgeState) => unknown;
  const fails: Step = (edge) => edge.checkFails("key scop");
  const starts: Step = (edge) => edge.workerStarts(nothing);
  const refuses: Step = (edge) => edge.workerStarts(async () => edge.workerFails("key scop"));
  it.each<[what: string, steps: Step[], reloads: boolean, due: boolean]>([
    ["nothing was wrong", [], false, false],
    ["nothing was wrong, and variables are others", [], true, true],
    ["the Worker has not seen what was wrong", [fails], false, true],
    ["the Worker has refused it", [fails, refuses], false, true],
    ["the Worker is not built", [fails, (edge) => edge.buildFails("routes.ts:7")], false, true],
    ["the Worker was quicker, and runs what is right", [fails, starts], false, false],
    ["it runs, without the variables", [fails, starts], true, true],
    ["it ran before what was wrong", [starts, fails], false, true],
    ["it was wrong twice", [fails, starts, fails], false, true],
  ])("a start has to come, where %s and reloads is %s: %s", async (_, steps, reloads, due) => {
    const { edge } = await running();
    for (const step of steps) await step(edge);
    expect(edge.checkPasses({ reloads })).toBe(due);
  });

  it("one problem after the other: each is said", async () => {
    const { edge, said } = await running();
    edge.checkFails("key scop");
    edge.checkFails("key scpe");
    edge.checkPasses({ reloads: false });
    edge.buildFails("worker.ts:3");
    edge.filesFail("toml");
    edge.filesRead();
    edge.buildFails("worker.ts:3");
    expect(said).toEqual([
      "error: key scop",
      "error: key scpe",
      "error: worker.ts:3",
      "error: toml",
      "error: worker.ts:3",
    ]);
  });

  it("tells of every change", async () => {
    const { edge, changes } = await running();
    edge.workerFails("a");
    edge.filesFail("b");
    await edge.workerStarts(nothing);
    expect(changes()).toBe(3);
  });
});
