import { describe, expect, test } from "vitest";
import { currentAge } from "../../../../src/response-cache/rules/age.ts";
import {
  cutShort,
  freshnessOf,
  retentionSeconds,
  timeToLive,
} from "../../../../src/response-cache/rules/freshness.ts";
import { servedFields } from "../../../../src/response-cache/rules/serving.ts";
import type { StoredResponse } from "../../../../src/response-cache/rules/stored.ts";
import { dateAt, NOON, rule, stored } from "../../../support/cache-samples.ts";

type Changes = Partial<StoredResponse>;
const DAY = 24 * 3600;

describe("freshness lifetime (RFC 9111 §4.2.1)", () => {
  test.each<[Record<string, string>, number, string]>([
    [{ "cache-control": "max-age=60, s-maxage=30" }, 30, "s-maxage"],
    [{ "cache-control": "s-maxage=90, max-age=60" }, 90, "s-maxage"],
    [{ "cache-control": "s-maxage=soon, max-age=60" }, 0, "s-maxage"],
    [{ "cache-control": "max-age=60", expires: dateAt(3600) }, 60, "max-age"],
    [{ "cache-control": "max-age=60", expires: "0" }, 60, "max-age"],
    [{ "cache-control": "max-age=0", expires: dateAt(3600) }, 0, "max-age"],
    [{ "cache-control": "max-age=soon", expires: dateAt(3600) }, 0, "max-age"],
    [{ expires: dateAt(60) }, 60, "expires"],
    [{ expires: dateAt(60), date: dateAt(-40) }, 100, "expires"],
    [{ expires: dateAt(60), date: dateAt(40) }, 20, "expires"],
    [{ expires: dateAt(-60) }, 0, "expires"],
    [{ expires: "0" }, 0, "expires"],
    [{ expires: "tomorrow" }, 0, "expires"],
    [{ expires: `${dateAt(60)}, ${dateAt(90)}` }, 0, "expires"],
    [{ expires: "Fri, 31 Dec 9999 23:59:59 GMT" }, 2147483648, "expires"],
    [{ "cdn-cache-control": "max-age=5", "cache-control": "max-age=60", expires: dateAt(90) }, 5, "max-age"],
    [{ "cdn-cache-control": "public", "cache-control": "max-age=60", expires: dateAt(90) }, 7, "route"],
    [{ "cache-control": "public" }, 7, "route"],
    [{}, 7, "route"],
  ])("%j: %i from %s", (fields, lifetime, source) => {
    expect(freshnessOf(stored(fields), rule({ ttl: 7 }))).toMatchObject({ lifetime, source });
  });

  test.each(["public", "shared", "caller"] as const)("the route's ttl counts in scope %s", (scope) => {
    expect(freshnessOf(stored(), rule({ scope, ttl: 7 }))).toMatchObject({ lifetime: 7, source: "route" });
    expect(freshnessOf(stored(), rule({ scope, ttl: 0 }))).toMatchObject({ lifetime: 0, source: "route" });
  });

  test.each<[number, string, string]>([
    [200, "", "route"],
    [404, "", "route"],
    [302, "", "none"],
    [500, "", "none"],
    [302, "public", "route"],
  ])("the route's ttl for a %i that says '%s': %s", (status, cacheControl, source) => {
    const response = stored({ "cache-control": cacheControl }, { status });
    expect(freshnessOf(response, rule({ ttl: 7 })).source).toBe(source);
  });
});

describe("heuristic freshness (RFC 9111 §4.2.2)", () => {
  test.each<[Record<string, string>, Changes, number]>([
    [{ "last-modified": dateAt(-1000) }, {}, 100],
    [{ "last-modified": dateAt(-1000) }, { status: 404 }, 10],
    [{ "last-modified": dateAt(-30) }, { status: 410 }, 3],
    [{ "last-modified": dateAt(-1000) }, { status: 302 }, 0],
    [{ "last-modified": dateAt(-1000), "cache-control": "public" }, { status: 302 }, 100],
    [{ "last-modified": dateAt(-1000), date: dateAt(-500) }, {}, 50],
    [{ "last-modified": dateAt(-365 * DAY) }, {}, DAY],
    [{ "last-modified": dateAt(0) }, {}, 0],
    [{ "last-modified": dateAt(60) }, {}, 0],
    [{ "last-modified": "long ago" }, {}, 0],
    [{ etag: '"a"' }, {}, 0],
    [{ "last-modified": dateAt(-1000), "cache-control": "max-age=0" }, {}, 0],
    [{ "last-modified": dateAt(-1000), expires: dateAt(0) }, {}, 0],
    [{ "last-modified": dateAt(-1000), "cache-control": "public" }, { credentials: true }, 0],
  ])("%j, %j: %i seconds", (fields, changes, lifetime) => {
    expect(freshnessOf(stored(fields, changes), rule()).lifetime).toBe(lifetime);
  });

  test.each(["shared", "caller"] as const)(
    "never in scope %s, where REDIS_CACHE_TTL says what it wants",
    (scope) => {
      const response = stored({ "last-modified": dateAt(-1000) });
      expect(freshnessOf(response, rule({ scope })).source).toBe("none");
    },
  );
});

describe("age (RFC 9111 §4.2.3)", () => {
  test.each<[string, Record<string, string>, Changes, number]>([
    ["resident time alone", {}, {}, 10],
    ["Age", { age: "5" }, {}, 15],
    ["Age and the response's delay", { age: "5" }, { requestTime: NOON - 3000 }, 18],
    ["the delay alone", {}, { requestTime: NOON - 3000 }, 13],
    ["the apparent age, where it is more", { age: "5", date: dateAt(-20) }, {}, 30],
    ["Age, where it is more than the apparent age", { age: "25", date: dateAt(-20) }, {}, 35],
    ["a Date in the future is no age", { date: dateAt(20) }, {}, 10],
    ["an unreadable Date is the time of arrival", { date: "now" }, {}, 10],
    [
      "a Date of the same second",
      { date: dateAt(0) },
      { requestTime: NOON + 999, responseTime: NOON + 999 },
      9.001,
    ],
    [
      "a clock that is behind",
      { date: dateAt(60) },
      { requestTime: NOON + 60_000, responseTime: NOON + 60_000 },
      0,
    ],
    ["a response that seems to precede its request", {}, { requestTime: NOON + 5000 }, 10],
  ])("%s", (_, fields, changes, age) => {
    expect(currentAge(stored(fields, changes), NOON + 10_000)).toBeCloseTo(age, 6);
  });

  test.each<[string, number]>([
    ["7, 9", 7],
    ["0, 7200", 0],
    [" 7 ", 7],
    ["abc", 0],
    ["-7", 0],
    ["7.0", 0],
    ["7abc", 0],
    ["abc, 7", 0],
    ["", 0],
    ["99999999999", 2147483648],
  ])("Age: %j counts as %i (§5.1)", (age, seconds) => {
    expect(currentAge(stored({ age }), NOON)).toBe(seconds);
  });

  test("what is served tells its age in place of the one it came with (§4)", () => {
    expect(servedFields(stored({ age: "5", "x-one": "1" }), NOON + 10_999).get("age")).toBe("15");
    expect(servedFields(stored({ age: "99999999999" }), NOON + 10_000).get("age")).toBe("2147483648");
    expect(servedFields(stored({ "x-one": "1" }), NOON).get("x-one")).toBe("1");
  });
});

describe("stale windows (RFC 5861, RFC 9111 §4.2.4)", () => {
  const route = rule({ staleWhileRevalidate: 10, staleIfError: 20 });

  test.each<[string, number, number]>([
    ["max-age=60", 10, 20],
    ["max-age=60, stale-while-revalidate=3, stale-if-error=4", 3, 4],
    ["max-age=60, stale-while-revalidate=0", 0, 20],
    ["max-age=60, stale-while-revalidate=soon, stale-if-error=-4", 0, 0],
    ["max-age=60, stale-while-revalidate", 0, 20],
    ["max-age=60, must-revalidate, stale-while-revalidate=3, stale-if-error=4", 0, 0],
    ["max-age=60, proxy-revalidate, stale-while-revalidate=3, stale-if-error=4", 0, 0],
    ["s-maxage=60, stale-while-revalidate=3, stale-if-error=4", 0, 0],
    ["max-age=60, no-cache, stale-while-revalidate=3, stale-if-error=4", 0, 0],
    ['max-age=60, no-cache="x-one", stale-while-revalidate=3, stale-if-error=4', 3, 4],
  ])("%s: %i while revalidating, %i on errors", (cacheControl, staleWhileRevalidate, staleIfError) => {
    const freshness = freshnessOf(stored({ "cache-control": cacheControl }), route);
    expect(freshness).toMatchObject({ staleWhileRevalidate, staleIfError });
    expect(freshness.staleForbidden).toBe(/(revalidate,|s-maxage|no-cache,)/.test(cacheControl));
  });

  test("what was declared stale is stale from then on, and its windows begin there", () => {
    const response = stored({ "cache-control": "max-age=60" });
    const freshness = freshnessOf(response, route);
    expect(timeToLive(response, cutShort(freshness, response, NOON + 20_000), NOON + 25_000)).toBe(-5);
    expect(timeToLive(response, cutShort(freshness, response, NOON + 70_000), NOON + 25_000)).toBe(35);
  });
});

describe("how long an entry is of use", () => {
  test.each<[Record<string, string>, number]>([
    [{ "cache-control": "max-age=60" }, 50],
    [{ "cache-control": "max-age=60, stale-while-revalidate=5, stale-if-error=30" }, 80],
    [{ "cache-control": "max-age=60", etag: '"a"' }, 50 + DAY],
    [{ "cache-control": "max-age=0", "last-modified": dateAt(-9) }, DAY],
    [{ "cache-control": "max-age=60", etag: "abc" }, 50],
    [{ "cache-control": "max-age=60", etag: "", "last-modified": "undefined" }, 50],
    [{ "cache-control": "max-age=99999999999" }, 7 * DAY],
    [{ "cache-control": "max-age=5" }, 0],
  ])("%j: %i seconds", (fields, seconds) => {
    const response = stored(fields);
    expect(retentionSeconds(response, freshnessOf(response, rule()), NOON + 10_000)).toBe(seconds);
  });
});

describe("a missing page without a lifetime of its own", () => {
  test.each([
    [404, {}, 10],
    [405, {}, 10],
    [410, {}, 10],
    [414, {}, 10],
    [501, {}, 10],
    [404, { "cache-control": "public" }, 10],
    [404, { "cache-control": "max-age=300" }, 300],
    [410, { "cache-control": "s-maxage=300" }, 300],
    [404, { expires: dateAt(300) }, 300],
    [200, {}, 1800],
    [301, {}, 1800],
  ] as const)("%i with %j is fresh for %i s on a route with a ttl of 1800", (status, fields, lifetime) => {
    const windows = { staleWhileRevalidate: 600, staleIfError: 600 };
    const freshness = freshnessOf(stored(fields, { status }), rule({ ttl: 1800, ...windows }));
    expect(freshness.lifetime).toBe(lifetime);
    if (lifetime === 10) expect(freshness).toMatchObject({ staleWhileRevalidate: 0, staleIfError: 0 });
  });

  test("is fresh for a shorter ttl where the route has one", () => {
    expect(freshnessOf(stored({}, { status: 404 }), rule({ ttl: 3 })).lifetime).toBe(3);
  });
});
