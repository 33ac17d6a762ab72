import { expect, it, test } from "vitest";
import { Counts, count, observe } from "../../../src/metrics/counts.ts";
import { originAnswers, requests } from "../../../src/metrics/families.ts";
import { createMeter } from "../../../src/metrics/gather.ts";
import { overviewOf, quantile } from "../../../src/metrics/overview.ts";

const BOUNDS = [10, 20, 100];

test.each<[numbers: number[], part: number, ms: number | null]>([
  [[], 0.5, null],
  [[0, 0, 0, 0, 0], 0.5, null],
  [[4, 0, 0, 0, 20], 0.5, 5],
  [[4, 0, 0, 0, 20], 1, 10],
  [[1, 1, 0, 0, 20], 0.5, 10],
  [[1, 1, 0, 0, 20], 0.95, 19],
  [[0, 10, 10, 0, 900], 0.75, 60],
  [[0, 0, 0, 3, 900], 0.5, 100],
  [[1, 0, 0, 99, 900], 0.005, 5],
  [[0, 0, 1], 0.01, 21],
  [[-1, 2, 0, 0, 0], 0.5, 13],
])("of %j the part %d lies at %j ms", (numbers, part, ms) => {
  expect(quantile(BOUNDS, numbers, part)).toBe(ms);
});

const window = (name: string, more: object) => ({
  policy: { name, limit: 10 },
  caller: "0".repeat(32),
  remaining: 5,
  short: false,
  enforced: true,
  ...more,
});

it("limits are told by policy and by who counted them", () => {
  const counts = new Counts(24_000, 10);
  const meter = createMeter(counts);
  meter.limits("/x", [window("few", {}), window("day", { remaining: 1 })], "redis");
  meter.limits("/x", [window("few", { short: true })], "block");
  meter.limits("/y", [window("few", { short: true, enforced: false })], "local");
  meter.limits("/y", [window("few", {})], "lease");
  const { totals, policies, denied_callers } = overviewOf(counts);
  expect(totals.limits).toEqual({ allowed: 3, near: 1, denied: 1, shadow: 1 });
  expect(policies[0]).toEqual({
    ...{ route: "/x", policy: "few", allowed: 1, near: 0, denied: 1, shadow: 0 },
    source: { redis: 1, lease: 0, block: 1, local: 0 },
  });
  expect(policies.map(({ route, policy }) => `${route} ${policy}`)).toEqual(["/x few", "/x day", "/y few"]);
  expect(denied_callers).toEqual([{ caller: `hash:${"0".repeat(32)}`, denied: 1, approximate: true }]);
});

it("what a snapshot has is taken off, and a route without a request since is not there", () => {
  const counts = new Counts(24_000, 10);
  observe(counts.at(requests, "/x", "GET", "200"), requests, 1);
  observe(counts.at(requests, "/y", "GET", "500"), requests, 1);
  observe(counts.at(originAnswers, "/x", "200", ""), originAnswers, 9000);
  const snapshot = counts.text;
  observe(counts.at(requests, "/x", "GET", "302"), requests, 1);
  observe(counts.at(originAnswers, "/x", "302", ""), originAnswers, 30);
  count(counts.at(requests, "/x", "GET", "odd"), 0, 2);
  counts.takeOff(snapshot);
  const { totals, routes } = overviewOf(counts);
  expect(totals.requests).toBe(3);
  expect(totals.by_status).toMatchObject({ "3xx": 1, other: 2, "2xx": 0 });
  expect(routes).toEqual([
    { route: "/x", requests: 3, errors: 0, denied: 0, hit: 0, origin_p50_ms: 38, origin_p95_ms: 49 },
  ]);
});

it("nothing is nothing", () => {
  const { totals, ...lists } = overviewOf(new Counts(24_000, 10));
  expect(totals).toMatchObject({ requests: 0, by_status: {}, store: { calls: 0, failures: 0 } });
  expect(lists).toEqual({ routes: [], policies: [], denied_callers: [] });
});
