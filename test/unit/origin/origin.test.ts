import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { passing } from "../../support/passing.ts";
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

describe("an OPTIONS that is to go no further (RFC 9110 §7.6.2)", () => {
  it.each(["/x", "/limited", "/cached"])("%s is answered by the edge", async (path) => {
    const init = { method: "OPTIONS", headers: { "max-forwards": "0" } };
    const { response, sent } = await ask(path, init, () => new Response("x"));
    expect([response.status, response.headers.get("allow"), sent.length]).toEqual([
      204,
      "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
      0,
    ]);
  });

  it("is refused like any other where the route asks for more", async () => {
    const init = { method: "OPTIONS", headers: { "max-forwards": "0" } };
    expect((await ask("/guarded/x", init, () => new Response("x"))).response.status).toBe(401);
  });

  it.each([
    ["OPTIONS", { "max-forwards": "1" }],
    ["OPTIONS", {}],
    ["GET", { "max-forwards": "0" }],
  ])("%s %j goes to the origin", async (method, headers) => {
    const { response, sent } = await ask("/x", { method, headers }, () => new Response("x"));
    expect([response.status, sent.length]).toEqual([200, 1]);
  });
});

describe("an answer that fails in its body has been given: what its fields say holds", () => {
  const KEY = { "x-api-key": "a-key-of-this-test-alone-0123456789" };
  const routes: RouteInput[] = [
    { path: "/logout", methods: ["POST"], session: "end" },
    { path: "/login", methods: ["POST"], session: "start" },
    { path: "/keys", verifiesKeys: true },
    { path: "/own", cache: { ttl: 600, scope: "caller" } },
    { path: "/list", cache: { ttl: 600, scope: "shared" } },
    { path: "/*", methods: ["POST", "PUT", "PATCH", "DELETE"] },
    { path: "/*", cache: { ttl: 600, scope: "shared" } },
  ];
  /** Ten bytes are promised and three come: then it breaks off, or nothing more comes. */
  const cut = (ending: "broken" | "stalled", status: number, headers: Record<string, string> = {}) =>
    new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new Uint8Array(3));
          if (ending === "broken") controller.error(new TypeError("broken off"));
        },
      }),
      { status, headers: { "content-length": "10", ...headers } },
    );

  function open() {
    let answer = (): Response => new Response("whole", { headers: { "content-length": "5" } });
    const asked: string[] = [];
    const platform = testPlatform({
      now: NOW,
      fetch: async (input, init) => {
        asked.push(`${init?.method} ${new URL(String(input)).pathname}`);
        return answer();
      },
    });
    const env = { ORIGIN_URL: "https://origin.example", LOG_LEVEL: "error", SESSION_SECRET };
    const edge = edgeAnswer(openIsolate(env, routes, platform));
    const works: Promise<unknown>[] = [];
    const context = { waitUntil: (work: Promise<unknown>) => void works.push(work) };
    async function ask(path: string, init: RequestInit = {}, origin?: () => Response): Promise<Response> {
      const before = answer;
      if (origin) answer = origin;
      const answering = edge(
        new Request(`https://edge.example${path}`, init),
        context as unknown as ExecutionContext,
      );
      const response = await passing(platform, Promise.resolve(answering), { stepMs: 1000 });
      answer = before;
      await Promise.all(works.splice(0));
      platform.advance(1);
      return response;
    }
    return { ask, asked };
  }

  describe.each(["broken", "stalled"] as const)("%s", (ending) => {
    // Whoever has a part of a body waits for the rest.
    const given = (status: number) => (ending === "broken" ? 502 : status);

    it.each<[method: string, status: number, headers: Record<string, string>, isGone: boolean]>([
      ["POST", 200, {}, true],
      ["PUT", 201, {}, true],
      ["PATCH", 200, {}, true],
      ["DELETE", 202, {}, true],
      ["POST", 303, { location: "/list" }, true],
      ["POST", 400, {}, false],
      ["POST", 500, {}, false],
    ])("%s answered with %i %j: what was stored is gone: %s", async (method, status, headers, isGone) => {
      const { ask } = open();
      await ask("/list");
      expect((await ask("/list")).headers.get("x-cache")).toBe("HIT");
      const path = headers.location ? "/elsewhere" : "/list";
      expect((await ask(path, { method }, () => cut(ending, status, headers))).status).toBe(given(status));
      expect((await ask("/list")).headers.get("x-cache")).toBe(isGone ? "MISS" : "HIT");
    });

    it.each<[status: number, isOver: boolean]>([
      [200, true],
      [302, true],
      [500, false],
    ])("a sign-out answered with %i: the session is over: %s", async (status, isOver) => {
      const { ask } = open();
      const started = await ask("/login", { method: "POST" }, () => new Response("in", { headers: SIGNALS }));
      const [token] = /es1\.[^;]*/.exec(started.headers.getSetCookie().join()) ?? [];
      const session = { authorization: `Bearer ${token}` };
      const alive = async () => (await ask("/auth/sessions", { headers: session })).status;
      expect(await alive()).toBe(200);
      const out = await ask("/logout", { method: "POST", headers: session }, () => cut(ending, status));
      expect(out.status).toBe(given(status));
      expect(await alive()).toBe(isOver ? 401 : 200);
    });

    it("a sign-in starts a session only where its token is given", async () => {
      const { ask } = open();
      const response = await ask("/login", { method: "POST" }, () => cut(ending, 200, SIGNALS));
      expect(response.status).toBe(given(200));
      expect(response.headers.getSetCookie().some((cookie) => cookie.includes("es1."))).toBe(
        ending === "stalled",
      );
    });

    it.each<[status: number, headers: Record<string, string>]>([
      [401, {}],
      [403, {}],
      [200, { "x-edge-caller": "null" }],
    ])("a key that is answered with %i %j is verified no more", async (status, headers) => {
      const { ask } = open();
      const caller = { "x-edge-caller": JSON.stringify({ user_id: "ada" }) };
      await ask("/keys", { headers: KEY }, () => new Response("ok", { headers: caller }));
      const cached = async () => (await ask("/own", { headers: KEY })).headers.get("cache-status");
      await cached();
      expect(await cached()).toContain("hit");
      await ask("/keys", { headers: KEY }, () => cut(ending, status, headers));
      expect(await cached()).not.toContain("hit");
    });
  });
});
