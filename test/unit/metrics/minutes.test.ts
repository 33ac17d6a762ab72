import { describe, expect, it } from "vitest";
import { Counts, count, observe } from "../../../src/metrics/counts.ts";
import { cacheAnswers, requests, verdicts } from "../../../src/metrics/families.ts";
import {
  addMinutes,
  type Bucket,
  minutesIn,
  minutesText,
  type Sums,
  sumsOf,
} from "../../../src/metrics/minutes.ts";

/** An isolate's field of a bucket: the number of its writing, and what it has counted since its id began. */
const field = (id: string, number: number, sums: readonly number[]) => [
  id,
  `${number};${sums.join(",")} {"f":{}}`,
];

function minutesOf(buckets: Bucket[], after = 0): Record<number, Sums> {
  const minutes = new Map<number, Sums>();
  addMinutes(minutes, buckets, after);
  return Object.fromEntries(minutes);
}

describe("the series of minutes", () => {
  it("has what each isolate's counts grow by", () => {
    const buckets: Bucket[] = [
      [10, field("a", 3, [5, 1, 0, 2])],
      [11, [...field("a", 9, [9, 1, 1, 2]), ...field("b", 2, [4, 0, 0, 4])]],
      [12, field("b", 8, [5, 0, 0, 4])],
    ];
    expect(minutesOf(buckets)).toEqual({ 10: [5, 1, 0, 2], 11: [8, 0, 1, 4], 12: [1, 0, 0, 0] });
    expect(minutesOf(buckets, 10)).toEqual({ 11: [8, 0, 1, 4], 12: [1, 0, 0, 0] });
  });

  it.each<[what: string, buckets: Bucket[], minutes: Record<number, number[]>]>([
    [
      "an id that is first seen in its midst says nothing of that minute",
      [[10, field("a", 40, [900, 0, 0, 0])]],
      { 10: [0, 0, 0, 0] },
    ],
    [
      "and something of the next",
      [
        [10, field("a", 40, [900, 0, 0, 0])],
        [11, field("a", 46, [910, 0, 0, 0])],
      ],
      { 10: [0, 0, 0, 0], 11: [10, 0, 0, 0] },
    ],
    [
      "counts that were taken off are no negative number",
      [
        [10, field("a", 1, [9, 9, 9, 9])],
        [11, field("a", 2, [3, 10, 9, 9])],
      ],
      { 10: [9, 9, 9, 9], 11: [0, 1, 0, 0] },
    ],
    [
      "a text of another version is passed over",
      [[10, ["a", '7 {"f":{}}', "b", "", "c", "x;1,2,3,4 {}"]]],
      {},
    ],
    ["a text with fewer sums has 0 for the others", [[10, field("a", 1, [3])]], { 10: [3, 0, 0, 0] }],
    ["an id without a text is passed over", [[10, ["a"]]], {}],
    ["no bucket is no minute", [], {}],
  ])("%s", (_what, buckets, minutes) => {
    expect(minutesOf(buckets)).toEqual(minutes);
  });

  it("is read as it was written: two hours of it, empty minutes too", () => {
    const minutes = new Map<number, Sums>([
      [29_000_000, [7, 0, 0, 0]],
      [29_000_050, [7, 6, 5, 4]],
      [29_000_100, [1, 0, 0, 1]],
      [29_000_101, [9, 9, 9, 9]],
    ]);
    const text = minutesText(minutes, 29_000_100);
    expect([...minutesIn(text)]).toEqual([...minutes].slice(0, 3));
    expect([...minutesIn(minutesText(minutes, 29_000_125))].map(([minute]) => minute)).toEqual([
      29_000_050, 29_000_100, 29_000_101,
    ]);
    expect(text.length).toBeLessThan(200);
  });

  it.each([null, "", "x", "12", "12 a;b", "-1 1,2", "12 1,2,3,4 ", "12 1;2 3"])("%j is none", (text) => {
    expect([...minutesIn(text)]).toEqual([]);
  });
});

it("the sums are requests, denied ones, 5xx and hits", () => {
  const counts = new Counts(24_000, 10);
  for (const [status, ms] of [
    ["200", 3],
    ["200", 99_999],
    ["429", 0],
    ["503", 1],
    ["500", 2],
  ] as const)
    observe(counts.at(requests, "/x", "GET", status), requests, ms);
  count(counts.at(verdicts, "/x", "rate_limit_exceeded"));
  count(counts.at(verdicts, "/x", "allowed"), 0, 4);
  count(counts.at(cacheAnswers, "/x", "hit", ""), 0, 2);
  count(counts.at(cacheAnswers, "/x", "miss", ""), 0, 3);
  expect(sumsOf(counts)).toEqual([5, 1, 2, 2]);
  expect(sumsOf(new Counts(24_000, 10))).toEqual([0, 0, 0, 0]);
});
