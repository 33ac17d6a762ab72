import { describe, expect, it } from "vitest";
import { CHANGE_LIFE_MS, Changes, CLOCKS_DIFFER_MS } from "../../../src/response-cache/changes.ts";

const NOW = 1_800_000_000_000;

function reading(longestCallMs: number) {
  const changes = new Changes(longestCallMs);
  const told: string[] = [];
  const reader = {
    invalidate: ({ urlHash }: { urlHash: string }) => void told.push(urlHash),
    dropOlder: ({ key }: { key: string }) => void told.push(key),
    dropAll: () => void told.push("everything"),
  };
  return { changes, told, learn: (list: unknown[], now: number) => changes.learn(list, now, reader) };
}

/** With `STORE_DEADLINE_MS` of 10, 400 (the default), 3000 and the most, 10,000. */
describe.each([30, 1200, 9000, 30_000])("where a call may take %i ms", (longestCallMs) => {
  it.each<[what: string, lateMs: number]>([
    ["in a call that takes as long as any", longestCallMs],
    ["in a second one, where its script was not known", 2 * longestCallMs],
    ["the same, by a clock that is ten seconds behind", 2 * longestCallMs + CLOCKS_DIFFER_MS],
  ])("a change that arrives right after it was looked for is read the next time: %s", (_, lateMs) => {
    const { changes, learn } = reading(longestCallMs);
    // Redis looked when the call began, and its reply took as long.
    const lookedAt = NOW;
    learn([], lookedAt + longestCallMs);
    expect(Number(changes.since)).toBeLessThanOrEqual(lookedAt - lateMs);
  });

  it("after a pause in which one may have been forgotten everything is dropped, and not before", () => {
    const { changes, told, learn } = reading(longestCallMs);
    learn([], NOW);
    const againMs = NOW - Number(changes.since);
    learn([], NOW + CHANGE_LIFE_MS - againMs);
    expect(told).toEqual([]);
    learn([], NOW + 2 * (CHANGE_LIFE_MS - againMs) + 1);
    expect(told).toEqual(["everything"]);
  });
});

it("all are read before any was", () => {
  expect(reading(1200).changes.since).toBe("-inf");
});
