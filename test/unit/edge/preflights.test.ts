import { Hono } from "hono";
import { every } from "hono/combine";
import { describe, expect, it } from "vitest";
import type { LimitInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { type EdgeEnv, rateLimit, session } from "../../../src/middleware.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";

const ENV = {
  UPSTASH_REDIS_REST_URL: "https://store.example",
  UPSTASH_REDIS_REST_TOKEN: "a-token-of-the-test",
  ORIGIN_URL: "https://origin.example",
  ORIGIN_TOKEN: "origin-token-of-this-test",
  LOG_LEVEL: "error",
  SESSION_SECRET: "session-secret-of-this-test-only-0123",
  API_KEYS: "key-of-this-test-only:tester:premium",
};
const ROUTES = [
  { path: "/session/*", access: "session" as const },
  { path: "/identified", access: "identified" as const },
  { path: "/limited", limits: [{ name: "one", limit: 1, window: "1 h" as const }] },
  { path: "/login", methods: ["POST" as const], session: "start" as const },
  { path: "/cached", cache: { ttl: 60 } },
  { path: "/raw/*", rawPath: true },
];
const PREFLIGHT = { origin: "https://app.example", "access-control-request-method": "POST" };

/** An edge with an origin that counts what reaches it, and a store that must not be asked. */
function edgeWith(vars: Record<string, string> = {}) {
  const reached: Request[] = [];
  const platform = testPlatform({
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (request.url.startsWith("https://store.example")) throw new Error("the store was asked");
      reached.push(request);
      const headers = { "access-control-allow-origin": "*", "x-edge-session": "not-for-the-client" };
      return request.url.endsWith("/any-method")
        ? new Response("for those who may", { headers: { ...headers, "content-length": "17" } })
        : new Response(null, { status: 204, headers });
    },
  });
  const answer = edgeAnswer(openIsolate({ ...ENV, ...vars }, ROUTES, platform));
  const context = { waitUntil() {}, passThroughOnException() {}, props: {} } as unknown as ExecutionContext;
  const ask = (path: string, headers: Record<string, string>, init: RequestInit = {}) =>
    answer(
      new Request(`https://edge.example${path}`, {
        method: "OPTIONS",
        headers: { "cf-connecting-ip": "192.0.2.7", ...headers },
        ...init,
      }),
      context,
    );
  return { platform, reached, ask };
}

describe("where the origin owns CORS, a preflight", () => {
  it.each([
    ["/session/x", "GET"],
    ["/session/x", "DELETE"],
    ["/identified", "POST"],
    ["/limited", "PUT"],
    ["/login", "POST"],
    ["/cached", "GET"],
    ["/raw/a%2fb//c", "PATCH"],
    ["/nothing/matches", "QUERY"],
    ["/auth/sessions", "POST"],
  ])("of %s for %s reaches the origin as it is, more than once", async (path, method) => {
    const { ask, reached } = edgeWith();
    const headers = { ...PREFLIGHT, "access-control-request-method": method };
    const [first, second] = [await ask(path, headers), await ask(path, headers)];
    expect([first.status, second.status]).toEqual([204, 204]);
    expect(first.headers.get("access-control-allow-origin")).toBe("*");
    expect(first.headers.get("x-request-id")).toMatch(/^[0-9a-f]{32}$/);
    const own = [...first.headers.keys()].filter((name) => /ratelimit|x-cache|x-edge|cookie/.test(name));
    expect(own).toEqual([]);
    expect(reached.map((request) => new URL(request.url).pathname)).toEqual([path, path]);
    expect(reached[0]?.headers.get("access-control-request-method")).toBe(method);
    expect(reached[0]?.headers.get("x-edge-token"), "the origin knows the edge").toBe(ENV.ORIGIN_TOKEN);
  });

  it("names no user, whatever stands beside it", async () => {
    const { ask, reached } = edgeWith();
    await ask("/identified", { ...PREFLIGHT, "x-user-id": "forged", "x-user-tier": "forged" });
    expect(reached[0]?.headers.has("x-user-id")).toBe(false);
    expect(reached[0]?.headers.has("x-user-tier")).toBe(false);
  });

  it("brings no content that an API has for every method", async () => {
    const { ask, reached } = edgeWith();
    const answer = await ask("/session/any-method", PREFLIGHT);
    expect([answer.status, await answer.text(), answer.headers.get("content-length")]).toEqual([
      200,
      "",
      null,
    ]);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(reached.length).toBe(1);
  });

  it("with a credential is counted by the limits of handlers, too", async () => {
    const app = new Hono<EdgeEnv>();
    app.use("*", rateLimit([{ name: "guesses", limit: 1, window: "1 h" }]));
    app.all("*", (c) => c.text("the handler's", 403));
    const context = { waitUntil() {}, passThroughOnException() {}, props: {} } as unknown as ExecutionContext;
    const guess = { ...PREFLIGHT, authorization: "Basic YTpi", "cf-connecting-ip": "192.0.2.7" };
    const env = { LOG_LEVEL: "error" };
    const ask = () => app.request("/x", { method: "OPTIONS", headers: guess }, env, context);
    expect([(await ask()).status, (await ask()).status]).toEqual([403, 429]);
  });

  it.each<[what: string, headers: Record<string, string>, init: RequestInit]>([
    ["with a password", { ...PREFLIGHT, authorization: "Basic YTpi" }, {}],
    ["with a cookie", { ...PREFLIGHT, cookie: "a=1" }, {}],
    ["with a key", { ...PREFLIGHT, "x-api-key": "a" }, {}],
    ["with a key in another spelling", { ...PREFLIGHT, x_api_key: "a" }, {}],
    ["with a token that the API reads", { ...PREFLIGHT, "x-auth-token": "a" }, {}],
    ["with an empty token", { ...PREFLIGHT, "x-vault-token": "" }, {}],
    ["with a session that the API reads", { ...PREFLIGHT, "x-metabase-session": "a" }, {}],
    ["with a secret of Cloudflare Access", { ...PREFLIGHT, "cf-access-client-secret": "a" }, {}],
    ["with a proxy's password", { ...PREFLIGHT, "proxy-authorization": "Basic YTpi" }, {}],
    ["without Origin", { "access-control-request-method": "GET" }, {}],
    ["without the method asked for", { origin: "https://app.example" }, {}],
    ["with content", PREFLIGHT, { body: "x" }],
    ["with a length", { ...PREFLIGHT, "content-length": "5" }, {}],
    ["that is a POST", PREFLIGHT, { method: "POST" }],
    ["that is a GET", PREFLIGHT, { method: "GET" }],
  ])("is no preflight %s, and meets the route's rules", async (_what, headers, init) => {
    const { ask, reached } = edgeWith();
    const response = await ask("/session/x", headers, init);
    expect(response.status).toBe(401);
    expect(reached).toEqual([]);
  });

  it("is what CREDENTIAL_FIELDS says of its fields", async () => {
    const { ask, reached } = edgeWith({ CREDENTIAL_FIELDS: "X-Member,-X-Tenant-Key" });
    expect((await ask("/session/x", { ...PREFLIGHT, "x-member": "7" })).status).toBe(401);
    expect(reached).toEqual([]);
    expect((await ask("/session/x", { ...PREFLIGHT, "x-tenant-key": "7" })).status).toBe(204);
  });

  it("has no credential, whatever else a browser puts there", async () => {
    const { ask, reached } = edgeWith();
    const fields = {
      ...{ accept: "*/*", "accept-language": "en", "cache-control": "no-cache", pragma: "no-cache" },
      ...{ "sec-fetch-mode": "cors", "sec-fetch-site": "cross-site", "sec-fetch-dest": "empty" },
      ...{ "user-agent": "Mozilla/5.0", referer: "https://app.example/", priority: "u=4" },
      "access-control-request-headers": "authorization,x-api-key,x-auth-token",
      "access-control-request-private-network": "true",
      ...{ "cf-ray": "7", "cf-visitor": "{}", "x-forwarded-proto": "https", "cdn-loop": "cloudflare" },
    };
    expect((await ask("/session/x", { ...PREFLIGHT, ...fields })).status).toBe(204);
    expect(reached.length).toBe(1);
  });

  it("with an ambiguous path is refused as the request would be", async () => {
    const { ask, reached } = edgeWith();
    expect((await ask("/session//x", PREFLIGHT)).status).toBe(400);
    expect(reached).toEqual([]);
  });

  it("passes 600 times a minute from one address", async () => {
    const { ask, reached, platform } = edgeWith();
    for (let count = 0; count < 600; count += 1) await ask("/session/x", PREFLIGHT);
    platform.advance(20_000);
    const refused = await ask("/limited", PREFLIGHT);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("40");
    expect(await refused.json()).toMatchObject({ code: "TOO_MANY_PREFLIGHTS", retry_after: 40 });
    expect(reached.length).toBe(600);
    expect((await ask("/session/x", { ...PREFLIGHT, "cf-connecting-ip": "192.0.2.8" })).status).toBe(204);
    platform.advance(40_000);
    expect((await ask("/session/x", PREFLIGHT)).status).toBe(204);
  });

  it("passes as often where several middlewares meet it", async () => {
    const limits: LimitInput[] = [{ name: "stacked", limit: 1, window: "1 h" }];
    const app = new Hono<EdgeEnv>();
    app.use("*", rateLimit(limits), rateLimit(limits), every(rateLimit(limits), session()));
    app.all("*", (c) => c.text("the handler's"));
    const context = { waitUntil() {}, passThroughOnException() {}, props: {} } as unknown as ExecutionContext;
    const env = { LOG_LEVEL: "error" };
    const statuses: number[] = [];
    for (let count = 0; count < 601; count += 1) {
      const init = { method: "OPTIONS", headers: { ...PREFLIGHT, "cf-connecting-ip": "192.0.2.7" } };
      statuses.push((await app.request("/x", init, env, context)).status);
    }
    expect(statuses.filter((status) => status === 200).length).toBe(600);
    expect(statuses.at(-1)).toBe(429);
  });

  it("counts one network of IPv6 together", async () => {
    const { ask } = edgeWith();
    const from = (host: number) =>
      ask("/x", { ...PREFLIGHT, "cf-connecting-ip": `2001:db8:0:1::${host.toString(16)}` });
    for (let host = 1; host <= 600; host += 1) await from(host);
    expect((await from(601)).status).toBe(429);
  });

  it("from an address in DENY_LIST is refused", async () => {
    const { ask, reached } = edgeWith({ DENY_LIST: "192.0.2.0/24" });
    expect((await ask("/x", PREFLIGHT)).status).toBe(403);
    expect(reached).toEqual([]);
  });

  it.each(["observe", "bypass"])("is not counted under EDGE_MODE=%s", async (EDGE_MODE) => {
    const { ask, reached } = edgeWith({ EDGE_MODE });
    for (let count = 0; count < 601; count += 1) await ask("/session/x", PREFLIGHT);
    expect(reached.length).toBe(601);
  });
});

it("where the edge owns CORS it answers itself, with a request id", async () => {
  const { ask, reached } = edgeWith({ CORS_ALLOWED_ORIGINS: "https://app.example" });
  for (const path of ["/session/x", "/auth/session", "/health"]) {
    const response = await ask(path, PREFLIGHT);
    expect(response.status, path).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f]{32}$/);
  }
  expect(reached).toEqual([]);
});
