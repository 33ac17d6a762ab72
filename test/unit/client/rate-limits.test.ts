import { expect, it } from "vitest";
import { rateLimits, retryAfterSeconds } from "../../../src/client/rate-limits.ts";

const NOW = 1_000_000_000_000;
const burst = { name: "burst", limit: 30, remaining: 29, resetSeconds: 11, windowSeconds: 60 };
const policy = '"burst";q=30;w=60, "day";q=5000;w=86400';

it.each<[string, Record<string, string>, unknown[]]>([
  ["none", {}, []],
  [
    "several",
    { "ratelimit-policy": policy, ratelimit: '"burst";r=29;t=11, "day";r=4999;t=9311' },
    [burst, { name: "day", limit: 5000, remaining: 4999, resetSeconds: 9311, windowSeconds: 86_400 }],
  ],
  [
    "blanks and further parameters",
    { "ratelimit-policy": policy, ratelimit: '"burst" ; r=29; t=11;pk=:AAAA:' },
    [burst],
  ],
  [
    "a quoted comma and a quote",
    { ratelimit: '"a, \\"b\\"";r=1' },
    [{ name: 'a, "b"', limit: null, remaining: 1, resetSeconds: null, windowSeconds: null }],
  ],
  ["without what is required", { ratelimit: '"burst";t=11' }, []],
  ["what is neither form", { ratelimit: "10;w=60" }, []],
  [
    "draft -07",
    { ratelimit: "limit=30, remaining=29, reset=11", "ratelimit-policy": "30;w=60" },
    [{ ...burst, name: null, windowSeconds: null }],
  ],
  [
    "draft -07, without blanks and a reset",
    { ratelimit: "limit=30,remaining=0" },
    [{ name: null, limit: 30, remaining: 0, resetSeconds: null, windowSeconds: null }],
  ],
  ["draft -07 without what is required", { ratelimit: "limit=30, not-remaining=1, reset=11" }, []],
  [
    "draft -06",
    { "ratelimit-limit": "30, 30;w=60", "ratelimit-remaining": "29", "ratelimit-reset": "11" },
    [{ ...burst, name: null, windowSeconds: null }],
  ],
  [
    "X-Rate-Limit",
    {
      "x-rate-limit-limit": "30",
      "x-rate-limit-remaining": "29",
      "x-rate-limit-reset": String(NOW / 1000 + 11),
    },
    [{ ...burst, name: null, windowSeconds: null }],
  ],
  [
    "X-RateLimit before the others",
    { "x-ratelimit-remaining": "29", "ratelimit-remaining": "3", ratelimit: "limit=9, remaining=4, reset=1" },
    [{ name: null, limit: null, remaining: 29, resetSeconds: null, windowSeconds: null }],
  ],
  ["a text that is never closed", { ratelimit: '"a;r=1' }, []],
  ["a text that ends in the midst of an escape", { ratelimit: '"a\\' }, []],
  [
    "a parameter that is never closed",
    { ratelimit: '"a";r=1;pk="b;t=2' },
    [{ ...burst, name: "a", limit: null, remaining: 1, resetSeconds: null, windowSeconds: null }],
  ],
  ["a fraction", { ratelimit: '"burst";r=1.5' }, []],
  [
    "X-RateLimit only",
    {
      "x-ratelimit-limit": "30",
      "x-ratelimit-remaining": "29",
      "x-ratelimit-reset": String(NOW / 1000 + 11),
    },
    [{ ...burst, name: null, windowSeconds: null }],
  ],
  [
    "X-RateLimit-Remaining alone, and a reset that is over",
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW / 1000 - 1) },
    [{ name: null, limit: null, remaining: 0, resetSeconds: 0, windowSeconds: null }],
  ],
  ["X-RateLimit that is no number", { "x-ratelimit-remaining": "many" }, []],
])("limits: %s", (_, headers, limits) => {
  expect(rateLimits(new Headers(headers), NOW)).toEqual(limits);
});

/** Of an API whose own limits the edge passes on. */
it.each<[reset: string, seconds: number | null]>([
  ["11", 11],
  ["0", 0],
  ["10.2", 11],
  ["0.57", 1],
  [String(NOW / 1000 + 11), 11],
  [`${NOW / 1000 + 10}.47`, 11],
  [`${NOW / 1000 + 11}.000`, 11],
  [String(NOW + 11_000), 11],
  [new Date(NOW + 11_000).toISOString(), 11],
  ["2001-09-09T01:46:51+00:00", 11],
  ["2001-09-09T03:46:51+02:00", 11],
  [new Date(NOW + 11_000).toUTCString(), 11],
  [new Date(NOW - 11_000).toUTCString(), 0],
  ["1.", null],
  ["1e3", null],
  ["-11", null],
  ["soon", null],
  ["", null],
])("X-RateLimit-Reset %j is in %j seconds", (reset, resetSeconds) => {
  const headers = new Headers({ "x-ratelimit-remaining": "598.0", "x-ratelimit-reset": reset });
  expect(rateLimits(headers, NOW)).toMatchObject([{ remaining: 598, resetSeconds }]);
});

it.each([
  [null, null],
  ["3", 3],
  ["0", 0],
  [new Date(NOW + 4500).toUTCString(), 4],
  [new Date(NOW - 4500).toUTCString(), 0],
  ["-1", null],
  ["1.5", 2],
  ["1.", null],
  ["soon", null],
  ["2001", 2001],
])("Retry-After %s is %s seconds", (text, seconds) => {
  const headers = new Headers(text === null ? {} : { "retry-after": text });
  expect(retryAfterSeconds(headers, NOW)).toBe(seconds);
});

/** A clock here that is off, and what a response says of the server's. */
const date = (at: number) => new Date(at).toUTCString();
const HOUR_MS = 3_600_000;
it.each<[what: string, clock: number, fields: Record<string, string>, seconds: number]>([
  ["right", 0, { date: date(NOW) }, 11],
  ["an hour behind", -HOUR_MS, { date: date(NOW) }, 11],
  ["ten minutes behind", -600_000, { date: date(NOW) }, 11],
  ["ten minutes ahead", 600_000, { date: date(NOW) }, 11],
  ["a day ahead", 24 * HOUR_MS, { date: date(NOW) }, 11],
  ["a day ahead, and a cache has kept the answer", 24 * HOUR_MS, { date: date(NOW - 30_000), age: "30" }, 11],
  ["ahead, and Age is no number", HOUR_MS, { date: date(NOW), age: "soon" }, 11],
  ["the only one: no Date", -4000, {}, 15],
  ["an hour behind, and Date is RFC 3339's", -HOUR_MS, { date: new Date(NOW).toISOString() }, 11],
  ["the only one: Date in another form", -4000, { date: "2001-09-09 01:46:40" }, 15],
  ["the only one: Date is no date", -4000, { date: "yesterday GMT" }, 15],
  ["the only one: no Date, and Age", -4000, { age: "30" }, 15],
  ["behind a wait that is over", -HOUR_MS, { date: date(NOW + 12_000) }, 0],
])("a time of the server, where the clock here is %s", (_, clock, fields, seconds) => {
  const at = NOW + 11_000;
  const limited = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(at / 1000), ...fields };
  expect(rateLimits(new Headers(limited), NOW + clock)[0]?.resetSeconds).toBe(seconds);
  expect(retryAfterSeconds(new Headers({ "retry-after": date(at), ...fields }), NOW + clock)).toBe(seconds);
});

it.each<[what: string, reset: string, seconds: number | null]>([
  ["seconds since the epoch", String(NOW / 1000 + 30), 30],
  ["seconds since the epoch, over", String(NOW / 1000 - 30), 0],
  ["milliseconds since the epoch", String(NOW + 30_000), 30],
  ["milliseconds since the epoch, over", String(NOW - 30_000), 0],
  ["seconds from now", "30", 30],
  ["no seconds from now", "0", 0],
  ["a week from now", "604800", 604_800],
  ["a date", date(NOW + 30_000), 30],
  ["a date, over", date(NOW - 30_000), 0],
  ["an ISO date", new Date(NOW + 30_000).toISOString(), 30],
  ["decimal seconds since the epoch", `${NOW / 1000 + 29}.5`, 30],
])("X-RateLimit-Reset of an API's own limit, in %s", (_, reset, seconds) => {
  const fields = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset };
  const shown = (more: Record<string, string>, now: number) =>
    rateLimits(new Headers({ ...fields, ...more }), now)[0]?.resetSeconds;
  expect(shown({}, NOW)).toBe(seconds);
  expect(shown({ date: date(NOW) }, NOW + 3_600_000), "by the server's clock").toBe(seconds);
});

it("a Retry-After at the epoch is over", () => {
  expect(retryAfterSeconds(new Headers({ "retry-after": date(0) }), NOW)).toBe(0);
});
