import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { configIssues } from "../../support/config.ts";

const MOST = 999_999_999_999_999;
const limit = { name: "n", limit: 10, window: "1 m" };
const bucket = { name: "n", algorithm: "token-bucket", capacity: 10, refill: 1, window: "1 s" };

describe("a number that no field can carry (RFC 9651 §3.3.1)", () => {
  it.each([
    [{ ...limit, limit: 1e18 }, "limit"],
    [{ ...limit, limit: Number.POSITIVE_INFINITY }, "limit"],
    [{ ...limit, cost: 1e18 }, "cost"],
    [{ ...limit, lease: 1e18 }, "lease"],
    [{ ...bucket, capacity: 1e18 }, "capacity"],
    [{ ...bucket, refill: 1e18 }, "refill"],
    [{ ...bucket, capacity: 1e14, window: "1 h" }, "refill"],
    [{ ...limit, window: "1000000000000 s" }, "window"],
    [{ ...limit, window: "9999999 w" }, "window"],
    [{ ...limit, window: `${"9".repeat(400)} w` }, "window"],
  ])("%j", (entry, key) => {
    expect(configIssues({}, [{ path: "/a", limits: [entry] }])).toMatchObject([
      { place: `routes[0].limits[0].${key}` },
    ]);
  });

  it.each([
    ["ttl", 1e10],
    ["ttl", Number.POSITIVE_INFINITY],
    ["staleIfError", 2_147_483_649],
    ["staleWhileRevalidate", -1],
  ])("cache.%s = %s", (key, value) => {
    expect(configIssues({}, [{ path: "/a", cache: { [key]: value } }])).toMatchObject([
      { place: `routes[0].cache.${key}` },
    ]);
  });
});

describe('"no limit" written as a very large number', () => {
  it.each([MOST + 1, 1e15, Number.MAX_SAFE_INTEGER])(
    "%s counts as what a field can carry, with a warning",
    (large) => {
      const { routes, warnings } = loadConfig({}, [
        { path: "/a", limits: [{ name: "n", limit: large, window: "1 m" }] },
        {
          path: "/b",
          limits: [{ name: "n", algorithm: "token-bucket", capacity: large, refill: 1, window: "1 s" }],
        },
      ]);
      expect(routes.map(({ limits }) => limits[0]?.limit)).toEqual([MOST, MOST]);
      expect(warnings.filter((warning) => warning.includes("RFC 9651"))).toHaveLength(2);
    },
  );

  it("is taken as it is up to that", () => {
    const { routes, warnings } = loadConfig({}, [
      { path: "/a", limits: [{ name: "n", limit: MOST, window: "1 m" }] },
    ]);
    expect(routes[0]?.limits[0]?.limit).toBe(MOST);
    expect(warnings.filter((warning) => warning.includes("RFC 9651"))).toEqual([]);
  });
});

describe("an address of Redis over TCP", () => {
  it.each([
    ["REDIS_URL", "redis://default:hunter2@eu.upstash.io:6379"],
    ["REDIS_URL", "rediss://default:hunter2@eu.upstash.io:6379"],
    ["UPSTASH_REDIS_REST_URL", "rediss://default:hunter2@eu.upstash.io:6379"],
    ["UPSTASH_REDIS_REST_URL", "REDIS://default:hunter2@eu.upstash.io:6379"],
    ["UPSTASH_REDIS_REST_URL", "redis-cli --tls -u redis://default:hunter2@eu.upstash.io:6379"],
  ])("in %s says where Upstash shows the REST address, and shows no password", (name, value) => {
    const issues = configIssues({ UPSTASH_REDIS_REST_TOKEN: "token", [name]: value });
    const issue = issues.find(({ place }) => place === name);
    expect(issue?.fix).toContain('"REST API" box');
    expect(issue?.fix).toContain("UPSTASH_REDIS_REST_TOKEN");
    expect(JSON.stringify(issues)).not.toContain("hunter2");
  });

  it("is an issue beside a REST address too", () => {
    const store = { UPSTASH_REDIS_REST_URL: "https://eu.upstash.io", UPSTASH_REDIS_REST_TOKEN: "token" };
    expect(configIssues({ ...store, REDIS_URL: "redis://eu.upstash.io" })).toMatchObject([
      { place: "REDIS_URL" },
    ]);
  });
});
