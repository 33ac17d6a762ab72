import { describe, expect, it } from "vitest";
import { watchSilence } from "../../../src/runtime/silence.ts";
import { testPlatform } from "../../support/platform.ts";

describe("a watch for silence", () => {
  const watching = (atMostMs?: number) => {
    const platform = testPlatform();
    let calls = 0;
    const watch = watchSilence(
      platform,
      100,
      () => {
        calls += 1;
      },
      atMostMs,
    );
    return { platform, watch, calls: () => calls };
  };

  it.each([
    [[99], 0],
    [[100], 1],
    [[60, 60], 0],
    [[60, 99, 99, 99], 0],
    [[60, 100], 1],
    [[250], 2],
  ])("that hears something after each but the last of %j ms calls %i times", (pauses, expected) => {
    const { platform, watch, calls } = watching();
    for (const [index, pause] of pauses.entries()) {
      platform.advance(pause);
      if (index < pauses.length - 1) watch.heard();
    }
    expect(calls()).toBe(expected);
  });

  it.each([
    [[90, 90], 180, 1],
    [[90, 89], 180, 0],
    [[60, 60, 60, 60], 200, 1],
    [[90, 100], 1000, 1],
    [[50], 50, 1],
    [[50, 99], 50, 1],
    [[250], 100, 2],
    [[90, 90, 100], 180, 2],
  ])("with pauses of %j ms and at most %i in all calls %i times", (pauses, atMostMs, expected) => {
    const { platform, watch, calls } = watching(atMostMs);
    for (const [index, pause] of pauses.entries()) {
      platform.advance(pause);
      if (index < pauses.length - 1) watch.heard();
    }
    expect(calls()).toBe(expected);
  });

  it("calls no more once it is stopped, nor where the call itself stops it", () => {
    const { platform, watch, calls } = watching();
    watch.stop();
    platform.advance(1000);
    expect(calls()).toBe(0);
    let own = 0;
    const once = watchSilence(platform, 100, () => {
      own += 1;
      once.stop();
    });
    platform.advance(1000);
    expect(own).toBe(1);
  });
});

describe("a clock that is set while it watches", () => {
  it.each([-86_400_000, -3_600_000, -1001, -1, 1, 3_600_000])("by %i ms makes no silence endless", (step) => {
    const platform = testPlatform();
    let set = 0;
    let runs = 0;
    const clock = { now: () => platform.now() + set, timer: platform.timer };
    const watch = watchSilence(clock, 1000, () => {
      runs += 1;
    });
    platform.advance(400);
    watch.heard();
    set = step;
    platform.advance(2600);
    watch.stop();
    expect(runs).toBeGreaterThan(0);
    expect(platform.timersSet()).toBe(0);
  });
});
