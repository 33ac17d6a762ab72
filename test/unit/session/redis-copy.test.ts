import { beforeEach, describe, expect, it } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { type Position, positionText, RedisCopy } from "../../../src/session/redis-copy.ts";
import { type TestPlatform, testPlatform } from "../../support/platform.ts";

let platform: TestPlatform;
let copy: RedisCopy;
let lines: { event: string }[];
beforeEach(() => {
  platform = testPlatform();
  lines = [];
  copy = new RedisCopy(
    platform,
    createEvents({ platform, write: (_, line) => lines.push(JSON.parse(line)) }),
  );
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

describe("another database over the same Redis", () => {
  const other = (over: Partial<Position> = {}) => copy.see(positionText(at(9, { database: "d2", ...over })));

  it("is noticed once, until it was away for a minute", () => {
    compared(5);
    for (let each = 0; each < 5; each += 1) {
      other();
      expect(copy.shared).toBe(true);
      platform.advance(9000);
      compared(5);
    }
    expect(lines).toMatchObject([{ event: "session.database_shared" }]);
    platform.advance(60_001);
    expect(copy.shared).toBe(false);
    compared(5);
    other();
    expect(lines).toHaveLength(2);
  });

  it.each([
    ["it was there before this isolate compared", () => other()],
    [
      "Redis has come back with a snapshot of a former database",
      () => {
        compared(5);
        other({ comparedAt: platform.now() - 30_001 });
      },
    ],
    [
      "a reply of before this isolate's first comparison comes after it",
      () => {
        const { learned } = copy;
        compared(5);
        copy.see(positionText(at(9, { database: "d2" })), learned);
      },
    ],
    [
      "Redis is empty",
      () => {
        compared(5);
        copy.see(null);
      },
    ],
    [
      "it is this one, further on",
      () => {
        compared(5);
        copy.see(positionText(at(9)));
      },
    ],
    [
      "it is this one, with earlier entries",
      () => {
        compared(5);
        copy.see(positionText(at(1)));
      },
    ],
    [
      "it is no position",
      () => {
        compared(5);
        copy.see("d2");
      },
    ],
  ])("is not suspected where %s", (_, happen) => {
    happen();
    expect(copy.shared).toBe(false);
    expect(lines).toEqual([]);
  });

  it("is noticed where it has no entries yet", () => {
    compared(5);
    other({ seq: 0 });
    expect(copy.shared).toBe(true);
  });
});
