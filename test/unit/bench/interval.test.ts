import { describe, expect, it } from "vitest";
import { medianRatio, ratioOf, ratioText } from "../../bench/compare/interval.ts";

describe("the mean of several blocks' ratios", () => {
  it("is geometric, with Student's interval of the logarithms", () => {
    // ln 0.9, ln 1, ln 1.1, ln 1: mean -0.0025125, t(3) 3.182.
    const { value, low, high } = ratioOf([0.9, 1, 1.1, 1]);
    expect(value).toBeCloseTo(0.9975, 4);
    expect(low).toBeCloseTo(0.8755, 3);
    expect(high).toBeCloseTo(1.1365, 3);
  });

  it("is inverted where the two change places", () => {
    const one = ratioOf([1 / 2, 3 / 4, 5 / 6]);
    const other = ratioOf([2, 4 / 3, 6 / 5]);
    expect(other.low).toBeCloseTo(1 / one.high, 10);
    expect(other.high).toBeCloseTo(1 / one.low, 10);
  });

  it("has no bounds where there is one block", () => {
    expect(ratioOf([0.5])).toEqual({ value: 0.5, low: 0, high: Number.POSITIVE_INFINITY });
  });

  it("has a median within a block that favours neither side", () => {
    expect(medianRatio([4, 0.5, 1])).toBe(1);
    expect(medianRatio([0.25, 0.5, 2, 4])).toBe(1);
  });

  it("reads like a ratio", () => {
    expect(ratioText({ value: 0.984, low: 0.951, high: 1.017 })).toBe("0.98 × [0.95, 1.02]");
  });
});
