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
  ["what is no structured field", { ratelimit: "limit=10, remaining=5" }, []],
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
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" },
    [{ name: null, limit: null, remaining: 0, resetSeconds: 0, windowSeconds: null }],
  ],
  ["X-RateLimit that is no number", { "x-ratelimit-remaining": "many" }, []],
])("limits: %s", (_, headers, limits) => {
  expect(rateLimits(new Headers(headers), NOW)).toEqual(limits);
});

it.each([
  [null, null],
  ["3", 3],
  ["0", 0],
  [new Date(NOW + 4500).toUTCString(), 4],
  [new Date(NOW - 4500).toUTCString(), 0],
  ["-1", null],
  ["1.5", null],
  ["soon", null],
  ["2001", 2001],
])("Retry-After %s is %s seconds", (text, seconds) => {
  const headers = new Headers(text === null ? {} : { "retry-after": text });
  expect(retryAfterSeconds(headers, NOW)).toBe(seconds);
});
