import type { Platform } from "../../src/runtime/platform.ts";

/** A platform with a fixed time, and with random numbers and a network that the test controls. */
export interface TestPlatform extends Platform {
  /** Advances the time, and runs the timers that fall due, in order. */
  advance(ms: number): void;
  setRandom(value: number): void;
  /** Timers that are set: what waits for one has begun to wait. */
  timersSet(): number;
  /** Takes works out and waits for them, also for those that come meanwhile. Timers of a few ms are run, and no time passes. */
  settle(works: Promise<unknown>[]): Promise<void>;
}

/** What a work may wait for while the clock stands still, ms. */
const SOON_MS = 5;

export interface TestPlatformOptions {
  /** Milliseconds since the epoch. Default a fixed moment, half way through a minute. */
  now?: number;
  fetch?: Platform["fetch"];
}

export function testPlatform(options: TestPlatformOptions = {}): TestPlatform {
  let now = options.now ?? Date.UTC(2026, 0, 15, 12, 0, 30);
  let random = 0;
  let counter = 0;
  const timers = new Set<{ at: number; run: () => void }>();
  return {
    now: () => now,
    random: () => random,
    // Each call returns other bytes, and every run the same sequence.
    randomBytes(length) {
      counter += 1;
      return Uint8Array.from({ length }, (_, index) => (counter * 31 + index * 7 + (counter >> 8)) & 255);
    },
    fetch:
      options.fetch ??
      (() => {
        throw new Error("this test has no network");
      }),
    timer(ms, run) {
      const timer = { at: now + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        timers.delete(due);
        now = Math.max(now, due.at);
        due.run();
      }
      now = end;
    },
    setRandom(value) {
      random = value;
    },
    timersSet: () => timers.size,
    async settle(works) {
      let pending = true;
      const all = drained(works).finally(() => {
        pending = false;
      });
      all.catch(() => {});
      while (pending) {
        for (const timer of [...timers].filter(({ at }) => at <= now + SOON_MS)) {
          timers.delete(timer);
          timer.run();
        }
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      await all;
    },
  };
}

async function drained(works: Promise<unknown>[]): Promise<void> {
  for (let work = works.shift(); work; work = works.shift()) await work;
}
