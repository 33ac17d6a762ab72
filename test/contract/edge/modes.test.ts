import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import type { Sink } from "../../../src/events/sink.ts";
import { PROBLEM_CODES, PROBLEMS, type ProblemCode } from "../../../src/http/problem-codes.ts";
import { NONCE_BYTES } from "../../../src/identity/sealed-text.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";
import { printedLines } from "../../support/printed.ts";
import { claims, NOW } from "../../support/session-samples.ts";

/** EDGE_MODE: `observe` refuses nothing, `bypass` is a plain proxy. */

const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const ORIGIN_TOKEN = "origin-token-of-this-test-only";
const API_KEY = "key-of-this-test-only";
const STORE = { UPSTASH_REDIS_REST_URL: "https://store.example", UPSTASH_REDIS_REST_TOKEN: "t" };
const ENV = {
  ORIGIN_URL: "https://origin.example",
  ORIGIN_TOKEN,
  LOG_LEVEL: "error",
  IDENTITY_SECRET: "identity-secret-of-this-test-only",
  SESSION_SECRET,
  API_KEYS: `${API_KEY}:tester:premium`,
};

interface Situation {
  path: string;
  init?: RequestInit & { headers?: Record<string, string> };
  route?: RouteInput;
  env?: Record<string, string>;
  /** Requests that go before. */
  before?: number;
}

printedLines();

/** An edge whose store fails every call, and whose origin answers 200 and tells what it got. */
function openEdge(mode: string, env: Record<string, string>, routes: readonly RouteInput[]) {
  const seen: { url: string; headers: Headers }[] = [];
  const log: Record<string, unknown>[] = [];
  const platform = testPlatform({
    now: NOW,
    fetch: async (input, init) => {
      if (String(input).startsWith("https://store.example")) throw new TypeError("cut");
      seen.push({ url: String(input), headers: new Headers(init?.headers) });
      return new Response("the API's", {
        headers: { "x-edge-session": "{}", "x-edge-caller": "null", "x-edge-note": "1", "x-kept": "1" },
      });
    },
  });
  const sink: Sink = { receive: ({ event, fields }) => void (event === "request" && log.push(fields)) };
  const answer = edgeAnswer(openIsolate({ ...ENV, ...env, EDGE_MODE: mode }, routes, platform, [sink]));
  const context = { waitUntil() {}, passThroughOnException() {} } as unknown as ExecutionContext;
  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = { "cf-connecting-ip": "192.0.2.7", ...(init.headers as Record<string, string>) };
    return answer(new Request(`https://edge.example${path}`, { ...init, headers }), context);
  };
  return { ask, seen, log };
}

async function situationIn(mode: string, { path, init, route, env = {}, before = 0 }: Situation) {
  const edge = openEdge(mode, env, route ? [route] : []);
  for (let each = 0; each < before; each += 1) await edge.ask(path, init);
  edge.seen.length = 0;
  const response = await edge.ask(path, init);
  return { ...edge, response, text: await response.clone().text(), verdict: edge.log.at(-1)?.verdict };
}

/** A session token whose grace without the store is over: `unknown` in an outage. */
const oldToken = await signToken(claims({ confirmedAt: NOW - 3_600_000 }), SESSION_SECRET);
/** One that an isolate without a store knows from its signature alone, because it was made in an outage. */
const offlineToken = await signToken(
  claims({ offline: true, confirmedAt: NOW }),
  SESSION_SECRET,
  new Uint8Array(NONCE_BYTES),
);
const hour = { limit: 1, window: "1 h", name: "h" } as const;

const REFUSALS: Partial<Record<ProblemCode, Situation[]>> = {
  AMBIGUOUS_PATH: [
    ...["/v1/a%2fb", "/v1//a", "/v1/a%5cb", "/v1/%zz", "/v1/%c0%af", "/v1/a%00b"].map((path) => ({ path })),
    { path: "/v1//a", route: { path: "/v1/*", cache: { ttl: 60 }, access: "session" } },
  ],
  AMBIGUOUS_CREDENTIALS: [
    { path: "/v1/x?api_key=one", init: { headers: { "x-api-key": "two" } } },
    { path: "/v1/x", init: { headers: { "x-api-key": "two", authorization: "Bearer three" } } },
    { path: "/v1/x?api_key=one&api_key=two" },
  ],
  CROSS_SITE_REQUEST: [
    {
      path: "/v1/x",
      init: {
        method: "POST",
        headers: { cookie: `__Host-session=${offlineToken}`, "sec-fetch-site": "cross-site" },
      },
    },
  ],
  CREDENTIALS_REQUIRED: [{ path: "/v1/x", route: { path: "/v1/x", access: "identified" } }],
  TOKEN_INVALID: [
    {
      path: "/v1/x",
      route: { path: "/v1/x", access: "identified" },
      init: { headers: { authorization: "Bearer a.b.c" } },
      env: { JWT_SECRET: "jwt-secret-of-this-test-only-01234567" },
    },
  ],
  SESSION_REQUIRED: [{ path: "/v1/x", route: { path: "/v1/x", access: "session" } }],
  SESSION_INVALID: [
    {
      path: "/v1/x",
      route: { path: "/v1/x", access: "session" },
      init: { headers: { authorization: "Bearer es1.forged.token" } },
    },
  ],
  IDENTITY_UNAVAILABLE: [
    {
      path: "/v1/x",
      route: { path: "/v1/x", access: "session" },
      init: { headers: { authorization: `Bearer ${oldToken}` } },
      env: STORE,
    },
  ],
  RATE_LIMIT_EXCEEDED: [
    { path: "/v1/x", route: { path: "/v1/x", limits: [hour] }, before: 1 },
    {
      path: "/v1/x",
      route: {
        path: "/v1/x",
        limits: [
          { ...hour, algorithm: "sliding-log" },
          { ...hour, name: "i" },
        ],
      },
      before: 3,
    },
  ],
  CALLER_REFUSED: [{ path: "/v1/x", env: { DENY_LIST: "192.0.2.0/24" }, route: { path: "/v1/x" } }],
  LIMITS_UNAVAILABLE: [
    { path: "/v1/x", route: { path: "/v1/x", limits: [hour], onStoreFailure: "closed" }, env: STORE },
  ],
  SESSIONS_NOT_CONFIGURED: [
    {
      path: "/v1/login",
      init: { method: "POST" },
      route: { path: "/v1/login", session: "start" },
      env: { SESSION_SECRET: "" },
    },
  ],
  ONLY_IF_CACHED: [
    {
      path: "/v1/x",
      route: { path: "/v1/x", cache: { ttl: 60 } },
      init: { headers: { "cache-control": "only-if-cached" } },
    },
    {
      path: "/v1/x",
      route: { path: "/v1/x", cache: { ttl: 60, scope: "caller" } },
      init: { headers: { "cache-control": "only-if-cached" } },
    },
  ],
};

/** Why no mode lets these pass. */
const NOT_THE_APIS = "The edge answers this path itself.";
const NO_ANSWER = "The API gave no answer that could be passed on.";
const REASONS: Partial<Record<ProblemCode, string>> = {
  CONTENT_NOT_FORWARDED: "The runtime sends no content with a GET; without it the answer would be another's.",
  ORIGIN_NOT_CONFIGURED: NO_ANSWER,
  ORIGIN_UNREACHABLE: NO_ANSWER,
  ORIGIN_TIMEOUT: NO_ANSWER,
  LOOP_DETECTED: NO_ANSWER,
  CONTENT_STALLED: "The client has not sent the whole request.",
  CONTENT_BROKEN_OFF: "The client has not sent the whole request.",
  USER_DATA_TOO_LARGE_OFFLINE: "The API has answered; the session that it asks for cannot be made.",
  CONFIG_ERROR: "Without a configuration there is no mode and no origin.",
  INTERNAL_ERROR: "A fault, not a refusal.",
  SESSION_NOT_FOUND: NOT_THE_APIS,
  SESSION_UNAVAILABLE: NOT_THE_APIS,
  USER_DATA_TOO_LARGE: NOT_THE_APIS,
  DEVICE_INFO_TOO_LARGE: NOT_THE_APIS,
  ENDING_NOT_KEPT: NOT_THE_APIS,
  UNNAMEABLE_USER: NOT_THE_APIS,
  BAD_SESSION: NOT_THE_APIS,
  NOT_FOUND: NOT_THE_APIS,
  TOKEN_REQUIRED: NOT_THE_APIS,
  TOO_MANY_FAILURES: NOT_THE_APIS,
  CONTENT_TOO_LARGE: NOT_THE_APIS,
  UNSUPPORTED_CONTENT: NOT_THE_APIS,
  BAD_PURGE: NOT_THE_APIS,
  BAD_WARM: NOT_THE_APIS,
  BAD_QUERY: NOT_THE_APIS,
  BAD_LOOKUP: NOT_THE_APIS,
  METHOD_NOT_ALLOWED: NOT_THE_APIS,
  UNKNOWN_CALLER: NOT_THE_APIS,
  CALLER_NOT_FOUND: NOT_THE_APIS,
  STORE_UNAVAILABLE: NOT_THE_APIS,
};
/** A credential of more than 16 KiB passes unread, in every mode. */
const LONG: Situation[] = [
  { path: "/v1/x", init: { headers: { authorization: `Bearer ${"k".repeat(20_000)}` } } },
  { path: "/v1/x", init: { headers: { "x-api-key": "k".repeat(20_000) } } },
  { path: `/v1/x?api_key=${"k".repeat(5000)}` },
];

const cases = Object.entries(REFUSALS).flatMap(([code, situations]) =>
  situations.map((situation, index) => ({ code: code as ProblemCode, index, situation })),
);

it("knows of each problem whether it can refuse what is the API's", () => {
  // Six hundred and one requests in each mode: test/unit/edge/preflights.test.ts.
  const counted = "TOO_MANY_PREFLIGHTS";
  const sorted = [...Object.keys(REFUSALS), ...Object.keys(REASONS), counted];
  expect(PROBLEM_CODES.filter((code) => !sorted.includes(code))).toEqual([]);
  expect(new Set(sorted).size).toBe(sorted.length);
});

describe.each(cases)("$code, situation $index", ({ code, situation }) => {
  it("is refused under enforce", async () => {
    const { response, seen } = await situationIn("enforce", situation);
    expect(response.status).toBe(PROBLEMS[code].status);
    expect(await response.json()).toMatchObject({ code });
    expect(seen).toEqual([]);
  });

  it.each(["observe", "bypass"])("passes under %s", async (mode) => {
    const { response, text, seen, verdict } = await situationIn(mode, situation);
    expect({ status: response.status, text }).toEqual({ status: 200, text: "the API's" });
    expect(seen.map(({ url }) => url)).toEqual([`https://origin.example${situation.path}`]);
    expect(response.headers.has("retry-after")).toBe(false);
    expect(verdict, "the log names what enforce would refuse").toBe(
      mode === "observe" && code !== "ONLY_IF_CACHED" ? code.toLowerCase() : "allowed",
    );
    expect([...response.headers.keys()].filter((name) => name.startsWith("x-edge-"))).toEqual([]);
    expect(response.headers.get("x-kept")).toBe("1");
  });
});

it.each(LONG.flatMap((situation) => ["enforce", "observe", "bypass"].map((mode) => ({ situation, mode }))))(
  "a long credential passes under $mode",
  async ({ situation, mode }) => {
    const { response, seen } = await situationIn(mode, situation);
    expect([response.status, seen.length]).toEqual([200, 1]);
  },
);

const CREDENTIALS = {
  "an API key": { "x-api-key": API_KEY },
  "a session": { authorization: `Bearer ${offlineToken}` },
  "a session cookie": { cookie: `__Host-session=${offlineToken}; own=1` },
  "fields of the edge": {
    "x-user-id": "root",
    "X-User_Tier": "gold",
    "x-edge-token": "guess",
    "x-edge-anything": "1",
    "x-request-id": "mine",
    "x-forwarded-for": "10.0.0.1",
    forwarded: "for=10.0.0.1",
  },
};

describe.each(["observe", "bypass"])("under %s the origin gets", (mode) => {
  it.each(Object.keys(CREDENTIALS) as (keyof typeof CREDENTIALS)[])(
    "the edge's token and no field that only the edge may send: %s",
    async (name) => {
      const { seen } = await situationIn(mode, { path: "/v1/x", init: { headers: CREDENTIALS[name] } });
      const [request] = seen;
      expect(request?.headers.get("x-edge-token")).toBe(ORIGIN_TOKEN);
      expect(request?.headers.get("x-forwarded-for")).toBe("192.0.2.7");
      expect(request?.headers.get("x-request-id")).not.toBe("mine");
      for (const field of ["x-edge-anything", "forwarded"]) expect(request?.headers.has(field)).toBe(false);
      const named = [request?.headers.get("x-user-id") ?? null, request?.headers.get("x-user-tier") ?? null];
      if (mode === "bypass" || name === "fields of the edge") expect(named).toEqual([null, null]);
    },
  );

  it("a URL as it was sent", async () => {
    for (const path of ["/a/%7Eb?x=%41&y", "/A//b/../c%2F?", "/%E0%A4%A", "/;v=1?b=2&a=1"]) {
      const { seen } = await situationIn(mode, { path, route: { path: "/none", cache: { ttl: 1 } } });
      expect(seen[0]?.url).toBe(new URL(path, "https://origin.example").href);
    }
  });
});

describe("under bypass", () => {
  it("nothing is stored, counted, started or asked of Redis", async () => {
    const { ask, seen, log } = openEdge("bypass", STORE, [
      { path: "/v1/x", cache: { ttl: 60 }, limits: [hour], access: "session" },
    ]);
    for (let each = 0; each < 3; each += 1) {
      const response = await ask("/v1/x", { headers: { authorization: `Bearer ${oldToken}` } });
      expect(
        [...response.headers.keys()].filter((name) => /ratelimit|x-cache|set-cookie/.test(name)),
      ).toEqual([]);
    }
    expect(seen).toHaveLength(3);
    expect(log.map(({ store_calls }) => store_calls)).toEqual([0, 0, 0]);
    expect(log.map(({ route }) => route)).toEqual(["/v1/x", "/v1/x", "/v1/x"]);
  });
});

describe("under observe", () => {
  it("a path that an origin may read otherwise is answered from the origin each time, and stored nowhere", async () => {
    const { ask, seen } = openEdge("observe", {}, [{ path: "/v1/*", cache: { ttl: 60, scope: "shared" } }]);
    for (let each = 0; each < 2; each += 1) {
      expect((await ask("/v1/a%2fb")).headers.has("x-cache")).toBe(false);
    }
    expect(seen).toHaveLength(2);
  });
});

describe.each(["enforce", "observe", "bypass"])("the edge's own paths under %s", (mode) => {
  const cookie = `__Host-session=${offlineToken}`;
  it.each([
    ["from another site", { cookie, "sec-fetch-site": "cross-site" }, 403],
    ["from another origin", { cookie, origin: "https://evil.example" }, 403],
    ["from nowhere", { cookie }, 403],
    ["from this site", { cookie, "sec-fetch-site": "same-origin" }, 200],
    ["with a bearer", { authorization: `Bearer ${offlineToken}`, "sec-fetch-site": "cross-site" }, 200],
    ["without a session", {}, 401],
  ])("a rotation %s", async (_what, headers, status) => {
    const { response, seen } = await situationIn(mode, {
      path: "/auth/sessions/rotate",
      init: { method: "POST", headers: headers as Record<string, string> },
    });
    expect(response.status).toBe(status);
    expect(seen).toEqual([]);
  });

  it("name the mode at /health", async () => {
    const { response } = await situationIn(mode, { path: "/health" });
    expect(await response.json()).toMatchObject({
      status: "healthy",
      mode,
      data: { status: "healthy", mode },
    });
  });
});
