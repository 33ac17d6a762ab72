import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Harness, openHarness } from "../support/edge/harness.ts";

const ROUTES = [
  { path: "/v1/user/*", access: "session" },
  { path: "/v1/raw/*", rawPath: true },
  { path: "/v1/auth/login", methods: ["POST"], session: "start" },
  { path: "/v1/auth/logout", methods: ["POST"], session: "end" },
  { path: "/v1/keys/check", verifiesKeys: true, limits: [{ name: "keys", limit: 100, window: "1 m" }] },
  { path: "/v1/echo/limited", limits: [{ name: "few", limit: 1, window: "1 h" }] },
];

describe("the gateway", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await openHarness({ vars: { ROUTES } });
  });
  afterAll(() => harness.stop());
  const echo = async (path: string, init: RequestInit = {}) => {
    const response = await harness.edge.fetch(path, init);
    return (await response.json()) as {
      method: string;
      path: string;
      headers: Record<string, string>;
      body: string;
    };
  };

  it("sends the origin what the client sent, and who the edge is", async () => {
    const seen = await echo("/v1/echo?x=1", {
      method: "PUT",
      body: "hello",
      headers: {
        "x-custom": "1",
        x_user_id: "forged",
        "x-forwarded-host": "evil.example",
        "x-edge-token": "forged",
      },
    });
    expect(seen).toMatchObject({ method: "PUT", path: "/v1/echo", body: "hello" });
    expect(seen.headers).toMatchObject({
      "x-custom": "1",
      "x-edge-token": harness.secrets.origin,
      "x-forwarded-for": "203.0.113.1",
    });
    expect(seen.headers.x_user_id).toBeUndefined();
    expect(seen.headers["x-user-id"]).toBeUndefined();
    expect(seen.headers["x-forwarded-host"]).toBe(new URL(harness.edge.url).host);
    expect(seen.headers.via).toMatch(/envoyou-edge-[0-9a-f]{8}/);
    expect(seen.headers.traceparent).toMatch(/^00-/);
  });

  describe("100,000 characters of one kind in a request cost no time (CVE-2022-25881 of http-cache-semantics)", () => {
    const many = (text: string, characters = 100_000) => text.repeat(characters / text.length);
    // The edge's own path, which asks who calls.
    it.each<[string, Record<string, string>]>([
      ["blanks in a cookie's value", { cookie: `a=b${many(" ")}c` }],
      ["blanks between cookies", { cookie: `a=b;${many(" ")};c=d` }],
      ["tabs before a cookie's end", { cookie: `a=b${many("\t")}c=d` }],
      ["blanks in a key", { "x-api-key": `a${many(" ")}b` }],
      ["blanks in a bearer", { authorization: `Bearer a${many(" ")}b` }],
      ["bearers", { authorization: many("bearer ,") }],
      ["blanks in a list", { "accept-language": `a${many(" ")}b` }],
      ["commas in a list", { "x-forwarded-for": many(",") }],
      ["blanks in a trace", { traceparent: `00-${many(" ")}-01` }],
      ["cookies", { cookie: many("a=1;") }],
    ])(
      "%s",
      async (_, headers) => {
        const response = await harness.edge.fetch("/auth/sessions", { headers });
        expect([200, 401]).toContain(response.status);
      },
      // Patterns that tried again from each blank took minutes.
      20_000,
    );

    it.each([
      ["digits in a parameter's name", `/v1/echo?key${many("1", 50_000)}a=1`],
      ["parameters", `/v1/echo?${many("a=1&", 50_000)}`],
      ["semicolons", `/v1/echo?${many("a;", 50_000)}`],
    ])(
      "%s",
      async (_, path) => {
        const response = await harness.edge.fetch(path);
        // It is longer than what the origin, Node's server, takes.
        expect([200, 431]).toContain(response.status);
      },
      20_000,
    );
  });

  it("tells the origin who asks, and never hands over the session's credential", async () => {
    const token = await harness.token("user_123", "premium");
    const seen = await echo("/v1/echo", {
      headers: { authorization: `Bearer ${token}`, cookie: `a=1; session=${token}` },
    });
    expect(seen.headers).toMatchObject({ "x-user-id": "user_123", "x-user-tier": "premium", cookie: "a=1" });
    expect(seen.headers.authorization).toBeUndefined();
  });

  it("keeps a redirect of the origin to its internal host on the edge", async () => {
    const response = await harness.edge.fetch("/v1/emissions");
    expect(response.status).toBe(307);
    expect(response.headers.get("location")).toBe(`${harness.edge.url}/v1/emissions/`);
  });

  it("makes a cookie for the origin's host one for the edge's", async () => {
    const cookies = (await harness.edge.fetch("/v1/cookie")).headers.getSetCookie();
    expect(cookies).toEqual(["theme=dark; Path=/", "lang=en; Path=/"]);
  });

  it("refuses a path that the origin could read otherwise, and never leaves the origin's host", async () => {
    for (const path of ["//evil.example/x", "/v1/user%2fprofile", "/v1%5cuser", "/v1/a%00b", "/v1/%zz"]) {
      const before = harness.origin.requests.length;
      const response = await rawRequest(harness.edge.url, path);
      expect(response, path).toMatch(/^HTTP\/1\.1 400 /);
      expect(harness.origin.requests.length - before, `${path} reaches no origin`).toBe(0);
    }
    const raw = await rawRequest(harness.edge.url, "/v1/raw/a//b%2fc");
    expect(raw, "unless the route wants it").toMatch(/^HTTP\/1\.1 404 /);
    expect(harness.origin.requests.at(-1)?.path).toBe("/v1/raw/a//b%2fc");
  });

  it("takes a body that asks first whether it may come", async () => {
    const { status } = await new Promise<{ status: number | undefined }>((resolve, reject) => {
      const asking = request(
        `${harness.edge.url}/v1/echo/x`,
        { method: "POST", headers: { expect: "100-continue", "content-type": "text/plain" } },
        (response) => {
          response.resume();
          resolve({ status: response.statusCode });
        },
      );
      asking.on("error", reject);
      asking.end("a body");
    });
    expect(status).toBe(200);
  });

  it("streams server-sent events as they happen", async () => {
    // The second is half a minute away.
    const response = await harness.edge.fetch("/v1/live?events=2&pause=30000");
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(new TextDecoder().decode(first?.value as Uint8Array)).toBe("data: 1\n\n");
    await reader?.cancel();
    const all = await harness.edge.fetch("/v1/live?events=3&pause=20");
    expect(await all.text()).toBe("data: 1\n\ndata: 2\n\ndata: 3\n\n");
  });

  it("passes a WebSocket through", async () => {
    const socket = new WebSocket(`${harness.edge.url.replace("http", "ws")}/ws`);
    const answer = await new Promise<string>((resolve, reject) => {
      socket.on("open", () => socket.send("over the edge"));
      socket.on("message", (data: Buffer) => resolve(data.toString()));
      socket.on("error", reject);
    });
    socket.close();
    expect(answer).toBe("over the edge");
  });

  it("starts a session at the origin's word, ends it at its word, and shows neither", async () => {
    const [[user, password] = []] = Object.entries(harness.origin.users);
    const login = (carry: string) =>
      harness.edge.fetch("/v1/auth/login", {
        method: "POST",
        body: JSON.stringify({ user, password, carry }),
      });
    const bearer = await login("bearer");
    expect(bearer.headers.has("x-edge-session")).toBe(false);
    const token = bearer.headers.get("x-session-token");
    expect(token).toMatch(/^es1\./);
    const own = { authorization: `Bearer ${token}` };
    const profile = await harness.edge.fetch("/v1/user/profile", { headers: own });
    expect(await profile.json()).toEqual({ user_id: user, tier: "premium" });

    const cookie = (await login("cookie")).headers.getSetCookie()[0] ?? "";
    expect(cookie).toMatch(/^session=es1\..*; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
    const pair = cookie.split(";")[0] ?? "";
    expect((await harness.edge.fetch("/v1/user/profile", { headers: { cookie: pair } })).status).toBe(200);
    const crossSite = await harness.edge.fetch("/v1/auth/logout", {
      method: "POST",
      headers: { cookie: pair, origin: "https://evil.example" },
    });
    expect(crossSite.status, "another site cannot sign the user out").toBe(403);
    const logout = await harness.edge.fetch("/v1/auth/logout", {
      method: "POST",
      headers: { cookie: pair, origin: harness.edge.url },
    });
    expect(logout.headers.getSetCookie().join()).toContain("Max-Age=0");
    expect((await harness.edge.fetch("/v1/user/profile", { headers: { cookie: pair } })).status).toBe(401);
    expect(
      (await harness.edge.fetch("/v1/user/profile", { headers: own })).status,
      "the other session lives on",
    ).toBe(200);
  });

  it("believes a key once the origin has answered for it, and not before", async () => {
    const [key = ""] = Object.keys(harness.origin.keys);
    const caller = async (apiKey: string, beside: Record<string, string> = {}) => {
      const headers = { "x-api-key": apiKey, ...beside };
      const response = await harness.edge.fetch("/v1/keys/check", { headers });
      expect(response.headers.has("x-edge-caller")).toBe(false);
      await response.arrayBuffer();
      await harness.counting(async () => {});
      return harness.edge.log.findLast((line) => line.event === "request")?.caller;
    };
    const other = { "x-auth-token": "of-somebody-else" };
    const doubtful = [await caller(key, other), await caller(key, other)];
    const [first, second, third] = [
      await caller(key),
      await caller(key),
      await caller("nobody-knows-this-key"),
    ];
    expect(second, "from then on it is counted by itself").not.toBe(first);
    expect(doubtful, "beside another credential an answer verifies no key").toEqual([first, first]);
    expect(third, "a key that nobody knows is its address").toBe(first);
  });

  it("speaks of every failure in one form, without detail", async () => {
    await harness.edge.fetch("/v1/echo/limited", { address: "198.51.100.77" });
    for (const [path, status] of [
      ["/v1/user/profile", 401],
      ["/edge/nothing", 401],
      ["/v1/echo/limited", 429],
    ] as const) {
      const response = await harness.edge.fetch(path, { address: "198.51.100.77" });
      const body = (await response.json()) as Record<string, unknown>;
      expect(response.status).toBe(status);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(Object.keys(body)).toEqual(
        expect.arrayContaining(["type", "title", "status", "code", "error", "message", "request_id"]),
      );
      expect(body.detail).toBeUndefined();
      expect(body.request_id).toBe(response.headers.get("x-request-id"));
    }
  });

  it("says 504 of a slow origin, and 502 when it is down", async () => {
    // Long enough to be refused on a busy machine.
    const failing = await openHarness({ vars: { ORIGIN_DEADLINE_MS: 2000 } });
    try {
      const late = await failing.edge.fetch("/v1/emissions/slow?ms=10000");
      expect(late.status).toBe(504);
      expect(await late.json()).toMatchObject({
        code: "ORIGIN_TIMEOUT",
        status: 504,
        request_id: expect.any(String) as string,
      });
      await failing.origin.stop();
      const response = await failing.edge.fetch("/v1/anything");
      expect(response.status).toBe(502);
      expect(await response.json()).toMatchObject({ code: "ORIGIN_UNREACHABLE" });
      expect((await failing.edge.fetch("/health")).status, "health is 200 all the same").toBe(200);
    } finally {
      await failing.stop();
    }
  });

  it("an issue in the configuration is one line in the log, and a 500 without detail for the caller", async () => {
    const wrong = await openHarness({ vars: { EDGE_MODE: "sideways", REDIS_CACHE_TTL: "soon" } });
    try {
      const response = await wrong.edge.fetch("/v1/anything");
      expect(response.status).toBe(500);
      const body = await response.text();
      expect(JSON.parse(body)).toMatchObject({
        code: "CONFIG_ERROR",
        message: "The edge is not configured correctly. Its log says what to fix.",
      });
      expect(body).not.toMatch(/EDGE_MODE|sideways/);
      await wrong.edge.idle();
      const line = wrong.edge.log.find((each) => each.event === "config.error");
      expect(line?.message).toMatch(
        /EDGE_MODE: found "sideways"\. Must be one of enforce, observe, bypass\.\n.*REDIS_CACHE_TTL: found "soon"/,
      );
    } finally {
      await wrong.stop();
    }
  });
});

/** Sends a path unchanged; `fetch` would normalise it. */
async function rawRequest(base: string, path: string): Promise<string> {
  const { connect } = await import("node:net");
  const { hostname, port, host } = new URL(base);
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nCF-Connecting-IP: 203.0.113.1\r\nConnection: close\r\n\r\n`,
      );
    });
    socket.on("data", (chunk) => {
      answer += chunk.toString();
      if (!answer.includes("\r\n\r\n")) return;
      socket.destroy();
      resolve(answer);
    });
    socket.on("error", reject);
  });
}
