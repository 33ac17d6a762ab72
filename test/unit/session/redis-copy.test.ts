import { beforeEach, describe, expect, it } from "vitest";
import { type Position, positionText, RedisCopy } from "../../../src/session/redis-copy.ts";
import { type TestPlatform, testPlatform } from "../../support/platform.ts";

let platform: TestPlatform;
let copy: RedisCopy;
beforeEach(() => {
  platform = testPlatform();
  copy = new RedisCopy(platform);
});
const at = (seq: number, over: Partial<Position> = {}): Position => ({
  database: "d1",
  seq,
  comparedAt: platform.now(),
  ...over,
});
function compared(seq: number): void {
  copy.see(positionText(at(seq)));
  copy.compared(at(seq), copy.doubts);
}

describe("an isolate takes Redis' word", () => {
  it("once it has compared, and not before, whatever another has written down", () => {
    expect(copy.sure).toBe(false);
    copy.see(positionText(at(5)));
    expect(copy.sure).toBe(false);
    compared(5);
    expect(copy.sure).toBe(true);
  });

  it("for 30 s, and longer where others have compared since", () => {
    compared(5);
    platform.advance(30_000);
    expect(copy.sure).toBe(true);
    platform.advance(1);
    expect(copy.sure).toBe(false);
    copy.see(positionText(at(5)));
    expect(copy.sure).toBe(true);
  });

  it.each([
    ["is gone", null],
    ["is empty", ""],
    ["is no position", "yes"],
    ["has no time", "d1 5"],
    ["is before what was seen", positionText({ database: "d1", seq: 4, comparedAt: 9e12 })],
    ["is at the beginning", positionText({ database: "d1", seq: 0, comparedAt: 9e12 })],
    ["is another database's", positionText({ database: "d2", seq: 9, comparedAt: 9e12 })],
    ["has a negative number", "d1 -5 5"],
  ])("until the position %s", (_, text) => {
    compared(5);
    copy.see(text);
    expect(copy.sure).toBe(false);
    expect(copy.doubted).toBe(true);
    copy.see(positionText(at(9)));
    expect(copy.sure, "and then until it compares again").toBe(false);
    copy.compared(at(9), copy.doubts);
    expect(copy.sure).toBe(true);
  });

  it("as before where the position has advanced", () => {
    compared(5);
    copy.see(positionText(at(6)));
    copy.see(positionText(at(6)));
    expect(copy.sure).toBe(true);
  });

  it.each([
    ["of another request", () => copy.see(positionText(at(6)))],
    ["of the isolate's own comparison", () => copy.compared(at(6), copy.doubts)],
  ])("where a reply comes after that %s which was read later", (_, learn) => {
    compared(5);
    const { learned } = copy;
    learn();
    copy.see(positionText(at(5)), learned);
    expect(copy.sure).toBe(true);
    copy.see(null, learned);
    expect(copy.sure).toBe(true);
    copy.see(positionText(at(5)), copy.learned);
    expect(copy.sure, "and not where it was read after that").toBe(false);
  });

  it("where a reply of before its first comparison comes after it", () => {
    copy.see(null);
    const { learned } = copy;
    copy.compared(at(1), copy.doubts);
    copy.see(null, learned);
    expect(copy.sure).toBe(true);
    copy.see(null, copy.learned);
    expect(copy.sure).toBe(false);
  });

  it.each([31_000, 60_000, 3_600_000, 9e12])(
    "by its own comparison where another, %d ms ahead, has written down one",
    (aheadMs) => {
      compared(5);
      copy.see(positionText(at(5, { comparedAt: platform.now() + aheadMs })));
      expect(copy.sure).toBe(true);
      platform.advance(30_000 + 1);
      expect(copy.sure, "not longer").toBe(aheadMs <= 60_000 + 1);
    },
  );

  it("not by a comparison that began before the last doubt", () => {
    const { doubts } = copy;
    copy.doubt();
    copy.compared(at(5), doubts);
    expect(copy.sure).toBe(false);
  });
});
