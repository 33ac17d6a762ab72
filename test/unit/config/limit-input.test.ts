import { describe, expect, it } from "vitest";
import type { ConfigIssue } from "../../../src/config/config-error.ts";
import { checkLimits } from "../../../src/config/limit-input.ts";
import { algorithms } from "../../../src/ratelimit/algorithms/algorithms.ts";

function check(input: unknown) {
  const issues: ConfigIssue[] = [];
  const checked = checkLimits(input, "limits", { algorithms, issues });
  return { checked, issues: issues.map(({ place, found, fix }) => `${place} | ${found} | ${fix}`) };
}

const good = { name: "a", limit: 1, window: "1 m" };
const bucket = { name: "a", algorithm: "token-bucket", capacity: 5, refill: 1, window: "1 s" };

it.each<[what: string, input: unknown]>([
  ["none", []],
  ["a window", [good]],
  ["a bucket", [bucket]],
  [
    "every key",
    [{ ...good, cost: 1, by: "address", shadow: true, shared: false, lease: 1, localShare: 0.5 }],
  ],
  ["keys that are undefined", [{ ...good, cost: undefined, algorithm: undefined, by: undefined }]],
  ["a number that no field carries, and is exact", [{ ...good, limit: Number.MAX_SAFE_INTEGER }]],
  ["without a prototype", [Object.assign(Object.create(null), good)]],
])("takes a list with %s as it is", (_, input) => {
  expect(check(input)).toEqual({ checked: input, issues: [] });
});

it("no list is an empty one", () => {
  expect(check(undefined)).toEqual({ checked: [], issues: [] });
});

describe("an issue", () => {
  it.each<[input: unknown, issue: RegExp]>([
    ["60/m", /^limits \| "60\/m" \| Must be an array/],
    [null, /^limits \| null \| Must be an array/],
    [{ 0: good }, /^limits \| .* \| Must be an array/],
    [[null], /^limits\[0\] \| null \| Must be an object/],
    [[[good]], /^limits\[0\] \| .* \| Must be an object/],
    [[good, 5], /^limits\[1\] \| 5 \| Must be an object/],
    [[{ ...good, name: 5 }], /^limits\[0\]\.name \| 5 \| Must be a string/],
    [[{ ...good, name: "a b" }], /^limits\[0\]\.name \| "a b" \| Use 1 to 64/],
    [[{ ...good, name: "a\n" }], /^limits\[0\]\.name \| .* \| Use 1 to 64/],
    [[{ ...good, name: "x".repeat(65) }], /^limits\[0\]\.name/],
    [[{ limit: 1, window: "1 m" }], /^limits\[0\]\.name \| nothing \| Must be a string/],
    [[{ ...good, limit: "5" }], /^limits\[0\]\.limit \| "5" \| Must be a whole number/],
    [[{ ...good, limit: Number.NaN }], /^limits\[0\]\.limit \| NaN \| Must be a whole number/],
    [[{ ...good, limit: 2 ** 60 }], /^limits\[0\]\.limit/],
    [[{ ...good, limit: 0 }], /^limits\[0\]\.limit \| 0 /],
    [[{ ...good, limit: 1.5 }], /^limits\[0\]\.limit \| 1.5 /],
    [[{ ...good, limit: null }], /^limits\[0\]\.limit \| null /],
    [[{ ...good, window: "1 fortnight" }], /^limits\[0\]\.window \| "1 fortnight" \| Write it as/],
    [[{ ...good, window: 60 }], /^limits\[0\]\.window \| 60 \| Write it as/],
    [[{ ...good, cost: null }], /^limits\[0\]\.cost \| null /],
    [[{ ...good, by: "user" }], /^limits\[0\]\.by \| "user" \| Must be one of "caller", "address"/],
    [[{ ...good, shadow: "yes" }], /^limits\[0\]\.shadow \| "yes" \| Must be a boolean/],
    [[{ ...good, localShare: 0 }], /^limits\[0\]\.localShare \| 0 \| Must be above 0/],
    [[{ ...good, localShare: 1.1 }], /^limits\[0\]\.localShare \| 1.1 \| Must be at most 1/],
    [[{ ...good, localShare: "1" }], /^limits\[0\]\.localShare \| "1" \| Must be a number/],
    [
      [{ ...good, algorithm: "leaky" }],
      /^limits\[0\]\.algorithm \| "leaky" \| Must be one of .*token-bucket/,
    ],
    [[{ ...good, algorithm: "toString" }], /^limits\[0\]\.algorithm \| "toString" /],
    [[{ ...good, algorithm: 7 }], /^limits\[0\]\.algorithm \| 7 /],
    [[{ ...good, burst: 1 }], /^limits\[0\]\.burst \| a key that does not exist/],
    [[{ ...good, capacity: 1 }], /^limits\[0\]\.capacity \| a key that does not exist/],
    [[{ ...bucket, limit: 1 }], /^limits\[0\]\.limit \| a key that does not exist/],
    [[{ ...bucket, refill: undefined }], /^limits\[0\]\.refill \| nothing \| Must be a whole number/],
  ])("%j", (input, issue) => {
    const { checked, issues } = check(input);
    expect(checked).toBeNull();
    expect(issues).toEqual([expect.stringMatching(issue) as string]);
  });

  it("does not hide another", () => {
    expect(
      check([
        { name: "", limit: 0, window: "", more: 1 },
        { ...good, cost: 0 },
      ]).issues,
    ).toHaveLength(5);
  });
});
