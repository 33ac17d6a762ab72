import { describe, expect, test } from "vitest";
import { activeMs } from "../../bench/compare/cpu-profile.ts";

const node = (id: number, functionName: string) => ({ id, callFrame: { functionName } });
const nodes = [
  node(1, "(root)"),
  node(2, "(program)"),
  node(3, "(idle)"),
  node(4, "(garbage collector)"),
  node(5, "main"),
  node(6, ""),
];

describe("the active time of a CPU profile", () => {
  test.each([
    ["nothing sampled", [], [], 0],
    ["the Worker's code", [5, 5], [1000, 500], 1.5],
    ["a function without a name", [6], [250], 0.25],
    ["its garbage", [4], [2000], 2],
    ["without idle", [3, 5, 3], [40_000, 1000, 9000], 1],
    ["without program", [2, 5], [7000, 1000], 1],
    ["without the root", [1, 5], [1, 1000], 1],
    ["a sample without a time", [5, 5], [1000], 1],
    ["a node that the profile does not list", [9], [100], 0.1],
  ])("%s", (_name, samples, timeDeltas, ms) => {
    expect(activeMs({ nodes, samples, timeDeltas })).toBeCloseTo(ms, 9);
  });
});
