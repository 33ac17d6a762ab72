import { expect, it } from "vitest";
import { distance } from "../../../../src/tools/start/distance.ts";

it.each([
  ["", "", 0],
  ["abc", "", 3],
  ["ORIGN_URL", "ORIGIN_URL", 1],
  ["kitten", "sitting", 3],
  ["origin", "origin", 0],
  ["port", "prot", 2],
])("%s → %s: %i", (from, to, steps) => {
  expect(distance(from, to)).toBe(steps);
  expect(distance(to, from)).toBe(steps);
});
