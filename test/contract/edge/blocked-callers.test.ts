import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { countingEdge, SESSION_SECRET } from "../../support/edge/counting-edge.ts";
import { printedLines } from "../../support/printed.ts";
import { claims } from "../../support/session-samples.ts";

/** Calls to the store by callers who are blocked, and by those whom nobody can know yet. */

const API_KEY = "key-of-this-test-only";
const limits = [{ name: "w", limit: 2, window: "1 h" }] as const;
const two = [...limits, { name: "v", limit: 100, window: "1 d" }] as const;

printedLines();

/** Each request of it has another query. */
function openEdge(routes: RouteInput[], env: Record<string, string> = {}) {
  const edge = countingEdge({
    routes,
    env: { API_KEYS: `${API_KEY}:tester:`, ...env },
    fetchOrigin: async () => new Response("ok", { headers: { "cache-control": "max-age=60" } }),
  });
  let stamp = 0;
  const ask: typeof edge.ask = (path, headers, init) => {
    stamp += 1;
    return edge.ask(`${path}${path.includes("?") ? "&" : "?"}n=${stamp}`, headers, init);
  };
  return { ...edge, ask };
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

  it('on a route with access "session" who has none is told so, though the address is blocked', async () => {
    const edge = openEdge([
      { path: "/v1/*", limits: [{ ...limits[0], by: "address" }], access: "session", cache: { ttl: 60 } },
    ]);
    const token = await edge.session("ada");
    for (let each = 0; each < 3; each += 1) await edge.ask("/v1/x", { authorization: `Bearer ${token}` });
    const gone = await signToken(unseen("gone"), SESSION_SECRET);
    const seen: unknown[] = [];
    for (const headers of [
      {},
      { authorization: "Bearer es1.forged.token" },
      { authorization: `Bearer ${gone}` },
      { authorization: `Bearer ${token}` },
    ]) {
      const { status, calls } = await edge.ask("/v1/x", headers);
      seen.push([status, calls]);
    }
    expect(seen).toEqual([
      [401, 0],
      [401, 0],
      [401, 1],
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
