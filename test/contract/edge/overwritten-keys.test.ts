import { beforeAll, describe, expect, inject, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { cacheable, gatedEdge } from "../../support/edge/gated-edge.ts";
import { freshPrefix } from "../../support/limits.ts";
import { copyKeys } from "../../support/redis-copies.ts";

const SERVICE = "service-token-of-this-test-only-01";
const METRICS = "metrics-token-of-this-test-only-0123";
const bearing = (token: string) => ({ authorization: `Bearer ${token}`, "content-type": "application/json" });
const server = bearing(SERVICE);
const operator = bearing("admin-token-of-this-test-only-0123");

/** Of each route that limits alone: how much passes. */
const LIMITED = { "/sliding": 5, "/fixed": 5, "/bucket": 5, "/leased": 20 };
const ROUTES: RouteInput[] = [
  { path: "/me/*", access: "session", limits: [{ name: "me", limit: 500, window: "1 h" }] },
  { path: "/sliding", limits: [{ name: "sliding", limit: 5, window: "1 d" }] },
  { path: "/fixed", limits: [{ name: "fixed", limit: 5, window: "1 d", algorithm: "fixed-window" }] },
  {
    path: "/bucket",
    limits: [{ name: "bucket", capacity: 5, refill: 1, window: "1 d", algorithm: "token-bucket" }],
  },
  { path: "/leased", limits: [{ name: "leased", limit: 20, window: "1 d", lease: 2 }] },
  { path: "/plain", cache: { ttl: 600, scope: "shared", tags: ["plain"] } },
  { path: "/varied", cache: { ttl: 600, scope: "shared" } },
  { path: "/write", methods: ["POST"], invalidates: { tags: ["plain"] } },
];

async function redis(...command: (string | number)[]): Promise<unknown> {
  const response = await fetch(inject("ownerUrl"), {
    method: "POST",
    headers: { authorization: `Bearer ${inject("ownerToken")}` },
    body: JSON.stringify(command),
  });
  const { result, error } = (await response.json()) as { result?: unknown; error?: string };
  if (error) throw new Error(`${command[0]}: ${error}`);
  return result;
}

type Put = (key: string) => Promise<unknown>;
const TEXTS = [
  ...["", "null", "true", "[]", "{}", "[1,2]", "{", '"', "\u0000", "0 0", "nan", "NaN", "inf", "1e999"],
  ...["-5", "-1000", "1.5", "x".repeat(70_000), '{"a":'.repeat(3000)],
];
/** What another program may have left under a key, or half a write. */
const ODD: [what: string, put: Put][] = [
  ...TEXTS.map((text): [string, Put] => [
    JSON.stringify(text.slice(0, 12)),
    (key) => redis("SET", key, text),
  ]),
  ["a list", (key) => redis("RPUSH", key, "a", "b")],
  ["a hash", (key) => redis("HSET", key, "a", "b")],
  ["a bucket of NaN", (key) => redis("HSET", key, "tokens", "nan", "refilledAt", "nan")],
  ["a bucket below zero", (key) => redis("HSET", key, "tokens", "-5", "refilledAt", "-5")],
  ["a bucket without end", (key) => redis("HSET", key, "tokens", "inf", "refilledAt", "inf")],
  ["a set", (key) => redis("SADD", key, "a", "b")],
  ["a sorted set", (key) => redis("ZADD", key, 1, "a", -5, "{")],
  ["a stream", (key) => redis("XADD", key, "*", "a", "b")],
];
const PARTS = { limits: "r", sessions: "s", "cached answers": "c" };

/** Isolates over the keys of one prefix, that know nothing yet. */
function opened(prefix: string) {
  return gatedEdge({
    routes: ROUTES,
    env: {
      LOG_LEVEL: "error",
      SERVICE_TOKEN: SERVICE,
      METRICS_TOKEN: METRICS,
      SESSION_SECRET: "session-secret-of-this-test-only-0123",
      ISOLATE_MAX_AGE_MS: "0",
      REDIS_RATE_LIMIT_PREFIX: `{${prefix}r}`,
      REDIS_SESSION_PREFIX: `{${prefix}s}`,
      REDIS_CACHE_PREFIX: `{${prefix}c}`,
    },
    answer: ({ path }) =>
      cacheable("fine", {
        "cache-control": "max-age=600",
        ...(path === "/varied" && { vary: "accept-language" }),
      }),
  });
}
type Opened = ReturnType<typeof opened>;

/** Requests that read and write all kinds of keys. @returns those that failed. */
async function traffic({ ask }: Opened, token: string, isolate: number): Promise<string[]> {
  const post = (headers: Record<string, string>, body: unknown) => ({
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  const asked: [string, RequestInit?][] = [
    ["/me/x", { headers: bearing(token) }],
    ...Object.keys(LIMITED).map((path): [string] => [path]),
    ["/plain"],
    ["/plain"],
    ["/varied", { headers: { "accept-language": "de" } }],
    ["/varied", { headers: { "accept-language": "en" } }],
    ["/write", { method: "POST" }],
    ["/auth/sessions", { headers: bearing(token) }],
    ["/auth/sessions/users/ada", { headers: server }],
    ["/edge/cache/purges", { headers: operator }],
    ["/edge/overview", { headers: operator }],
    ["/edge/limits/lookup", post(operator, { address: "192.0.2.7" })],
    ["/metrics", { headers: bearing(METRICS) }],
    ["/health"],
    ["/edge/cache/purge", post(operator, { tags: ["plain"] })],
    ["/auth/sessions", post(server, { user_id: "ada" })],
  ];
  const failed: string[] = [];
  for (const [path, init] of asked) {
    const { status, text } = await ask(path, { isolate, ...init });
    if (status >= 500 || status === 400) failed.push(`${path}: ${status} ${text}`);
  }
  return failed;
}

describe("what another program has written over", () => {
  const prefix = freshPrefix();
  let token = "";
  let keys: string[] = [];
  beforeAll(async () => {
    const edge = opened(prefix);
    const body = JSON.stringify({ user_id: "ada" });
    const made = await edge.ask("/auth/sessions", { method: "POST", headers: server, body });
    token = (JSON.parse(made.text) as { token: string }).token;
    for (const isolate of [0, 1]) expect(await traffic(edge, token, isolate)).toEqual([]);
    await edge.ask("/auth/sessions", { method: "DELETE", headers: bearing(token) });
    keys = (await redis("KEYS", `{${prefix}*`)) as string[];
    for (const part of Object.values(PARTS))
      expect(keys.filter((key) => key.includes(`${part}}`)).length, part).toBeGreaterThan(3);
  });

  /** A copy of the keys, some of them overwritten. */
  async function overwritten(isOver: (key: string) => boolean, put: Put): Promise<Opened> {
    const copy = freshPrefix();
    for (const part of Object.values(PARTS)) await copyKeys(`{${prefix}${part}}`, `{${copy}${part}}`);
    for (const key of keys.filter(isOver)) {
      await redis("DEL", key.replace(prefix, copy));
      await put(key.replace(prefix, copy));
    }
    return opened(copy);
  }

  describe.each(ODD)("by %s", (_, put) => {
    it.each(Object.entries(PARTS))("fails no request: %s", async (_part, letter) => {
      const edge = await overwritten((key) => key.includes(`${letter}}`), put);
      for (const isolate of [0, 1]) expect(await traffic(edge, token, isolate)).toEqual([]);
    });

    // The library has charged its own counter when it tells what it read: up to as much again passes there.
    it.each(Object.entries(LIMITED))("lets no more than the limit of %s pass", async (path, limit) => {
      const edge = await overwritten((key) => key.includes(`:${path}|`), put);
      const most = path === "/sliding" ? 2 * limit : limit;
      let passed = 0;
      for (let n = 0; n < 2 * limit + 5; n += 1) passed += (await edge.ask(path)).status === 200 ? 1 : 0;
      expect(passed).toBeLessThanOrEqual(most);
      expect(passed, "nor is everybody refused").toBeGreaterThan(0);
    });
  });
});
