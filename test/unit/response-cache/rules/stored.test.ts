import { expect, it } from "vitest";
import { currentAge } from "../../../../src/response-cache/rules/age.ts";
import { freshnessOf } from "../../../../src/response-cache/rules/freshness.ts";
import { type StoredResponse, shareTexts } from "../../../../src/response-cache/rules/stored.ts";

const NOW = Date.UTC(2026, 0, 1);
const RULE = { scope: "public", ttl: undefined, staleWhileRevalidate: 0, staleIfError: 0 } as const;

function stored(headers: [string, string][]): StoredResponse {
  return { status: 200, headers, requestTime: NOW, responseTime: NOW, vary: [], credentials: false };
}

it("shared texts are the same texts", () => {
  const fields: [string, string][] = [
    ["content-type", "application/json"],
    ["cache-control", `max-age=60, ${"x".repeat(200)}`],
    ["x-own", "one"],
    ["vary", ""],
    ["etag", '"a"'],
  ];
  const response = stored(structuredClone(fields));
  for (let n = 0; n < 2; n += 1) shareTexts(response);
  expect(response.headers).toEqual(fields);
});

it.each<[what: string, change: [string, string], lifetime: number, age: number]>([
  ["Cache-Control", ["cache-control", "max-age=5"], 5, 0],
  ["Age", ["age", "7"], 60, 7],
])("what was worked out of a response is none of its copy's with another %s", (_, field, lifetime, age) => {
  const response = stored([["cache-control", "max-age=60"]]);
  expect([freshnessOf(response, RULE).lifetime, currentAge(response, NOW)]).toEqual([60, 0]);
  const others = response.headers.filter(([name]) => name !== field[0]);
  const copy = { ...response, headers: [...others, field] };
  expect([freshnessOf(copy, RULE).lifetime, currentAge(copy, NOW)]).toEqual([lifetime, age]);
  expect(freshnessOf(response, { ...RULE }).lifetime, "another rule").toBe(60);
});

it("what was worked out of a response is not written to a store", () => {
  const response = stored([["cache-control", "max-age=60"]]);
  const before = JSON.stringify(response);
  freshnessOf(response, RULE);
  currentAge(response, NOW);
  expect(JSON.stringify(response)).toBe(before);
  expect(structuredClone(response)).toEqual(stored([["cache-control", "max-age=60"]]));
});
