import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";
import { claims, NOW } from "../../support/session-samples.ts";

const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const SERVICE_TOKEN = "service-token-of-this-test-only-0123";
const ADMIN_TOKEN = "admin-token-of-this-test-only-0123";

interface World {
  routes?: RouteInput[];
  /** Whether a store is configured that cannot be reached. */
  outage?: boolean;
}

/** The whole edge, and requests to it of one user after the other. */
function open({ routes = [], outage = false }: World = {}) {
  const platform = testPlatform({ now: NOW, fetch: () => Promise.reject(new TypeError("cut")) });
  const store = {
    UPSTASH_REDIS_REST_URL: "https://store.example",
    UPSTASH_REDIS_REST_TOKEN: "a-token-of-the-test",
  };
  const env = {
    ...(outage && store),
    ORIGIN_URL: "https://origin.example",
    LOG_LEVEL: "error",
    SESSION_SECRET,
    SERVICE_TOKEN,
    ADMIN_TOKEN,
  };
  const edge = edgeAnswer(openIsolate(env, routes, platform));
  const context = { waitUntil: () => {} } as unknown as ExecutionContext;
  async function ask(method: string, path: string, bearer: string | null, address = "192.0.2.1") {
    const headers = new Headers({ "cf-connecting-ip": address });
    if (bearer !== null) headers.set("authorization", `Bearer ${bearer}`);
    const response = await edge(new Request(`https://edge.example${path}`, { method, headers }), context);
    return { status: response.status, headers: response.headers, json: await response.json<Answer>() };
  }
  /** The statuses of so many equal requests, and how often each came. */
  async function times(count: number, ...request: Parameters<typeof ask>) {
    const statuses: Record<number, number> = {};
    for (let i = 0; i < count; i += 1) {
      const { status } = await ask(...request);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
    return statuses;
  }
  return { ask, times, platform };
}

interface Answer {
  code?: string;
  token?: string;
  limits?: { route: string; name: string }[];
}

const sessionOf = (userId: string, id = userId) =>
  signToken(claims({ userId, id: id.padEnd(27, "_") }), SESSION_SECRET);

describe("the edge's session paths have limits of their own", () => {
  it.each<[string, World]>([
    ["without routes", {}],
    ["while the store is lost", { outage: true }],
    [
      "on a route that opens in an outage",
      { outage: true, routes: [{ path: "/*", onStoreFailure: "open" }] },
    ],
    ["on a route in shadow", { routes: [{ path: "/*", shadow: true }] }],
    ["for a tier with other limits", { routes: [{ path: "/auth/*", tiers: { premium: [] } }] }],
    [
      "beside a wider one of the route",
      { routes: [{ path: "/auth/*", limits: [{ name: "wide", limit: 1000, window: "1 m" }] }] },
    ],
  ])("of 60 a minute for a user: %s", async (_, world) => {
    const { ask, times, platform } = open(world);
    const [ada, bob] = [await sessionOf("ada"), await sessionOf("bob")];
    expect(await times(62, "GET", "/auth/sessions", ada)).toEqual({ 200: 60, 429: 2 });
    expect(await ask("GET", "/auth/sessions", ada, "192.0.2.9"), "from another address").toMatchObject({
      status: 429,
      json: { code: "RATE_LIMIT_EXCEEDED" },
    });
    expect(await times(1, "GET", "/auth/sessions", bob), "another user").toEqual({ 200: 1 });
    platform.advance(120_000);
    expect(await times(1, "GET", "/auth/sessions", ada)).toEqual({ 200: 1 });
  });

  it("for an address where a session is over, and no limit is told", async () => {
    const { ask, times } = open();
    const [ended, ada] = [await sessionOf("bob"), await sessionOf("ada")];
    expect(await times(1, "DELETE", "/auth/sessions/current", ended)).toEqual({ 200: 1 });
    const first = await ask("GET", "/auth/sessions", ended);
    expect(first.headers.has("ratelimit")).toBe(false);
    expect(await times(61, "GET", "/auth/sessions", ended)).toEqual({ 401: 59, 429: 2 });
    expect(await times(1, "GET", "/auth/sessions", ended, "192.0.2.2")).toEqual({ 401: 1 });
    expect(await times(1, "GET", "/auth/sessions", ada), "its users").toEqual({ 200: 1 });
  });

  it("which forged tokens and none need not have: nothing is asked for them", async () => {
    const { times } = open({ outage: true });
    expect(await times(70, "GET", "/auth/sessions", "es1.forged.token")).toEqual({ 401: 70 });
    expect(await times(70, "GET", "/auth/sessions", null)).toEqual({ 401: 70 });
  });

  it("of 30 rotations in ten minutes for a user, whichever session it is", async () => {
    const { ask, platform } = open();
    let token = await sessionOf("ada");
    const statuses: number[] = [];
    for (let i = 0; i < 32; i += 1) {
      platform.advance(3000);
      const { status, json } = await ask("POST", "/auth/sessions/rotate", token);
      statuses.push(status);
      token = json.token ?? token;
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(30);
    expect(statuses.slice(-2)).toEqual([429, 429]);
    expect((await ask("GET", "/auth/sessions", token)).status, "the last token is valid").toBe(200);
    const other = await sessionOf("ada", "other");
    expect((await ask("POST", "/auth/sessions/rotate", other)).status).toBe(429);
  });

  it("and ending counts for the address alone: who holds a stolen token cannot prevent it", async () => {
    const { ask, times } = open();
    const [stolen, own] = [await sessionOf("ada", "stolen"), await sessionOf("ada", "own")];
    await times(70, "GET", "/auth/sessions", stolen, "198.51.100.1");
    await times(310, "DELETE", "/auth/sessions/redis/nobody", stolen, "198.51.100.1");
    expect((await ask("DELETE", "/auth/sessions", stolen, "198.51.100.1")).status).toBe(429);
    expect((await ask("DELETE", "/auth/sessions", own)).status).toBe(200);
    expect((await ask("GET", "/auth/sessions", stolen, "198.51.100.7")).json.code).toBe("SESSION_INVALID");
    expect((await ask("DELETE", "/auth/sessions/current", own)).status).toBe(200);
  });

  it("which servers do not have", async () => {
    const { times } = open();
    expect(await times(70, "GET", "/auth/sessions/users/ada", SERVICE_TOKEN)).toEqual({ 200: 70 });
    expect(await times(310, "DELETE", "/auth/sessions/users/ada", SERVICE_TOKEN)).toEqual({ 200: 310 });
  });

  it("which an operator sees and resets among the others", async () => {
    const { ask, times } = open();
    const ada = await sessionOf("ada");
    await times(61, "GET", "/auth/sessions", ada);
    const peeked = await ask("GET", "/edge/limits/user:ada", ADMIN_TOKEN);
    expect(peeked.json.limits).toEqual([
      expect.objectContaining({ route: "edge:sessions", name: "edge-sessions", remaining: 0 }),
      expect.objectContaining({ route: "edge:sessions", name: "edge-rotations", remaining: 30 }),
    ]);
    expect((await ask("DELETE", "/edge/limits/user:ada", ADMIN_TOKEN)).status).toBe(200);
    expect((await ask("GET", "/auth/sessions", ada)).status).toBe(200);
  });
});
