/// <reference types="vite/types/importMeta.d.ts" />
import { describe, expect, it } from "vitest";
import type { Counts, Quota } from "../../../../src/ratelimit/algorithms/algorithm.ts";
import {
  algorithmOf,
  algorithms,
  available,
  passesAt,
} from "../../../../src/ratelimit/algorithms/algorithms.ts";
import { dice } from "../../../support/dice.ts";

const START = Date.UTC(2026, 0, 15, 12, 0, 0);
const number = START / 60_000;
const sliding: Quota = { algorithm: "sliding-window", limit: 10, windowMs: 60_000, refill: 0 };
const window = (previous: number, current: number): Counts => ({ number, previous, current });

describe("the moment a request passes", () => {
  it("is told apart for three sliding windows that look alike to the library", () => {
    const now = START + 30_000;
    const waits = [window(10, 5), window(0, 10), window(9, 6)].map(
      (counts) => passesAt(sliding, counts, now, 1) - now,
    );
    expect(waits).toEqual([1, 30_001, 3_334]);
  });

  it("of every sliding window is the first millisecond with room, by the library's own arithmetic", () => {
    const quota = { ...sliding, limit: 7, windowMs: 997 };
    const first = Math.ceil(START / 997);
    for (let previous = 0; previous <= 9; previous += 1) {
      for (let current = 0; current <= 9; current += 1) {
        for (const units of [1, 4, 7]) {
          for (const elapsed of [0, 1, 331, 500, 996]) {
            const now = first * 997 + elapsed;
            const counts: Counts = { number: first, previous, current };
            const at = passesAt(quota, counts, now, units);
            expect(available(quota, counts, at)).toBeGreaterThanOrEqual(units);
            if (at > now) expect(available(quota, counts, at - 1)).toBeLessThan(units);
          }
        }
      }
    }
  });

  it("of a fixed window is its end", () => {
    const fixed: Quota = { ...sliding, algorithm: "fixed-window" };
    expect(passesAt(fixed, window(10, 10), START + 1, 1)).toBe(START + 60_000);
    expect(passesAt(fixed, window(10, 9), START + 1, 1)).toBe(START + 1);
  });

  it("of a bucket is the refill that brings enough", () => {
    const bucket: Quota = { algorithm: "token-bucket", limit: 10, windowMs: 1000, refill: 3 };
    const counts: Counts = { tokens: 1, refilledAt: START };
    expect(passesAt(bucket, counts, START + 500, 4)).toBe(START + 1000);
    expect(passesAt(bucket, counts, START + 500, 5)).toBe(START + 2000);
    expect(passesAt(bucket, counts, START + 1500, 5)).toBe(START + 2000);
  });

  it("of a log is when enough of its oldest units have lapsed", () => {
    const log: Quota = { algorithm: "sliding-log", limit: 5, windowMs: 1000, refill: 0 };
    const counts: Counts = {
      runs: [
        { at: START, units: 1 },
        { at: START + 100, units: 3 },
        { at: START + 200, units: 1 },
      ],
    };
    expect(passesAt(log, counts, START + 300, 1)).toBe(START + 1000);
    expect(passesAt(log, counts, START + 300, 2)).toBe(START + 1100);
    expect(passesAt(log, counts, START + 300, 5)).toBe(START + 1200);
    expect(available(log, counts, START + 999)).toBe(0);
    expect(available(log, counts, START + 1000)).toBe(1);
  });

  it("never comes for more than the limit", () => {
    expect(passesAt(sliding, window(0, 0), START, 11)).toBe(Number.POSITIVE_INFINITY);
  });

  it("comes for a counter far above a lowered limit, and leaves nothing below 0 till then", () => {
    const lowered = { ...sliding, limit: 2 };
    expect(available(lowered, window(0, 90), START)).toBe(0);
    const at = passesAt(lowered, window(0, 90), START, 1);
    expect(available(lowered, window(0, 90), at)).toBe(1);
    expect(available(lowered, window(0, 90), at - 1)).toBe(0);
  });
});

describe("counts", () => {
  it("roll with their window and are gone after the next", () => {
    expect(algorithmOf(sliding).at(sliding, window(3, 4), START + 60_000)).toMatchObject({
      previous: 4,
      current: 0,
    });
    expect(algorithmOf(sliding).at(sliding, window(3, 4), START + 120_000)).toMatchObject({
      previous: 0,
      current: 0,
    });
  });

  it("stay as they are when the clock goes back", () => {
    expect(algorithmOf(sliding).at(sliding, window(3, 4), START - 1)).toEqual(window(3, 4));
    const bucket: Quota = { algorithm: "token-bucket", limit: 10, windowMs: 1000, refill: 3 };
    const counts: Counts = { tokens: 1, refilledAt: START };
    expect(algorithmOf(bucket).at(bucket, counts, START - 5000)).toEqual(counts);
  });

  it("seen by two keep what either has seen", () => {
    expect(algorithmOf(sliding).stricter(sliding, window(3, 4), window(1, 6), START)).toEqual(window(3, 6));
    const bucket: Quota = { algorithm: "token-bucket", limit: 10, windowMs: 1000, refill: 3 };
    const fuller: Counts = { tokens: 5, refilledAt: START };
    const emptier = algorithmOf(bucket).take(bucket, fuller, START, 4);
    expect(algorithmOf(bucket).stricter(bucket, fuller, emptier, START)).toEqual(emptier);
  });

  it.each<[algorithm: Quota["algorithm"], exact: boolean]>([
    ["fixed-window", true],
    ["sliding-window", false],
    ["sliding-log", true],
    // Buckets that were filled at different moments: at some it has fewer than either.
    ["token-bucket", false],
  ])(
    "of a %s that two have seen never have room before both have, at any later moment",
    (algorithm, exact) => {
      const quota: Quota = {
        algorithm,
        limit: 8,
        windowMs: 1000,
        refill: algorithm === "token-bucket" ? 3 : 0,
      };
      const chosen = dice(7);
      const { empty, take, stricter } = algorithmOf(quota);
      for (let each = 0; each < 300; each += 1) {
        const [one, other] = [0, 1].map(() => {
          let counts = empty(quota, START + chosen.upTo(700));
          for (let at = START; at < START + 1500; at += 1 + chosen.upTo(600))
            counts = take(quota, counts, at, 1 + chosen.upTo(2));
          return counts;
        }) as [Counts, Counts];
        const now = START + 1500;
        const both = stricter(quota, one, other, now);
        for (let at = now; at < now + 3500; at += 50) {
          const least = Math.min(available(quota, one, at), available(quota, other, at));
          const room = available(quota, both, at);
          expect(room).toBeLessThanOrEqual(least);
          if (exact) expect(room).toBe(least);
        }
        expect(stricter(quota, both, both, now)).toEqual(both);
      }
    },
  );

  it("of a log merge what is taken at one moment, so that a flood is one run", () => {
    const log: Quota = { algorithm: "sliding-log", limit: 1000, windowMs: 1000, refill: 0 };
    let counts = algorithmOf(log).empty(log, START);
    for (let each = 0; each < 500; each += 1) counts = algorithmOf(log).take(log, counts, START, 1);
    expect(counts).toEqual({ runs: [{ at: START, units: 500 }] });
  });
});

describe("an algorithm", () => {
  /** All of the Worker's code; the routes of the template are a configuration. */
  const sources = import.meta.glob<string>(
    ["../../../../src/**/*.ts", "!../../../../src/tools/**", "!../../../../src/routes.ts"],
    { query: "?raw", import: "default", eager: true },
  );
  const named = /["'](sliding-window|fixed-window|sliding-log|token-bucket)["']/;

  it("is told apart in its own file alone: nothing else asks which one a policy has", () => {
    expect(Object.keys(sources).length).toBeGreaterThan(200);
    const asking = Object.entries(sources)
      // A JWT has an algorithm too.
      .filter(([path]) => !path.includes("/identity/"))
      .filter(([, source]) => /\balgorithm\s*[!=]==?|[!=]==?\s*["'`](sliding|fixed|token)-/.test(source))
      .map(([path]) => path.split("/").at(-1));
    expect(asking).toEqual([]);
  });

  it("is named by one line of the registry, and as the default of a limit that names none", () => {
    const naming = Object.entries(sources)
      // Examples of the reference name some; the compiler checks them.
      .filter(([, source]) => named.test(source.replace(/^\s*\*.*$/gm, "")))
      .map(([path]) => path.split("/").at(-1));
    expect(naming.sort()).toEqual(["algorithms.ts", "limit-algorithms.ts"]);
    const registry = Object.entries(sources).find(([path]) => path.endsWith("/algorithms.ts"))?.[1] ?? "";
    const lines = registry.split("\n").filter((line) => named.test(line));
    expect(lines).toHaveLength(Object.keys(algorithms).length);
  });

  it("tells in how many seconds its whole quota comes back", () => {
    const seconds = (quota: Partial<Quota>) => {
      const whole = { ...sliding, ...quota };
      return algorithmOf(whole).windowSeconds(whole);
    };
    expect(seconds({})).toBe(60);
    expect(seconds({ algorithm: "fixed-window", windowMs: 1500 })).toBe(2);
    expect(seconds({ algorithm: "token-bucket", refill: 4 })).toBe(180);
  });
});
