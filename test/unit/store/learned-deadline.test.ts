import { describe, expect, it, test } from "vitest";
import { LearnedDeadline } from "../../../src/store/learned-deadline.ts";
import { dice } from "../../support/dice.ts";
import { hang, travel } from "../../support/distant-store.ts";

describe("the learned deadline", () => {
  test.each([
    ["before any reply", [], 400],
    ["a store that is near", [5, 12, 30], 400],
    ["half as long again as the slowest", [5, 400, 300], 600],
    ["at most the ceiling", [1100], 1200],
    ["a clock that went back", [-3_600_000, 20], 400],
    ["the slowest is forgotten after 16 replies", [1100, ...Array<number>(16).fill(20)], 400],
  ])("%s", (_name, replies, ms) => {
    const learned = new LearnedDeadline({ baseMs: 400, ceilingMs: 1200 });
    for (const reply of replies) learned.replied(reply);
    expect(learned.ms).toBe(ms);
  });

  it("has a median once there are 16 replies", () => {
    const learned = new LearnedDeadline({ baseMs: 400, ceilingMs: 1200 });
    for (let ms = 1; ms <= 15; ms += 1) learned.replied(ms * 10);
    expect(learned.medianMs).toBeNull();
    learned.replied(1000);
    expect(learned.medianMs).toBe(90);
  });
});

describe("a store that is far away is no outage", () => {
  test.each([5, 50, 150, 300, 500, 800])("at %i ms: 300 requests, no fallback, no opening", async (rttMs) => {
    const { waits, ...counts } = await travel(Array<number>(300).fill(rttMs), dice(rttMs));
    expect(counts).toEqual({ gaveUp: 0, openings: 0 });
    expect(waits).toHaveLength(300);
  });

  it("from 20 to 800 ms and back: at most 3 in 100 fall back, and it does not open", async () => {
    const distances = [20, 800, 20].flatMap((rttMs) => Array<number>(100).fill(rttMs));
    const { waits, gaveUp, openings } = await travel(distances, dice(1));
    expect(waits).toHaveLength(300);
    expect(gaveUp).toBeLessThanOrEqual(9);
    expect(openings).toBe(0);
  });

  it("that hangs is noticed within the ceiling, and no request waits longer than 400 ms", async () => {
    const { noticedMs, waits } = await hang();
    expect(noticedMs).toBeLessThanOrEqual(1200);
    expect(Math.max(...waits)).toBeLessThanOrEqual(400);
  });
});
