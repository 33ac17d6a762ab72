import { describe, expect, it } from "vitest";
import { TopCallers } from "../../../src/metrics/top-callers.ts";
import { dice } from "../../support/dice.ts";

/** Denials of many callers, few of whom have most of them. */
function denials(seed: number, count: number): string[] {
  const { roll } = dice(seed);
  return Array.from({ length: count }, () => `caller-${Math.floor(2000 * roll() ** 4)}`);
}

function exact(all: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const caller of all) counts.set(caller, (counts.get(caller) ?? 0) + 1);
  return counts;
}

function expectBounds(sketch: TopCallers, all: readonly string[], places: number): void {
  const counts = exact(all);
  const entries = sketch.top(places);
  expect(entries.length).toBeLessThanOrEqual(places);
  for (const [caller, [count, error]] of entries) {
    const true_ = counts.get(caller) ?? 0;
    expect(count).toBeGreaterThanOrEqual(true_);
    expect(count - error).toBeLessThanOrEqual(true_);
    expect(error).toBeLessThanOrEqual(all.length / places);
  }
  const named = new Set(entries.map(([caller]) => caller));
  const often = [...counts].filter(([, count]) => count > all.length / places);
  expect(often.length).toBeGreaterThan(1);
  expect(often.filter(([caller]) => !named.has(caller))).toEqual([]);
}

describe("the callers denied most", () => {
  it.each([1, 2, 3, 4, 5])("are found with the stated error, in bounded memory (seed %i)", (seed) => {
    const all = denials(seed, 5000);
    const sketch = new TopCallers(50);
    for (const caller of all) sketch.add(caller);
    expectBounds(sketch, all, 50);
  });

  it.each([1, 2, 3, 4, 5])("and so are those of several isolates (seed %i)", (seed) => {
    const parts = [1, 2, 3, 4].map((part) => denials(seed * 10 + part, 1500 * part));
    const merged = new TopCallers(50);
    for (const part of parts) {
      const sketch = new TopCallers(50);
      for (const caller of part) sketch.add(caller);
      merged.merge(JSON.parse(JSON.stringify(sketch.entries)));
    }
    expectBounds(merged, parts.flat(), 50);
  });

  it("are exact while there are fewer than places", () => {
    const sketch = new TopCallers(10);
    for (const caller of ["a", "b", "a", "c", "a", "b"]) sketch.add(caller);
    expect(sketch.top(2)).toEqual([
      ["a", [3, 0]],
      ["b", [2, 0]],
    ]);
  });

  it("halved, those of long ago go", () => {
    const sketch = new TopCallers(10);
    for (const caller of ["a", "a", "a", "b"]) sketch.add(caller);
    sketch.halve();
    expect(sketch.top(10)).toEqual([["a", [1, 0]]]);
    sketch.halve();
    expect(sketch.top(10)).toEqual([]);
  });

  it("what is no sketch is left out", () => {
    const sketch = new TopCallers(10);
    sketch.merge({ a: [1, 0], b: "x", c: [1], d: [0.5, 0], e: null } as never);
    expect(sketch.top(10)).toEqual([["a", [1, 0]]]);
  });
});
