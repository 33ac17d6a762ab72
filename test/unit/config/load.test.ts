import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/config/config-error.ts";
import type { RouteInput } from "../../../src/config/route.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";

const secret = "0123456789abcdef0123456789abcdef";

function issuesOf(env: Record<string, unknown>, routes: unknown = []): string[] {
  try {
    loadConfig(env, routes as RouteInput[]);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.issues.map(({ place, found, fix }) => `${place} | ${found} | ${fix}`);
    throw error;
  }
  return [];
}

describe("an environment without issues", () => {
  it("has the documented defaults", () => {
    const config = loadConfig({}, []);
    expect(config).toMatchObject({
      mode: "enforce",
      store: null,
      storeDeadlineMs: 400,
      isolateMaxAgeMs: 5000,
      prefixes: { cache: "envoyou:cache", rateLimit: "envoyou:ratelimit", session: "envoyou:sessions" },
      redisFor: { rateLimit: true, sessions: true, cache: true },
      origin: null,
      session: {
        secrets: [],
        idleSeconds: 86_400,
        absoluteSeconds: 2_592_000,
        offlineGraceSeconds: 900,
        maxPerUser: 20,
      },
      serviceTokens: [],
      apiKeys: [],
      jwt: null,
      corsOrigins: null,
      cache: { ttlSeconds: 3600, maxBodyBytes: 1_048_576, isolateBytes: 33_554_432 },
      authBasePath: "/auth",
      healthPath: "/health",
      logLevel: "info",
    });
  });

  it("reads every kind of variable", () => {
    const config = loadConfig(
      {
        UPSTASH_REDIS_REST_URL: "https://eu1-a.upstash.io/",
        UPSTASH_REDIS_REST_TOKEN: "token-of-the-store",
        ORIGIN_URL: "https://api.example.com/base",
        ORIGIN_TOKEN: "shared-with-the-origin",
        SESSION_SECRET: `${secret}, ${secret}2`,
        API_KEYS: "first-key-0123456789:mobile:premium, second-key-0123456789:batch",
        CORS_ALLOWED_ORIGINS: "https://app.example.com, http://localhost:3000",
        REDIS_CACHE_TTL: "60",
        USE_REDIS_CACHE: "false",
        EDGE_MODE: "observe",
      },
      [],
    );
    expect(config.store).toEqual({ url: "https://eu1-a.upstash.io", token: "token-of-the-store" });
    expect(config.session.secrets).toEqual([secret, `${secret}2`]);
    expect(config.apiKeys).toEqual([
      { key: "first-key-0123456789", name: "mobile", tier: "premium" },
      { key: "second-key-0123456789", name: "batch", tier: "" },
    ]);
    expect(config.corsOrigins).toEqual(["https://app.example.com", "http://localhost:3000"]);
    expect(config.cache.ttlSeconds).toBe(60);
    expect(config.redisFor.cache).toBe(false);
    expect(config.mode).toBe("observe");
  });

  it("takes the original's names for two prefixes, and says once that they are old", () => {
    const config = loadConfig(
      { RATE_LIMIT_REDIS_PREFIX: "old:limits", SESSION_REDIS_PREFIX: "old:sessions" },
      [],
    );
    expect(config.prefixes).toMatchObject({ rateLimit: "old:limits", session: "old:sessions" });
    expect(config.warnings.filter((warning) => warning.includes("REDIS_PREFIX"))).toHaveLength(2);
  });
});

it.each([
  ["", false],
  ["x", true],
  ["fifteen-letters", true],
  ["sixteen-letters-", false],
])("a token for the origin that can be guessed is worth a warning: %j", (ORIGIN_TOKEN, warned) => {
  const { warnings } = loadConfig({ ORIGIN_URL: "https://api.example.com", ORIGIN_TOKEN }, []);
  expect(warnings.some((text) => text.startsWith("ORIGIN_TOKEN has fewer than 16"))).toBe(warned);
  expect(warnings.join()).not.toContain("fifteen-letters");
});

describe("an issue in a variable names the variable, what was found and the fix", () => {
  const cases: [name: string, env: Record<string, unknown>, expected: RegExp][] = [
    [
      "a number that is none",
      { STORE_DEADLINE_MS: "soon" },
      /^STORE_DEADLINE_MS \| "soon" \| Must be a whole number from 10/,
    ],
    [
      "a fraction",
      { SESSION_MAX_PER_USER: "1.5" },
      /^SESSION_MAX_PER_USER \| "1\.5" \| Must be a whole number/,
    ],
    [
      "a word that is no boolean",
      { USE_REDIS_CACHE: "maybe" },
      /^USE_REDIS_CACHE \| "maybe" \| Must be true or false/,
    ],
    [
      "an unknown mode",
      { EDGE_MODE: "watch" },
      /^EDGE_MODE \| "watch" \| Must be one of enforce, observe, bypass/,
    ],
    [
      "an address that is none",
      { ORIGIN_URL: "api.example.com" },
      /^ORIGIN_URL \| "api\.example\.com" \| Must be an address/,
    ],
    [
      "an exposed field that is no name",
      { CORS_EXPOSED_HEADERS: "X-Total-Count, no name" },
      /^CORS_EXPOSED_HEADERS \| "no name" \| Write names/,
    ],
    ...["X Tenant", "x_*", "*", "a=b", "?a", "-", "-x-*", "X-Tenant:", "X-A;X-B"].map(
      (name): [string, Record<string, unknown>, RegExp] => [
        `the credential ${name}`,
        { CREDENTIAL_FIELDS: `X-Tenant,${name}` },
        /^CREDENTIAL_FIELDS \| .* \| Write whole names/,
      ],
    ),
    ["every field exposed", { CORS_EXPOSED_HEADERS: "*" }, /^CORS_EXPOSED_HEADERS \| "\*" \| Write names/],
    ["a wildcard origin", { CORS_ALLOWED_ORIGINS: "*" }, /^CORS_ALLOWED_ORIGINS \| "\*" \| Name each origin/],
    [
      "an origin with a path",
      { CORS_ALLOWED_ORIGINS: "https://a.example/" },
      /^CORS_ALLOWED_ORIGINS \| .* \| Write scheme, host and port/,
    ],
    [
      "half a store",
      { UPSTASH_REDIS_REST_URL: "https://a.upstash.io" },
      /^UPSTASH_REDIS_REST_TOKEN \| nothing \| Set it/,
    ],
    ["the other half", { UPSTASH_REDIS_REST_TOKEN: "t" }, /^UPSTASH_REDIS_REST_URL \| nothing \| Set it/],
    [
      "the original's TCP address",
      { REDIS_URL: "redis://user:pass@h:6379" },
      /^REDIS_URL \| a Redis address over TCP.* \| Set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN/,
    ],
    [
      "a JWKS without issuer",
      { JWT_JWKS_URL: "https://a.example/jwks", JWT_AUDIENCE: "a" },
      /^JWT_ISSUER \| nothing \| Set it/,
    ],
    [
      "an API key without a name",
      { API_KEYS: "just-the-key-0123456789" },
      /^API_KEYS \(entry 1\) \| a text of 23 characters \| Write key:name:tier/,
    ],
    [
      "routes that are not JSON",
      { ROUTES: "[{" },
      /^ROUTES \| "\[\{", which is not JSON \| Write a JSON list/,
    ],
    [
      "a path with a pattern",
      { HEALTH_PATH: "/health/*" },
      /^HEALTH_PATH \| "\/health\/\*" \| Must be a path/,
    ],
    [
      "an idle time above the absolute one",
      { SESSION_IDLE_SECONDS: 9_000_000 },
      /^SESSION_IDLE_SECONDS \| 9000000 \| Must not be longer/,
    ],
  ];
  it.each(cases)("%s", (_name, env, expected) => {
    expect(issuesOf(env)).toEqual([expect.stringMatching(expected)]);
  });

  it("shows no secret", () => {
    const [line] = issuesOf({ SESSION_SECRET: "too-short-to-show" });
    expect(line).toMatch(/^SESSION_SECRET \| a text of 17 characters \| Use at least 32/);
    expect(line).not.toContain("too-short-to-show");
    const [redis] = issuesOf({ REDIS_URL: "redis://user:pass@h:6379" });
    expect(redis).not.toContain("pass");
  });

  it("names all issues at once", () => {
    expect(issuesOf({ EDGE_MODE: "x", LOG_LEVEL: "y", REDIS_CACHE_TTL: -1 })).toHaveLength(3);
  });
});

describe("an issue in a route names its place", () => {
  const limit = { name: "burst", limit: 10, window: "1 m" };
  const cases: [name: string, route: unknown, expected: RegExp][] = [
    ["an unknown key", { path: "/a", chache: {} }, /^routes\[0\]\.chache \| a key that does not exist/],
    ["a path without slash", { path: "a" }, /^routes\[0\]\.path \| "a" \| Must start with a \//],
    ["a wrong type", { path: "/a", offline: "yes" }, /^routes\[0\]\.offline \| "yes" \| Must be a boolean/],
    [
      "an unknown access",
      { path: "/a", access: "admin" },
      /^routes\[0\]\.access \| "admin" \| Must be one of "public", "identified", "session"/,
    ],
    [
      "a window of 0",
      { path: "/a", limits: [{ ...limit, window: "0 s" }] },
      /^routes\[0\]\.limits\[0\]\.window \| "0 s" \| Write it as/,
    ],
    [
      "a window in words",
      { path: "/a", limits: [{ ...limit, window: "minute" }] },
      /^routes\[0\]\.limits\[0\]\.window \| "minute"/,
    ],
    [
      "a limit of 0",
      { path: "/a", limits: [{ ...limit, limit: 0 }] },
      /^routes\[0\]\.limits\[0\]\.limit \| 0 \| Must be a whole number of at least 1/,
    ],
    [
      "no limits of a tier",
      { path: "/a", tiers: { pro: undefined as never } },
      /^routes\[0\]\.tiers\.pro \| null \| Must be an array/,
    ],
    [
      "a fractional cost",
      { path: "/a", limits: [{ ...limit, cost: 0.5 }] },
      /^routes\[0\]\.limits\[0\]\.cost \| 0\.5/,
    ],
    [
      "a negative cost",
      { path: "/a", limits: [{ ...limit, cost: -1 }] },
      /^routes\[0\]\.limits\[0\]\.cost \| -1/,
    ],
    [
      "a cost above the limit",
      { path: "/a", limits: [{ ...limit, cost: 11 }] },
      /^routes\[0\]\.limits\[0\]\.cost \| 11 \| It can never pass/,
    ],
    [
      "a lease above a tenth",
      { path: "/a", limits: [{ ...limit, lease: 2 }] },
      /^routes\[0\]\.limits\[0\]\.lease \| 2 \| At most a tenth.*: 1 here/,
    ],
    [
      "a lease of a log",
      { path: "/a", limits: [{ ...limit, limit: 100, lease: 2, algorithm: "sliding-log" }] },
      /cannot be leased/,
    ],
    [
      "a bucket without refill",
      { path: "/a", limits: [{ name: "b", algorithm: "token-bucket", capacity: 5, window: "1 s" }] },
      /^routes\[0\]\.limits\[0\]\.refill \| nothing/,
    ],
    [
      "two limits of one name",
      { path: "/a", limits: [limit, limit] },
      /^routes\[0\]\.limits\[1\]\.name \| "burst" \| Give each limit/,
    ],
    [
      "an issue in a tier",
      { path: "/a", tiers: { gold: [{ ...limit, limit: "x" }] } },
      /^routes\[0\]\.tiers\.gold\[0\]\.limit \| "x"/,
    ],
    [
      "a cache rule on POST",
      { path: "/a", methods: ["POST"], cache: {} },
      /^routes\[0\]\.cache \| a cache rule on POST/,
    ],
    ["a session start on GET", { path: "/a", methods: ["GET"], session: "start" }, /^routes\[0\]\.session/],
  ];
  it.each(cases)("%s", (_name, route, expected) => {
    expect(issuesOf({}, [route])).toEqual([expect.stringMatching(expected)]);
  });

  it("in the variable ROUTES, which replaces the list", () => {
    expect(issuesOf({ ROUTES: '[{"path":"/a"},{"path":"b"}]' })).toEqual([
      expect.stringMatching(/^ROUTES\[1\]\.path/),
    ]);
    expect(
      loadConfig({ ROUTES: [{ path: "/a" }] }, [{ path: "/b" }]).routes.map((route) => route.path),
    ).toEqual(["/a"]);
  });
});

describe("a route's defaults", () => {
  it("are filled in, REDIS_CACHE_TTL only for shared and caller rules", () => {
    const rules = loadConfig({ REDIS_CACHE_TTL: 60 }, [
      { path: "/p", cache: {} },
      { path: "/s", cache: { scope: "shared" } },
      { path: "/c", cache: { scope: "caller", ttl: 5 } },
    ]).routes.map((route) => route.cache?.ttl);
    expect(rules).toEqual([undefined, 60, 5]);
    expect(
      loadConfig({ REDIS_CACHE_TTL: 0 }, [{ path: "/s", cache: { scope: "shared" } }]).routes[0]?.cache?.ttl,
    ).toBeUndefined();
  });

  it("keep a policy's counters when its limit is raised, and not when its window changes", () => {
    const id = (limit: number, window: "1 m" | "2 m") =>
      loadConfig({}, [{ path: "/a", limits: [{ name: "n", limit, window }] }]).routes[0]?.limits[0]?.id;
    expect(id(10, "1 m")).toBe(id(20, "1 m"));
    expect(id(10, "1 m")).not.toBe(id(10, "2 m"));
  });
});

describe("METRICS_TOKEN", () => {
  const token = "0123456789abcdef-of-this-test";
  it.each([
    [{ ADMIN_TOKEN: token }, "ADMIN_TOKEN"],
    [{ SERVICE_TOKEN: `${token}-new,${token}` }, "SERVICE_TOKEN"],
    [{ ORIGIN_TOKEN: token }, "ORIGIN_TOKEN"],
    [{ ADMIN_TOKEN: `${token}x` }, null],
    [{}, null],
  ])("opens the metrics alone: beside %j", (others, same) => {
    const issues = issuesOf({ ...others, METRICS_TOKEN: `another-${token}, ${token}` });
    if (same === null) expect(issues).toEqual([]);
    else expect(issues).toEqual([expect.stringMatching(new RegExp(`^METRICS_TOKEN.*${same}`))]);
    expect(issues.join()).not.toContain(token);
  });
});
