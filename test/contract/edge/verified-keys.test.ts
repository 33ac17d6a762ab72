import { describe, expect, it, test } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/isolate.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";
import { claims, NOW } from "../../support/session-samples.ts";

const KEY = "a-key-that-the-origin-knows";
const ADMIN_TOKEN = "admin-token-of-this-test";
const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const ROUTES: RouteInput[] = [
  { path: "/keys/*", verifiesKeys: true },
  { path: "/cached/*", verifiesKeys: true, access: ["key"], cache: { ttl: 60, scope: "shared" } },
  { path: "/guarded", access: ["key"] },
  { path: "/for-people", access: ["session", "jwt"] },
  { path: "/known", access: "identified" },
];
type Answer = { status?: number; caller?: string | null };

/** Two isolates over one Redis, in front of an origin that accepts {@link KEY} in `X-API-Key`, until it is told otherwise. */
function world(vars: Record<string, string> = {}) {
  const redis = new Map<string, string>();
  const state = { down: false, answer: {} as Answer, asked: [] as Request[], calls: 0 };
  const platform = testPlatform({
    now: NOW,
    async fetch(input, init) {
      const request = new Request(input, init);
      if (new URL(request.url).host === "origin.example") {
        state.asked.push(request);
        const { status = 200, caller = '{"user_id":"acme","tier":"gold"}' } = state.answer;
        const headers = new Headers(caller === null ? {} : { "x-edge-caller": caller });
        return new Response(status === 204 || status === 304 ? null : "data", { status, headers });
      }
      state.calls += 1;
      if (state.down) throw new TypeError("cut");
      return Response.json((await request.json<string[][]>()).map((command) => ({ result: run(command) })));
    },
  });
  function run([name = "", key = "", value = "", ...rest]: string[]): unknown {
    if (name === "mget") return [key, value, ...rest].filter(Boolean).map((each) => redis.get(each) ?? null);
    if (name === "set") redis.set(key, value);
    if (name === "del") redis.delete(key);
    return name === "del" ? 1 : "OK";
  }
  const env = {
    UPSTASH_REDIS_REST_URL: "https://store.example",
    UPSTASH_REDIS_REST_TOKEN: "a-token-of-the-test",
    ORIGIN_URL: "https://origin.example",
    ORIGIN_TOKEN: "origin-token-of-the-test",
    LOG_LEVEL: "error",
    SESSION_SECRET,
    ADMIN_TOKEN,
    ...vars,
  };
  const isolate = () => {
    const edge = edgeAnswer(openIsolate(env, ROUTES, platform));
    return async (path: string, init: RequestInit = {}) => {
      const background: Promise<unknown>[] = [];
      const context = { waitUntil: (work: Promise<unknown>) => background.push(work) };
      const response = await edge(
        new Request(`https://edge.example${path}`, init),
        context as unknown as ExecutionContext,
      );
      const text = await response.text();
      for (const work of background) await work;
      return { status: response.status, headers: response.headers, text };
    };
  };
  return { state, redis, platform, here: isolate(), there: isolate(), another: isolate };
}

const withKey = (headers: Record<string, string> = {}): RequestInit => ({
  headers: { "x-api-key": KEY, ...headers },
});

describe("an answer of the origin verifies a key, or does not", () => {
  const basic = `Basic ${btoa("me:mine")}`;
  test.each<[what: string, path: string, init: RequestInit, answer: Answer, verified: boolean]>([
    ["X-Edge-Caller in a 200", "/keys/x", withKey(), {}, true],
    ["in a 204", "/keys/x", withKey(), { status: 204 }, true],
    ["to a HEAD", "/keys/x", { ...withKey(), method: "HEAD" }, {}, true],
    ["to a POST", "/keys/x", { ...withKey(), method: "POST", body: "x" }, {}, true],
    ["that names nobody", "/keys/x", withKey(), { caller: "{}" }, true],
    ["for a bearer", "/keys/x", { headers: { authorization: `bearer ${KEY}` } }, {}, true],
    ["for a query", `/keys/x?api_key=${KEY}`, {}, {}, true],
    [
      "for the same key three times",
      `/keys/x?api_key=${KEY}`,
      withKey({ authorization: `Bearer ${KEY}` }),
      {},
      true,
    ],
    ["to a cached route's miss", "/cached/x", withKey(), {}, true],
    ["a 200 without it", "/keys/x", withKey(), { caller: null }, false],
    ["one that is malformed", "/keys/x", withKey(), { caller: "acme" }, false],
    ["one that is null", "/keys/x", withKey(), { caller: "null" }, false],
    ["to an OPTIONS", "/keys/x", { ...withKey(), method: "OPTIONS" }, {}, false],
    ["a redirect", "/keys/x", withKey(), { status: 302 }, false],
    ["a 304", "/keys/x", withKey({ "if-none-match": '"a"' }), { status: 304 }, false],
    ["a 404", "/keys/x", withKey(), { status: 404 }, false],
    ["a 401", "/keys/x", withKey(), { status: 401 }, false],
    ["another route", "/elsewhere", withKey(), {}, false],
    ["beside HTTP Basic", "/keys/x", withKey({ authorization: basic }), {}, false],
    ["beside a bearer of two words", "/keys/x", withKey({ authorization: "Bearer a b" }), {}, false],
    ["beside a cookie", "/keys/x", withKey({ cookie: "sid=1" }), {}, false],
    ["beside another credential's field", "/keys/x", withKey({ "x-access-token": "1" }), {}, false],
    ["beside one in another spelling", "/keys/x", withKey({ x_api_key: "another" }), {}, false],
    ["beside a credential's parameter", "/keys/x?access_token=1", withKey(), {}, false],
    ["that was taken out on the way", "/keys/x", withKey({ connection: "x-api-key" }), {}, false],
  ])("%s", async (_what, path, init, answer, verified) => {
    const { here, state } = world();
    state.answer = answer;
    await here(path, init);
    state.answer = {};
    expect((await here("/guarded", withKey())).status).toBe(verified ? 200 : 401);
    expect((await here("/known", withKey())).status).toBe(verified ? 200 : 401);
  });

  test.each(["signed", "forged"])(
    "not beside a %s session, though the origin does not see it",
    async (kind) => {
      const { here } = world();
      const token = kind === "signed" ? await signToken(claims(), SESSION_SECRET) : "es1.forged.token";
      for (const init of [
        withKey({ authorization: `Bearer ${token}` }),
        withKey({ cookie: `__Host-session=${token}` }),
      ]) {
        await here("/keys/x", init);
        expect((await here("/guarded", withKey())).status).toBe(401);
      }
    },
  );

  it("but never one of two different keys", async () => {
    const { here, state } = world();
    expect((await here(`/keys/x?api_key=another-key`, withKey())).status).toBe(400);
    expect(state.asked).toEqual([]);
  });
});

describe("a verified key", () => {
  it("has the user and tier that the origin named, which it is sent", async () => {
    const { here, state } = world();
    await here("/keys/x", withKey());
    await here("/guarded", withKey());
    expect(state.asked.at(-1)?.headers.get("x-user-id")).toBe("acme");
    expect(state.asked.at(-1)?.headers.get("x-user-tier")).toBe("gold");
  });

  it("is verified in every isolate, at its first request there", async () => {
    const { here, there } = world();
    await here("/keys/x", withKey());
    expect((await there("/guarded", withKey())).status).toBe(200);
  });

  it("holds 300 s, however often it is used, unless the origin says so again", async () => {
    const { here, platform } = world();
    await here("/keys/x", withKey());
    for (let i = 0; i < 29; i += 1) {
      platform.advance(10_000);
      expect((await here("/guarded", withKey())).status).toBe(200);
    }
    platform.advance(10_000);
    expect((await here("/guarded", withKey())).status).toBe(401);
    await here("/keys/x", withKey());
    platform.advance(299_000);
    expect((await here("/guarded", withKey())).status).toBe(200);
  });

  it.each<[what: string, answer: Answer]>([
    ["a 401", { status: 401, caller: null }],
    ["a 403", { status: 403, caller: null }],
    ["a 401 that would verify it", { status: 401 }],
    ["X-Edge-Caller: null", { caller: "null" }],
    ["the same in base64url", { caller: "bnVsbA" }],
    ["the same in a 404", { status: 404, caller: "null" }],
  ])("is ended by %s, here at once and elsewhere within ISOLATE_MAX_AGE_MS", async (_what, answer) => {
    const { here, there, state, platform } = world();
    await here("/keys/x", withKey());
    expect((await there("/guarded", withKey())).status).toBe(200);
    state.answer = answer;
    await here("/keys/x", withKey());
    state.answer = {};
    expect((await here("/guarded", withKey())).status).toBe(401);
    platform.advance(5001);
    expect((await there("/guarded", withKey())).status, "the first request after that time").toBe(401);
  });

  it("is ended by a refusal on a route that verifies none", async () => {
    const { here, state } = world();
    await here("/keys/x", withKey());
    state.answer = { status: 401, caller: null };
    await here("/elsewhere", withKey());
    expect((await here("/guarded", withKey())).status).toBe(401);
  });

  it("is given no stored answer once it has ended elsewhere", async () => {
    const { here, there, state, platform } = world();
    await here("/keys/x", withKey());
    await there("/cached/x", withKey());
    expect((await there("/cached/x", withKey())).status).toBe(200);
    state.answer = { status: 401, caller: null };
    await here("/keys/x", withKey());
    platform.advance(5001);
    expect((await there("/cached/x", withKey())).status, "the origin's own answer").toBe(401);
  });

  it("is not verified by a hit", async () => {
    const { here, platform, state } = world();
    await here("/keys/x", withKey());
    await here("/cached/x", withKey());
    platform.advance(50_000);
    const asked = state.asked.length;
    expect((await here("/cached/x", withKey())).status).toBe(200);
    expect(state.asked.length, "it was a hit").toBe(asked);
    platform.advance(251_000);
    expect((await here("/guarded", withKey())).status).toBe(401);
  });

  it("made up, is given no stored answer: the origin decides", async () => {
    const { here, state } = world();
    await here("/keys/x", withKey());
    await here("/cached/x", withKey());
    state.answer = { status: 401, caller: null };
    expect((await here("/cached/x", withKey())).status, "it is stored").toBe(200);
    expect((await here("/cached/x", { headers: { "x-api-key": "made-up-key" } })).status).toBe(401);
    expect((await here("/cached/x")).status, "none at all").toBe(401);
    expect(state.asked.length).toBe(3);
  });
});

describe("while Redis is lost", () => {
  it("a key that is verified here stays so, and one that is not known is 503, not 401", async () => {
    const { here, there, state, platform } = world();
    await here("/keys/x", withKey());
    state.down = true;
    platform.advance(60_000);
    expect((await here("/guarded", withKey())).status).toBe(200);
    expect((await there("/guarded", withKey())).status).toBe(503);
    expect((await there("/for-people", withKey())).status, "no key opens it").toBe(401);
    platform.advance(240_001);
    expect((await here("/guarded", withKey())).status).toBe(503);
  });

  it("an end is kept here, and written when Redis is back", async () => {
    const { here, there, redis, state, platform } = world();
    await here("/keys/x", withKey());
    state.down = true;
    state.answer = { status: 401, caller: null };
    await here("/keys/x", withKey());
    state.answer = {};
    state.down = false;
    expect([...redis.keys()].length, "Redis still has it").toBe(1);
    expect((await here("/guarded", withKey())).status).toBe(401);
    for (let i = 0; i < 10; i += 1) {
      platform.advance(10_000);
      await here("/guarded", withKey());
    }
    expect([...redis.keys()]).toEqual([]);
    expect((await there("/guarded", withKey())).status).toBe(401);
  });
});

describe("an operator", () => {
  const admin = (method: string, body?: object): RequestInit => ({
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  type Told = {
    key: string;
    verified: boolean;
    reach?: string;
    user_id?: string;
    tier?: string;
    code?: string;
  };
  const told = (text: string) => JSON.parse(text) as Told;

  it("sees who has verified a key and ends it everywhere, by the key or by its hash", async () => {
    const { here, there, another, platform } = world();
    await here("/keys/x", withKey());
    const seen = told((await there("/edge/keys/lookup", admin("POST", { key: KEY }))).text);
    expect(seen).toMatchObject({ verified: true, user_id: "acme", tier: "gold" });
    expect(told((await another()(`/edge/keys/${seen.key}`, admin("GET"))).text)).toEqual(seen);

    const ended = await there("/edge/keys/lookup", admin("POST", { key: KEY, end: true }));
    expect([ended.status, told(ended.text)]).toEqual([
      200,
      { key: seen.key, verified: false, reach: "everywhere" },
    ]);
    platform.advance(5001);
    expect((await here("/guarded", withKey())).status).toBe(401);

    await here("/keys/x", withKey());
    expect((await here("/guarded", withKey())).status, "the origin accepts it again").toBe(200);
    expect((await here(`/edge/keys/${seen.key}`, admin("DELETE"))).status).toBe(200);
    expect((await here("/guarded", withKey())).status).toBe(401);
  });

  it("is told where the end has not reached Redis", async () => {
    const { here, state } = world();
    await here("/keys/x", withKey());
    state.down = true;
    const ended = await here("/edge/keys/lookup", admin("POST", { key: KEY, end: true }));
    expect([ended.status, told(ended.text).reach]).toEqual([202, "this isolate"]);
    expect((await here("/edge/keys/lookup", admin("POST", { key: KEY }))).status).toBe(503);
  });

  test.each<[method: string, path: string, body: object | undefined, status: number]>([
    ["GET", "hash:abc", undefined, 400],
    ["DELETE", KEY, undefined, 400],
    ["POST", "lookup", {}, 400],
    ["POST", "lookup", { key: "" }, 400],
    ["POST", "lookup", { key: KEY, ended: true }, 400],
    ["POST", "lookup", { key: "a-key-of-the-configuration" }, 400],
    ["PUT", `hash:${"0".repeat(32)}`, undefined, 404],
  ])("%s /edge/keys/%s %j: %i", async (method, path, body, status) => {
    const { here } = world({ API_KEYS: "a-key-of-the-configuration:tester" });
    expect((await here(`/edge/keys/${path}`, admin(method, body))).status).toBe(status);
  });

  it("alone may do it", async () => {
    const { here } = world();
    expect((await here(`/edge/keys/hash:${"0".repeat(32)}`, { method: "DELETE" })).status).toBe(401);
  });
});

it("a key of API_KEYS is the configuration's alone: the origin neither verifies nor ends it", async () => {
  const { here, redis, state } = world({ API_KEYS: `${KEY}:tester` });
  await here("/keys/x", withKey());
  state.answer = { status: 401, caller: "null" };
  await here("/keys/x", withKey());
  expect([...redis.keys()]).toEqual([]);
  state.answer = {};
  expect((await here("/guarded", withKey())).status).toBe(200);
});
