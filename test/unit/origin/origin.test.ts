import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";
import { claims, NOW } from "../../support/session-samples.ts";

const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const ROUTES: RouteInput[] = [
  { path: "/login", methods: ["POST"], session: "start" },
  { path: "/limited", limits: [{ name: "few", limit: 100, window: "1 m" }] },
  { path: "/cached", cache: { ttl: 60 } },
  { path: "/guarded/public" },
  { path: "/guarded/*", access: "session" },
];

/** The whole edge without a store, in front of an origin that answers as told. */
async function ask(path: string, init: RequestInit, answer: () => Response, cookie?: string) {
  const sent: { url: string; init: RequestInit }[] = [];
  const platform = testPlatform({
    now: NOW,
    fetch: (input, init = {}) => {
      sent.push({ url: String(input), init });
      return Promise.resolve(answer());
    },
  });
  const env = { ORIGIN_URL: "https://origin.example/app", LOG_LEVEL: "error", SESSION_SECRET };
  const edge = edgeAnswer(openIsolate(env, ROUTES, platform));
  const headers = new Headers(init.headers);
  if (cookie) headers.set("cookie", cookie);
  const request = new Request(`https://edge.example${path}`, { ...init, headers });
  const context = { waitUntil: () => {} } as unknown as ExecutionContext;
  return { response: await edge(request, context), sent };
}

const UPGRADE = {
  origin: "https://edge.example",
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
};
const SIGNALS = {
  "x-edge-session": btoa(JSON.stringify({ user_id: "ada" })).replace(/=+$/, ""),
  "x-edge-caller": JSON.stringify({ user_id: "ada", tier: "premium" }),
  location: "https://origin.example/app/y",
  "set-cookie": "a=b; Domain=origin.example",
};
const switched = () =>
  new Response(null, { status: 101, webSocket: new WebSocketPair()[0], headers: SIGNALS });

describe("an ordinary answer to a request with Upgrade is like any other", () => {
  it.each<[method: string, path: string, status: number]>([
    ["GET", "/x", 200],
    ["GET", "/x", 403],
    ["GET", "/x", 426],
    ["GET", "/x", 302],
    ["GET", "/limited", 200],
    ["GET", "/cached", 200],
    ["HEAD", "/x", 200],
    ["POST", "/login", 200],
    ["POST", "/limited", 503],
    ["DELETE", "/cached", 204],
  ])("%s %s: %i", async (method, path, status) => {
    const answer = () => new Response(status === 204 ? null : "x", { status, headers: SIGNALS });
    const { response, sent } = await ask(path, { method, headers: UPGRADE }, answer);
    expect(response.status).toBe(status);
    expect([...response.headers.keys()].filter((name) => name.startsWith("x-edge-"))).toEqual([]);
    expect(response.headers.get("location")).toBe("https://edge.example/y");
    expect(response.headers.getSetCookie()).toContain("a=b");
    expect(response.headers.has("x-request-id")).toBe(true);
    expect(response.headers.has("ratelimit")).toBe(path === "/limited" && status !== 503);
    expect(response.headers.getSetCookie().some((one) => one.startsWith("__Host-session=es1."))).toBe(
      path === "/login",
    );
    expect(sent[0]?.init.signal, "the deadline holds").toBeInstanceOf(AbortSignal);
    expect(new Headers(sent[0]?.init.headers).has("upgrade")).toBe(method === "GET");
  });
});

describe("a WebSocket", () => {
  const renewed = () => signToken(claims({ confirmedAt: NOW - 3_600_000 }), SESSION_SECRET);
  it.each<[path: string, cookie: () => Promise<string | undefined>]>([
    ["/x", () => Promise.resolve(undefined)],
    ["/limited", () => Promise.resolve(undefined)],
    ["/cached", () => Promise.resolve(undefined)],
    ["/x", async () => `__Host-session=${await renewed()}`],
    ["/limited", async () => `__Host-session=${await renewed()}`],
    ["/x", () => Promise.resolve("__Host-session=es1.forged.token")],
  ])("on %s carries no signals and raises no error", async (path, cookie) => {
    const { response } = await ask(path, { headers: UPGRADE }, switched, await cookie());
    expect(response.status).toBe(101);
    expect(response.webSocket).not.toBeNull();
    expect([...response.headers.keys()].filter((name) => name.startsWith("x-edge-"))).toEqual([]);
  });

  it("that nobody asked for is 502 (RFC 9110 §15.2.2)", async () => {
    for (const headers of [{}, { upgrade: "h2c" }]) {
      const { response } = await ask("/x", { headers }, switched);
      expect(response.status).toBe(502);
    }
  });
});

it.each(["all\tright", "\tOK", "O\u00ffK", "", "a\tb\tc"])(
  "the reason phrase %j is legal",
  async (phrase) => {
    for (const path of ["/x", "/cached", "/limited"]) {
      const answer = () => Object.defineProperty(new Response("ok"), "statusText", { value: phrase });
      const { response } = await ask(path, {}, answer);
      expect([response.status, await response.text()]).toEqual([200, "ok"]);
    }
  },
);

it.each(["/x", "/cached", "/limited"])("a GET with content on %s is refused", async (path) => {
  for (const headers of [{ "content-length": "7" }, { "transfer-encoding": "chunked" }]) {
    const { response, sent } = await ask(path, { headers }, () => new Response("everything"));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "CONTENT_NOT_FORWARDED" });
    expect(sent).toEqual([]);
  }
});

it.each(["/guarded/Public", "/guarded/public/", "/guarded/..;/x", "/;/x"])("%s is 400", async (path) => {
  const { response, sent } = await ask(path, {}, () => new Response("private"));
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: "AMBIGUOUS_PATH" });
  expect(sent).toEqual([]);
});

describe("Cloudflare's own cache, which holds what no purge reaches (cloudflare/cloudflare-docs#3738)", () => {
  it.each([
    ["GET", "/x.pdf"],
    ["GET", "/cached"],
    ["HEAD", "/x.css"],
    ["GET", "/me.jpg?a=1"],
    ["POST", "/limited"],
    ["OPTIONS", "/x.js"],
  ])("is passed by: %s %s", async (method, path) => {
    const { sent } = await ask(path, { method, headers: { cookie: "of=ada" } }, () => new Response("x"));
    expect(sent[0]?.init.cf).toEqual({ cacheTtl: -1, cacheLevel: "bypass" });
    const names = [...new Headers(sent[0]?.init.headers).keys()];
    expect(names.filter((name) => /^(cache-control|pragma)$/.test(name))).toEqual([]);
  });

  it("is none of a bound Worker's, which would see it in its `request.cf`", async () => {
    const sent: RequestInit[] = [];
    const binding = {
      fetch: async (_: string, init: RequestInit) => {
        sent.push(init);
        return new Response("x");
      },
    };
    const env = { ORIGIN: binding, LOG_LEVEL: "error" };
    const edge = edgeAnswer(openIsolate(env, ROUTES, testPlatform({ now: NOW })));
    const context = { waitUntil: () => {} } as unknown as ExecutionContext;
    await edge(new Request("https://edge.example/x.pdf"), context);
    expect(sent.map(({ cf }) => cf)).toEqual([undefined]);
  });
});

describe("a request that is echoed would tell its sender ORIGIN_TOKEN (apache/tooling-trusted-releases#1054)", () => {
  it.each([
    ["TRACE", "/x", {}],
    ["TRACK", "/x", {}],
    ["TRACE", "/limited", {}],
    ["TRACE", "/cached", {}],
    ["TRACE", "/guarded/public", {}],
    ["TRACE", "/login", { "max-forwards": "0" }],
    ["TRACE", "/x?a=1", { origin: "https://elsewhere.example" }],
  ])("%s %s %j is 405, and the origin is not asked", async (method, path, headers) => {
    // Not every runtime makes a request with such a method.
    const request = new Request(`https://edge.example${path}`, { headers });
    const odd = new Proxy(request, {
      get(target, name) {
        const value: unknown = name === "method" ? method : Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const sent: string[] = [];
    const fetch = async (input: unknown) => {
      sent.push(String(input));
      return new Response("x");
    };
    const env = { ORIGIN_URL: "https://origin.example", LOG_LEVEL: "error", SESSION_SECRET };
    const edge = edgeAnswer(openIsolate(env, ROUTES, testPlatform({ now: NOW, fetch })));
    const response = await edge(odd, { waitUntil: () => {} } as unknown as ExecutionContext);
    expect([response.status, response.headers.get("allow"), sent]).toEqual([
      405,
      "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
      [],
    ]);
    expect(await response.json()).toMatchObject({ code: "METHOD_NOT_ALLOWED" });
  });

  it("is 405 under EDGE_MODE=bypass too, where everything else passes", async () => {
    const bypass = { EDGE_MODE: "bypass", LOG_LEVEL: "error" };
    const env = { ORIGIN_URL: "https://origin.example", ORIGIN_TOKEN: "t".repeat(32), ...bypass };
    const fetch = () => Promise.reject(new Error("The origin is asked"));
    const edge = edgeAnswer(openIsolate(env, ROUTES, testPlatform({ now: NOW, fetch })));
    const context = { waitUntil: () => {} } as unknown as ExecutionContext;
    expect((await edge(new Request("https://edge.example/x", { method: "TRACE" }), context)).status).toBe(
      405,
    );
  });
});
