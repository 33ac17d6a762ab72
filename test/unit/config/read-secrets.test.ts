import { describe, expect, it, test } from "vitest";
import type { ConfigIssue } from "../../../src/config/config-error.ts";
import { readApiKeys } from "../../../src/config/read-api-keys.ts";
import { pasted, readSecret, readSecrets } from "../../../src/config/read-secrets.ts";

const KEY = "0123456789abcdef0123456789abcdef";

function reading<Value>(read: (report: (found: string, fix: string) => void) => Value) {
  const issues: string[] = [];
  const value = read((found, fix) => void issues.push(`${found} | ${fix}`));
  return { value, issues };
}

test.each([
  [KEY, KEY],
  [`\ufeff${KEY}\r\n`, KEY],
  [`"${KEY}"`, KEY],
  [`'${KEY}'`, KEY],
  [`  " ${KEY} "\n`, KEY],
  [`\ufeff"${KEY}"\r\n`, KEY],
  [`${KEY}\t \u00a0`, KEY],
  [`\u201c${KEY}\u201d`, KEY],
  [`\u2018${KEY}\u2019\n`, KEY],
  [`${KEY}\u200b`, KEY],
  [`\u2060"\u200b${KEY}"`, KEY],
  [`\u201d${KEY}\u201c`, `\u201d${KEY}\u201c`],
  [`"${KEY}`, `"${KEY}`],
  [`"${KEY}'`, `"${KEY}'`],
  [`"a","b"`, `"a","b"`],
  [`""`, ""],
  [`"`, `"`],
])("%j is meant as %j", (text, meant) => {
  expect(pasted(text)).toBe(meant);
});

describe("a list", () => {
  it.each<[text: string, list: string[]]>([
    [`"${KEY},${KEY}2"`, [KEY, `${KEY}2`]],
    [`"${KEY}", "${KEY}2"`, [KEY, `${KEY}2`]],
    [`\ufeff${KEY},\r\n\ufeff${KEY}2\r\n`, [KEY, `${KEY}2`]],
    [`'${KEY}' ,${KEY}2 `, [KEY, `${KEY}2`]],
  ])("%j is read", (text, list) => {
    const { value, issues } = reading((report) => readSecrets(text, { use: "key", min: 32 }, report));
    expect([value, issues]).toEqual([list, []]);
  });

  it.each([
    [`${KEY},`, /^nothing \(number 2\)/],
    [`${KEY},,${KEY}`, /^nothing \(number 2\)/],
    [`${KEY},""`, /^nothing \(number 2\)/],
    [`${KEY},short`, /^a text of 5 characters \(number 2\) \| Use at least 32/],
    [`"short"`, /^a text of 5 characters \| Use at least 32/],
    [`${KEY} ${KEY}`, /with a blank in it/],
    [`${KEY}\u00a0${KEY}`, /with a blank in it/],
    [`${KEY}\ufeff${KEY}`, /with a blank in it/],
    [`${KEY}\n${KEY}`, /with a control character in it/],
    [`${KEY},${KEY}\t${KEY}`, /control character in it \(number 2\)|\(number 2\) with a control/],
  ])("%j is an issue that shows nothing of it", (text, issue) => {
    for (const use of ["key", "token"] as const) {
      const { issues } = reading((report) => readSecrets(text, { use, min: 32 }, report));
      expect(issues).toHaveLength(1);
      expect(issues[0]).toMatch(issue);
      expect(issues[0]).not.toMatch(/0123|short/);
    }
  });
});

it("a single one is read the same way", () => {
  expect(reading((report) => readSecret('\ufeff"token-0001"\r\n', report))).toEqual({
    value: "token-0001",
    issues: [],
  });
  expect(reading((report) => readSecret('""', report))).toEqual({ value: null, issues: [] });
});

it("API keys are read the same way, entry by entry", () => {
  const issues: ConfigIssue[] = [];
  expect(readApiKeys(`"${KEY}:one:basic",\ufeff${KEY}2:two\r\n`, issues)).toEqual([
    { key: KEY, name: "one", tier: "basic" },
    { key: `${KEY}2`, name: "two", tier: "" },
  ]);
  expect(issues).toEqual([]);
});

it.each([`${KEY}\u200b${KEY}`, `${KEY}\u00ad${KEY}`])(
  "%j has an invisible character in it, which is an issue that shows nothing of it",
  (text) => {
    for (const use of ["key", "token"] as const) {
      const { issues } = reading((report) => readSecrets(text, { use, min: 16 }, report));
      expect(issues.join()).toMatch(/invisible character/);
      expect(issues.join()).not.toContain(KEY);
    }
  },
);

it("an API key is read without quotes of its own", () => {
  const issues: ConfigIssue[] = [];
  expect(readApiKeys(`"${KEY}":'one':gold`, issues)).toEqual([{ key: KEY, name: "one", tier: "gold" }]);
  expect(issues).toEqual([]);
});
