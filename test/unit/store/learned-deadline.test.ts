import { describe, expect, it, test } from "vitest";
import { LearnedDeadline } from "../../../src/store/learned-deadline.ts";
import { type Dice, dice } from "../../support/dice.ts";
import { ask, ok, storeWith, turn } from "../../support/store.ts";

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

/** A reply whose body is there at once: that of a real Response takes a turn of the event loop, and time is virtual here. */
const READ = { ok: true, headers: new Headers(), text: async () => '[{"result":[null]}]' } as Response;

/** Requests, one each 200 ms, to a store at this distance with 30 % jitter. Virtual time: nothing waits. */
async function travel(distances: readonly number[], { roll }: Dice) {
  let rttMs = 0;
  const { store, platform, lines } = storeWith(
    () =>
      new Promise((resolve) => {
        platform.timer(rttMs * (0.7 + 0.6 * roll()), () => resolve(READ));
      }),
  );
  let gaveUp = 0;
  let settled = 0;
  const advance = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) {
      platform.advance(10);
      await turn();
    }
  };
  for (const distance of distances) {
    rttMs = distance;
    void ask(store).then(({ error }) => {
      settled += 1;
      if (error) gaveUp += 1;
    });
    await turn();
    await advance(200);
    void store.maintenance();
  }
  await advance(2000);
  expect(settled).toBe(distances.length);
  return { gaveUp, openings: lines.filter(({ event }) => event === "store.lost").length };
}

describe("a store that is far away is no outage", () => {
  test.each([5, 50, 150, 300, 500, 800])("at %i ms: 300 requests, no fallback, no opening", async (rttMs) => {
    expect(await travel(Array<number>(300).fill(rttMs), dice(rttMs))).toEqual({ gaveUp: 0, openings: 0 });
  });

  it("from 20 to 800 ms and back: at most 3 in 100 fall back, and it does not open", async () => {
    const distances = [20, 800, 20].flatMap((rttMs) => Array<number>(100).fill(rttMs));
    const { gaveUp, openings } = await travel(distances, dice(1));
    expect(gaveUp).toBeLessThanOrEqual(9);
    expect(openings).toBe(0);
  });

  it("that hangs is noticed within the ceiling, and no request waits longer than 400 ms", async () => {
    let hangs = false;
    const { store, platform } = storeWith(() => (hangs ? new Promise(() => {}) : ok([null])));
    await ask(store);
    platform.advance(1300);
    hangs = true;
    const since = platform.now();
    const waits: number[] = [];
    while (store.reachable && platform.now() - since < 5000) {
      const startedAt = platform.now();
      void ask(store).then(() => waits.push(platform.now() - startedAt));
      await turn();
      for (let passed = 0; passed < 200; passed += 50) {
        platform.advance(50);
        await turn();
      }
    }
    expect(platform.now() - since).toBeLessThanOrEqual(1200);
    expect(Math.max(...waits)).toBeLessThanOrEqual(400);
  });
});
