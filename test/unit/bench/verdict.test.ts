import { describe, expect, it, test } from "vitest";
import { estimate } from "../../bench/compare/percentile.ts";
import { atLeast, atMost, atMostBeside } from "../../bench/compare/verdict.ts";

const thousand = Array.from({ length: 1000 }, (_, n) => n + 1);

describe("a percentile's interval", () => {
  test.each([
    // 500 ± 1.96 √250 = 31
    ["the median of a thousand", thousand, 0.5, 500, 469, 532],
    ["in any order", thousand.toReversed(), 0.5, 500, 469, 532],
    // 990 ± 1.96 √9.9 = 6.2
    ["the 99th", thousand, 0.99, 990, 983, 998],
    ["of few values ends with them", [1, 2, 3], 0.5, 2, 1, 3],
    ["of one value", [7], 0.99, 7, 7, 7],
    ["of equal values", [4, 4, 4, 4, 4, 4, 4, 4], 0.5, 4, 4, 4],
  ])("%s", (_name, values, part, value, low, high) => {
    expect(estimate(values, part)).toEqual({ value, low, high });
  });

  it("of nothing is no number", () => {
    expect(estimate([], 0.5).low).toBeNaN();
  });
});

describe("a target", () => {
  test.each([
    ["all below the bound", atMost({ low: 0.7, high: 0.8 }, 0.9), "reached"],
    ["up to the bound", atMost({ low: 0.7, high: 0.9 }, 0.9), "reached"],
    ["all above it", atMost({ low: 0.95, high: 1.1 }, 0.9), "missed"],
    ["on both sides", atMost({ low: 0.85, high: 1.1 }, 0.9), "not resolved"],
    ["without an end", atMost({ low: 0, high: Number.POSITIVE_INFINITY }, 0.9), "not resolved"],
    ["without a figure", atMost({ low: Number.NaN, high: Number.NaN }, 0.9), "not measured"],
    ["at least: above", atLeast({ low: 1.2, high: 1.3 }, 1.15), "reached"],
    ["at least: below", atLeast({ low: 1, high: 1.1 }, 1.15), "missed"],
    ["at least: on both sides", atLeast({ low: 1.1, high: 1.3 }, 1.15), "not resolved"],
  ])("%s", (_name, verdict, expected) => {
    expect(verdict).toBe(expected);
  });

  test.each([
    ["the same interval twice is no difference", [10, 12], [10, 12], {}, "not resolved"],
    ["below the other", [8, 9], [10, 12], {}, "reached"],
    ["above the other", [13, 14], [10, 12], {}, "missed"],
    ["within so much more", [10, 10.5], [10, 10.2], { more: 1 }, "reached"],
    ["more than so much more", [12, 12.5], [10, 10.2], { more: 1 }, "missed"],
    ["so many times", [11, 11.5], [10, 10.2], { times: 1.2 }, "reached"],
    ["the other was not measured", [11, 11.5], [Number.NaN, Number.NaN], {}, "not measured"],
  ])("beside another: %s", (_name, [low = 0, high = 0], [otherLow = 0, otherHigh = 0], more, expected) => {
    const one = { value: low, low, high };
    expect(atMostBeside(one, { value: otherLow, low: otherLow, high: otherHigh }, more)).toBe(expected);
  });
});
