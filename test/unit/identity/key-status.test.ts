import { describe, expect, it, test } from "vitest";
import {
  type KeyStatus,
  mergedStatus,
  parseKeyStatus,
  type VerifiedKey,
} from "../../../src/identity/key-status.ts";

const ADA = { userId: "ada", tier: null };
const EVE = { userId: "eve", tier: "gold" };
const NONE: KeyStatus = { endedAt: 0, accepted: null };
const accepted = (askedAt: number, who: VerifiedKey = ADA): KeyStatus => ({
  endedAt: 0,
  accepted: { ...who, askedAt },
});
const end = (endedAt: number): KeyStatus => ({ endedAt, accepted: null });

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, index) =>
    permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
  );
}

describe("in whatever order it is told, and told twice", () => {
  test.each<[what: string, words: KeyStatus[], status: KeyStatus]>([
    ["nothing is no status", [], NONE],
    ["an acceptance verifies", [accepted(1)], accepted(1)],
    ["an end alone is kept", [end(2)], end(2)],
    ["an end ends what was asked for before it", [accepted(1), end(2)], end(2)],
    ["an end of the same ms too", [accepted(2), end(2)], end(2)],
    ["a late answer verifies nothing", [accepted(1), end(3), accepted(2)], end(3)],
    ["a new answer verifies again", [end(2), accepted(3)], { ...accepted(3), endedAt: 2 }],
    [
      "a late one beside it changes nothing",
      [end(2), accepted(1, EVE), accepted(3)],
      { ...accepted(3), endedAt: 2 },
    ],
    [
      "an end that is told late ends nothing newer",
      [accepted(1), end(2), accepted(3)],
      { ...accepted(3), endedAt: 2 },
    ],
    ["the newest of two ends counts", [end(2), accepted(3), end(4)], end(4)],
    [
      "ended twice, accepted between and after",
      [end(2), accepted(3, EVE), end(4), accepted(5)],
      { ...accepted(5), endedAt: 4 },
    ],
    ["the newest of two answers says whose it is", [accepted(1, EVE), accepted(2)], accepted(2)],
  ])("%s", (_what, words, status) => {
    for (const order of permutations([...words, ...words.slice(0, 1)]))
      expect(order.reduce(mergedStatus, NONE)).toEqual(status);
  });
});

it("of two answers that were asked for in the same ms, the one told later counts", () => {
  expect(mergedStatus(accepted(1, EVE), accepted(1))).toEqual(accepted(1));
});

test.each<[stored: string | null, status: KeyStatus]>([
  [null, NONE],
  ["", NONE],
  ["not a status", NONE],
  ["0 17 not json", NONE],
  ["0 17 null", NONE],
  ['0 17 {"userId":7,"tier":null}', NONE],
  ['0 17 {"userId":"\\ud800","tier":null}', NONE],
  ['{"userId":"ada","tier":null,"until":9e12}', NONE],
  ['-1 17 {"userId":"ada","tier":null}', NONE],
  ["99 0 ", end(99)],
  ["99 17 not json", end(99)],
  ['0 17 {"userId":"ada","tier":null}', accepted(17)],
  ['5 17 {"userId":"eve","tier":"gold"}', { ...accepted(17, EVE), endedAt: 5 }],
  ['0 17 {"userId":"ada","tier":null,"more":1}', accepted(17)],
  // JSON.stringify leaves these two line terminators as they are.
  [
    '5 17 {"userId":"a\u2028b\u2029","tier":null}',
    { ...accepted(17, { userId: "a\u2028b\u2029", tier: null }), endedAt: 5 },
  ],
])("%j in Redis is read as %j", (stored, status) => {
  expect(parseKeyStatus(stored)).toEqual(status);
});
