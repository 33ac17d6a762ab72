import { describe, expect, it } from "vitest";
import { PurgeLog } from "../../../src/response-cache/purge-log.ts";
import type { Batch } from "../../../src/store/batch.ts";
import type { Keys } from "../../../src/store/keys.ts";

const NOW = 1_768_478_430_000;
const SECOND = 1000;

/** What Redis has of a tag's purge: the member and its score, seconds from {@link NOW}. */
const purge = (tag: string, seconds: number) => [
  JSON.stringify({ k: "tag", v: tag, s: false }),
  String(NOW + seconds * SECOND),
];
const entry = (tag: string, seconds: number) => {
  const time = NOW + seconds * SECOND;
  return { urlHash: "u", url: "a.example/x", tags: [tag], requestTime: time, contentTime: time };
};

describe("the score from which the log is read", () => {
  const since = (log: PurgeLog, seconds: number) => {
    const text = log.since(NOW + seconds * SECOND);
    return text === "-inf" ? text : (Number(text) - NOW) / SECOND;
  };

  it("is the first before it was read", () => {
    expect(since(new PurgeLog(), 0)).toBe("-inf");
  });

  it.each<
    [what: string, purges: [tag: string, seconds: number][], readAt: number, now: number, from: number]
  >([
    ["an empty log", [], 0, 5, -180],
    ["a purge of now", [["a", 0]], 0, 5, -10],
    ["one a moment before", [["a", -3]], 0, 5, -13],
    ["one of a minute before", [["a", -60]], 0, 5, -70],
    ["one of three minutes before", [["a", -180]], 0, 5, -180],
    ["one of an hour before: it is not read again", [["a", -3600]], 0, 5, -180],
    [
      "the newest of several",
      [
        ["a", -3600],
        ["b", -1],
        ["c", -20],
      ],
      0,
      5,
      -11,
    ],
    ["one by a clock that is ahead", [["a", 8]], 0, 5, -2],
    ["a pause of an hour: all that came meanwhile", [["a", -3600]], 0, 3600, -180],
    ["a clock that went back", [["a", -3600]], 0, -600, -780],
  ])("after %s", (_what, purges, readAt, now, from) => {
    const log = new PurgeLog();
    log.learn(
      purges.flatMap(([tag, seconds]) => purge(tag, seconds)),
      NOW + readAt * SECOND,
    );
    expect(since(log, now)).toBe(from);
  });

  it.each<[what: string, stampedAt: number, arrivesAt: number]>([
    ["by a clock that is ten seconds behind", -9, 1],
    ["by a clock that is ten seconds ahead", 11, 1],
    ["that was on its way for a minute", -55, 5],
    ["both", -65, 5],
  ])("has a purge in it that arrives after a look at an older one: %s", (_what, stampedAt, arrivesAt) => {
    const log = new PurgeLog();
    log.learn(purge("old", -3600), NOW);
    const from = log.since(NOW + (arrivesAt + 5) * SECOND);
    expect(NOW + stampedAt * SECOND).toBeGreaterThanOrEqual(Number(from));
  });
});

describe("a purge that is read", () => {
  it.each<[requested: number, kind: string]>([
    [-1, "hard"],
    [0, "hard"],
    [1, "none"],
  ])("at 0 s makes of an entry that was requested at %i s: %s", (requested, kind) => {
    const log = new PurgeLog();
    log.learn(purge("a", 0), NOW);
    log.learn([], NOW + 3600 * SECOND);
    expect(log.purgeStatus(entry("a", requested)).kind).toBe(kind);
    expect(log.purgeStatus(entry("b", requested)).kind).toBe("none");
  });
});

describe("a purge of its own that Redis does not show", () => {
  const batch = { run: async () => 1 } as unknown as Batch;
  const keys = { purges: () => "purges" } as unknown as Keys;
  const written = [{ target: { kind: "tag", value: "a" }, soft: false }] as const;

  /** Looks every five seconds, and purges again where it is lost. @returns the seconds at which it was. */
  async function lost(log: PurgeLog, from: number, to: number): Promise<number[]> {
    const times: number[] = [];
    for (let at = from; at < to; at += 5) {
      if (!log.learn([], NOW + at * SECOND)) continue;
      times.push(at);
      await log.write(written, NOW + at * SECOND, keys, batch);
    }
    return times;
  }

  it("is lost after ten seconds; made good, and still not shown, after twice as long each time", async () => {
    const log = new PurgeLog();
    await log.write(written, NOW, keys, batch);
    expect(await lost(log, 5, 600)).toEqual([20, 50, 100, 190, 360]);
    log.learn(purge("a", 360), NOW + 600 * SECOND);
    await log.write(written, NOW + 600 * SECOND, keys, batch);
    expect(await lost(log, 605, 655), "it had been there once more").toEqual([620, 650]);
  });

  it("is never lost where it is there, or nothing was purged", async () => {
    expect(await lost(new PurgeLog(), 0, 600)).toEqual([]);
    const log = new PurgeLog();
    await log.write(written, NOW, keys, batch);
    log.learn(purge("a", 0), NOW + SECOND);
    expect(await lost(log, 5, 600)).toEqual([]);
  });
});
