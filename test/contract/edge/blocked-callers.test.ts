import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/isolate.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { freshPrefix } from "../../support/limits.ts";
import { testPlatform } from "../../support/platform.ts";
import { claims } from "../../support/session-samples.ts";

/** Calls to the store by callers who are blocked, and by those whom nobody can know yet. */

const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const SERVICE_TOKEN = "service-token-of-this-test-only";
const API_KEY = "key-of-this-test-only";
const limits = [{ name: "w", limit: 2, window: "1 h" }] as const;
const two = [...limits, { name: "v", limit: 100, window: "1 d" }] as const;

beforeEach(() => {
  for (const level of ["log", "info", "warn", "error"] as const) vi.spyOn(console, level).mockReturnValue();
});
afterEach(() => void vi.restoreAllMocks());

/** An edge on Redis that counts its calls to the store before the answers. */
function openEdge(routes: RouteInput[], env: Record<string, string> = {}) {
  const prefix = freshPrefix();
  let stamp = 0;
  const platform = testPlatform({ now: Date.now(), fetch: (input, init) => fetch(input, init) });
  const log: Record<string, unknown>[] = [];
  const answer = edgeAnswer(
    openIsolate(
      {
        UPSTASH_REDIS_REST_URL: inject("upstashUrl"),
        UPSTASH_REDIS_REST_TOKEN: inject("upstashToken"),
        STORE_DEADLINE_MS: "5000",
        IDENTITY_SECRET: "identity-secret-of-this-test-only",
        SESSION_SECRET,
        SERVICE_TOKEN,
        API_KEYS: `${API_KEY}:tester:`,
        REDIS_RATE_LIMIT_PREFIX: `{${prefix}r}`,
        REDIS_SESSION_PREFIX: `{${prefix}s}`,
        REDIS_CACHE_PREFIX: `{${prefix}c}`,
        ORIGIN: {
          fetch: async () => new Response("ok", { headers: { "cache-control": "max-age=60" } }),
        },
        ...env,
      },
      routes,
      platform,
      [{ receive: ({ event, fields }) => void (event === "request" && log.push(fields)) }],
    ),
  );
  const background: Promise<unknown>[] = [];
  const context = {
    waitUntil: (work: Promise<unknown>) => void background.push(work),
    passThroughOnException() {},
  } as unknown as ExecutionContext;
  const ask = async (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) => {
    // Each time another query.
    stamp += 1;
    const url = new URL(`https://edge.example${path}`);
    url.searchParams.set("n", String(stamp));
    const all = { "cf-connecting-ip": "192.0.2.7", ...headers };
    const response = await answer(new Request(url, { ...init, headers: all }), context);
    await Promise.all(background.splice(0));
    return { status: response.status, calls: log.at(-1)?.store_calls, response };
  };
  const session = async (user: string) => {
    const { response } = await ask(
      "/auth/sessions",
      { authorization: `Bearer ${SERVICE_TOKEN}` },
      { method: "POST", body: JSON.stringify({ user_id: user }) },
    );
    return ((await response.json()) as { token: string }).token;
  };
  return { ask, session, platform };
}

type Edge = ReturnType<typeof openEdge>;
type Caller = (edge: Edge) => Promise<() => Record<string, string>>;

/** A session that Redis does not know, made a minute ago. */
function unseen(id: string) {
  const ago = Date.now() - 60_000;
  return claims({ id: id.padEnd(27, "A"), issuedAt: ago, confirmedAt: ago, expiresAt: ago + 3_600_000 });
}

let made = 0;
const CALLERS: Record<string, Caller> = {
  "an address": async () => () => ({}),
  "an address with forged session tokens": async () => () => {
    made += 1;
    return { authorization: `Bearer es1.forged${made}.token` };
  },
  "an address with cookies of its own": async () => () => ({ cookie: `session=app-${made}; a=b` }),
  "a configured API key": async () => () => ({ "x-api-key": API_KEY }),
  "a session that is confirmed": async ({ session }) => {
    const token = await session("ada");
    return () => ({ authorization: `Bearer ${token}` });
  },
};

const ROUTES: Record<string, RouteInput> = {
  "a plain route": { path: "/v1/*", limits: [...limits] },
  "two windows": { path: "/v1/*", limits: [...two] },
  "a cached route": { path: "/v1/*", limits: [...limits], cache: { ttl: 60, scope: "shared" } },
  "a cached route of scope caller": {
    path: "/v1/*",
    limits: [...limits],
    cache: { ttl: 60, scope: "caller" },
  },
  "a cached route with two windows": { path: "/v1/*", limits: [...two], cache: { ttl: 60 } },
  "a route for whoever is known": {
    path: "/v1/*",
    limits: [...limits],
    access: "identified",
    cache: { ttl: 60 },
  },
  "an exact log": { path: "/v1/*", limits: [{ ...limits[0], algorithm: "sliding-log" }], cache: { ttl: 60 } },
};

const pairs = Object.keys(CALLERS).flatMap((caller) =>
  Object.keys(ROUTES)
    .filter((route) => !(caller.startsWith("an address") && route.includes("known")))
    .map((route) => [caller, route] as const),
);

describe("a blocked caller makes no call within ISOLATE_MAX_AGE_MS", () => {
  it.each(pairs)("%s on %s", async (caller, name) => {
    const route = ROUTES[name];
    const edge = openEdge(route ? [route] : []);
    const credentials = await CALLERS[caller]?.(edge);
    const ask = (init?: RequestInit) => edge.ask("/v1/x", credentials?.(), init);
    const statuses: number[] = [];
    while (statuses.at(-1) !== 429 && statuses.length < 6) statuses.push((await ask()).status);
    expect(statuses).toEqual([200, 200, 429]);
    for (let each = 0; each < 5; each += 1) {
      const { status, calls } = await ask({ method: each === 3 ? "POST" : "GET" });
      expect({ status, calls }).toEqual({ status: 429, calls: 0 });
    }
    edge.platform.advance(5001);
    expect(await ask(), "then it asks, once").toMatchObject({ status: 429, calls: 1 });
    expect(await ask()).toMatchObject({ status: 429, calls: 0 });
  });

  it("whoever is on the deny list makes none at all", async () => {
    const edge = openEdge([{ path: "/v1/*", limits: [...limits], cache: { ttl: 60 }, verifiesKeys: true }], {
      DENY_LIST: "192.0.2.7,user:mallory",
    });
    const token = await edge.session("mallory");
    const calls: unknown[] = [];
    for (const headers of [{}, { "x-api-key": "made-up" }, { authorization: `Bearer ${token}` }]) {
      calls.push((await edge.ask("/v1/x", headers)).calls);
    }
    const elsewhere = { "cf-connecting-ip": "198.51.100.1", authorization: `Bearer ${token}` };
    const { status, calls: last } = await edge.ask("/v1/x", elsewhere);
    expect([...calls, last, status]).toEqual([0, 0, 0, 0, 403]);
  });

  it("a limit by address blocks an unconfirmed session without a call", async () => {
    const edge = openEdge([{ path: "/v1/*", limits: [{ ...limits[0], by: "address" }], cache: { ttl: 60 } }]);
    for (let each = 0; each < 3; each += 1) await edge.ask("/v1/x");
    for (let each = 0; each < 3; each += 1) {
      const token = await signToken(unseen(`unseen-${each}`), SESSION_SECRET);
      const { status, calls } = await edge.ask("/v1/x", { authorization: `Bearer ${token}` });
      expect({ status, calls }).toEqual({ status: 429, calls: 0 });
    }
  });

  it("made-up keys from a blocked address ask ten times at most", async () => {
    const edge = openEdge([{ path: "/v1/*", limits: [...limits], cache: { ttl: 60 }, verifiesKeys: true }]);
    for (let each = 0; each < 3; each += 1) await edge.ask("/v1/x");
    let calls = 0;
    for (let each = 0; each < 30; each += 1) {
      const answer = await edge.ask("/v1/x", { "x-api-key": `made-up-${each}` });
      expect(answer.status).toBe(429);
      calls += Number(answer.calls);
    }
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThanOrEqual(10);
    expect((await edge.ask("/v1/x", { "x-api-key": "made-up-1" })).calls).toBe(0);
  });
});

describe("who has to be asked about is asked about, once", () => {
  it('a route with access "session" asks, and no more than once', async () => {
    const edge = openEdge([
      { path: "/v1/*", limits: [...limits], access: "session", cache: { ttl: 60, scope: "caller" } },
    ]);
    const token = await edge.session("ada");
    const seen: unknown[] = [];
    for (let each = 0; each < 5; each += 1) {
      const { status, calls } = await edge.ask("/v1/x", { authorization: `Bearer ${token}` });
      seen.push([status, calls]);
    }
    expect(seen.slice(2)).toEqual([
      [429, 1],
      [429, 1],
      [429, 1],
    ]);
  });

  it("a session that is over is charged to its address, in the one call that finds it out", async () => {
    const edge = openEdge([{ path: "/v1/*", limits: [...limits] }]);
    const seen: unknown[] = [];
    for (let each = 0; each < 4; each += 1) {
      const token = await signToken(unseen(`gone-${each}`), SESSION_SECRET);
      const { status, calls } = await edge.ask("/v1/x", { authorization: `Bearer ${token}` });
      seen.push([status, calls]);
    }
    expect(seen).toEqual([
      [200, 1],
      [200, 1],
      [429, 1],
      [429, 1],
    ]);
    expect(await edge.ask("/v1/x"), "the address alone").toMatchObject({ status: 429, calls: 0 });
  });

  it("under observe a blocked caller is asked for as ever: its answer fills the cache", async () => {
    const edge = openEdge([{ path: "/v1/*", limits: [...limits], cache: { ttl: 60 } }], {
      EDGE_MODE: "observe",
    });
    const seen: unknown[] = [];
    for (let each = 0; each < 4; each += 1) {
      const { status, calls, response } = await edge.ask("/v1/x");
      seen.push([status, calls, response.headers.has("x-cache")]);
    }
    expect(seen[3]).toEqual([200, 1, true]);
  });
});
