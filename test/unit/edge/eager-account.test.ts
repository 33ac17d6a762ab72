import { describe, expect, it } from "vitest";
import { EagerAccount } from "../../../src/edge/eager-account.ts";
import { testPlatform } from "../../support/platform.ts";

const FOR_MS = 2400;
const MINUTE = 60_000;

function open() {
  const platform = testPlatform();
  const account = new EagerAccount(platform);
  const begin = (caller = "a", left: number | null = Number.POSITIVE_INFINITY) =>
    account.begin(caller, left, FOR_MS);
  /** Begins up to so many one after the other. @returns how many could begin. */
  const run = (count: number, outcome: "used" | "wasted") => {
    let begun = 0;
    for (let each = 0; each < count; each += 1) {
      const settle = begin();
      if (settle) begun += 1;
      settle?.(outcome);
    }
    return begun;
  };
  /** Begins as many as can be unanswered. */
  const burst = (caller?: (n: number) => string, left?: number | null) =>
    Array.from({ length: 500 }, (_, n) => begin(caller?.(n), left)).filter((settle) => settle !== null);
  return { platform, begin, run, burst };
}

describe("a caller", () => {
  it.each<[what: string, left: number | null, atOnce: number]>([
    ["that was never seen has one unanswered", null, 1],
    ["with nothing left has none", 0, 0],
    ["has as many as requests are left to it", 3, 3],
    ["has no part of one", 0.5, 1],
    ["with less than nothing left has none", -2, 0],
    ["without a limit is bounded by the isolate", Number.POSITIVE_INFINITY, 21],
    ["with many left is bounded by the isolate", 5000, 21],
  ])("%s", (_, left, atOnce) => {
    expect(open().burst(() => "a", left)).toHaveLength(atOnce);
  });

  it("may begin the next one when the last is answered, whatever came of it", () => {
    const { begin } = open();
    for (const outcome of ["used", "wasted", "used"] as const) {
      const settle = begin("a", null);
      expect(begin("a", null)).toBeNull();
      settle?.(outcome);
    }
    expect(begin("a", null)).not.toBeNull();
  });

  it("does not count those of another", () => {
    const { begin } = open();
    begin("a", null);
    expect(begin("b", null)).not.toBeNull();
  });
});

describe("an isolate", () => {
  it.each<[what: string, caller: (n: number) => string]>([
    ["one caller", () => "a"],
    ["as many callers as requests", (n) => `caller ${n}`],
  ])("wastes 21 at most before it stops, however many come at once: %s", (_, caller) => {
    const { burst, begin } = open();
    const begun = burst(caller, 1000);
    expect(begun).toHaveLength(21);
    for (const settle of begun) settle("wasted");
    expect(begin()).toBeNull();
  });

  it("wastes 21 at most one after the other", () => {
    expect(open().run(300, "wasted")).toBe(21);
  });

  it("goes on while 10 % of its last 200 are wasted, and not one more", () => {
    const { run } = open();
    expect(run(180, "used")).toBe(180);
    expect(run(20, "wasted")).toBe(20);
    expect(run(1, "used")).toBe(1);
    expect(run(2, "wasted")).toBe(1);
  });

  it("forgets those before its last 200", () => {
    const { run } = open();
    for (let round = 0; round < 5; round += 1) {
      expect(run(20, "wasted")).toBe(20);
      expect(run(200, "used")).toBe(200);
    }
  });

  it("begins anew after a minute, then after two, four … at most an hour", () => {
    const { platform, run, begin } = open();
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      expect(run(100, "wasted"), `before ${minutes}`).toBe(21);
      platform.advance(minutes * MINUTE - 1);
      expect(begin()).toBeNull();
      platform.advance(1);
    }
    expect(run(100, "wasted")).toBe(21);
  });

  it("has the short pause again after 200 without a stop", () => {
    const { platform, run, begin } = open();
    for (const minutes of [1, 2]) {
      run(100, "wasted");
      platform.advance(minutes * MINUTE);
    }
    expect(run(200, "used")).toBe(200);
    run(100, "wasted");
    platform.advance(MINUTE);
    expect(begin()).not.toBeNull();
  });

  it("does not stay stopped by a clock that was ahead", () => {
    const { platform, run, begin } = open();
    run(100, "wasted");
    platform.advance(-10 * MINUTE);
    expect(begin()).not.toBeNull();
  });
});

describe("a fetch whose client has gone", () => {
  it("is wasted, and its place is free, when nothing can come of it any more", () => {
    const { platform, burst, begin } = open();
    burst();
    platform.advance(FOR_MS - 1);
    expect(begin()).toBeNull();
    platform.advance(1);
    expect(begin(), "21 were wasted").toBeNull();
    platform.advance(MINUTE);
    expect(begin()).not.toBeNull();
  });

  it("counts once, though something is heard of it after all", () => {
    const { platform, begin, run } = open();
    const late = begin("a", null);
    platform.advance(FOR_MS);
    expect(begin("a", null)).not.toBeNull();
    for (let each = 0; each < 30; each += 1) late?.("wasted");
    expect(run(19, "wasted")).toBe(19);
  });

  it("frees its place where the clock went back", () => {
    const { platform, begin } = open();
    begin("a", null);
    platform.advance(-1000);
    expect(begin("a", null)).not.toBeNull();
  });
});
