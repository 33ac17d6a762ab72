import { describe, expect, it } from "vitest";
import { FIRST_LOOK_MS, waitsOf } from "../../../src/runtime/waits.ts";
import { testPlatform } from "../../support/platform.ts";

function waiting() {
  const platform = testPlatform();
  const waits = waitsOf(platform);
  const late: string[] = [];
  return {
    platform,
    late,
    stop: waits.stop,
    next: (ms: number, what: string) => waits.next(ms, () => late.push(what)),
  };
}

describe("waits that follow one another", () => {
  it("end when they are late, once, to the millisecond", () => {
    const { platform, late, next } = waiting();
    next(100, "a");
    platform.advance(99);
    expect(late).toEqual([]);
    platform.advance(1);
    platform.advance(10_000);
    expect(late).toEqual(["a"]);
  });

  it.each([
    [100, 100],
    [100, 50],
    [100, 500],
    [50, 1],
    [1, 100],
  ])("of %i ms and then of %i: each from its own beginning", (first, second) => {
    const { platform, late, next } = waiting();
    next(first, "a");
    platform.advance(first - 1);
    next(second, "b");
    platform.advance(second - 1);
    expect(late).toEqual([]);
    platform.advance(1);
    expect(late).toEqual(["b"]);
    expect(platform.timersSet()).toBe(0);
  });

  it("share one timer, which is set anew where it has run out before the wait", () => {
    const { platform, late, next } = waiting();
    for (let wait = 0; wait < 50; wait += 1) {
      next(60, String(wait));
      expect(platform.timersSet()).toBe(1);
      platform.advance(59);
    }
    platform.advance(1);
    expect(late).toEqual(["49"]);
  });

  it("set no timer of its own for a short one after a long one that is young", () => {
    const platform = testPlatform();
    let set = 0;
    const timer: typeof platform.timer = (ms, run) => {
      set += 1;
      return platform.timer(ms, run);
    };
    const waits = waitsOf({ now: platform.now, timer });
    waits.next(30_000, () => {});
    platform.advance(20);
    waits.next(FIRST_LOOK_MS, () => {});
    waits.stop();
    expect(set).toBe(1);
  });

  it("that are over set and run nothing", () => {
    const { platform, late, next, stop } = waiting();
    stop();
    next(100, "a");
    stop();
    expect(platform.timersSet()).toBe(0);
    platform.advance(1000);
    expect(late).toEqual([]);
    next(5, "b");
    platform.advance(5);
    expect(late).toEqual(["b"]);
  });

  it("may begin the next one while one ends", () => {
    const platform = testPlatform();
    const waits = waitsOf(platform);
    const late: number[] = [];
    const again = () => {
      late.push(platform.now());
      if (late.length < 3) waits.next(10, again);
    };
    const from = platform.now();
    waits.next(10, again);
    platform.advance(1000);
    expect(late.map((at) => at - from)).toEqual([10, 20, 30]);
  });

  it.each([-3_600_000, -1, 3_600_000])("last no longer by a clock that is set %i ms on", (step) => {
    let clock = 0;
    const platform = testPlatform();
    const late: string[] = [];
    const waits = waitsOf({ now: () => platform.now() + clock, timer: platform.timer });
    waits.next(50, () => late.push("a"));
    waits.next(100, () => late.push("b"));
    clock = step;
    // The timer of the first, then one of at most the whole second wait.
    platform.advance(50);
    platform.advance(100);
    expect(late).toEqual(["b"]);
  });
});
