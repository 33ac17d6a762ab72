import { describe, expect, it } from "vitest";
import { bearerBegins, bearerField, bearerToken } from "../../../src/http/bearer.ts";

describe("the token of an Authorization field", () => {
  it.each<[field: string | null | undefined, token: string | null]>([
    ["Bearer abc", "abc"],
    ["bearer abc", "abc"],
    ["BEARER   abc", "abc"],
    ["Bearer abc ", "abc"],
    ["Bearer abc\t", "abc"],
    ["Bearer es1.a.b", "es1.a.b"],
    // Two words have no one meaning.
    ["Bearer abc def", null],
    ["Bearer abc, Basic def", null],
    ["Bearer", null],
    ["Bearer ", null],
    ["Bearerabc", null],
    ["Bearer\tabc", null],
    ["Basic YTpi", null],
    ["", null],
    [null, null],
    [undefined, null],
  ])("%j: %j", (field, token) => {
    expect(bearerToken(field)).toBe(token);
  });

  it("is what bearerField writes", () => {
    expect(bearerToken(bearerField("abc"))).toBe("abc");
  });
});

it.each<[field: string | null, begins: boolean]>([
  ["Bearer es1.a.b", true],
  ["bearer es1.a.b and more", true],
  ["Bearer\tes1.a.b", true],
  [" \tBearer  es1.a.b", true],
  ["Basic eDp5, Bearer es1.a.b", true],
  ["Bearer other,bearer es1.a.b", true],
  ["Bearer other", false],
  ["Bearer other es1.a.b", false],
  ["Basic es1.a.b", false],
  ["Xbearer es1.a.b", false],
  ["Bearer xes1.a.b", false],
  ['Digest response="Bearer es1.a.b"', false],
  [null, false],
])("%j begins with es1.: %s", (field, begins) => {
  expect(bearerBegins(field, "es1.")).toBe(begins);
});
