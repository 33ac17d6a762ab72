import { describe, expect, it } from "vitest";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";

/** Situations that users of other proxies and CORS middlewares have reported, each with what is right here. */

type Answers = (request: Request) => Response;

function edgeBefore(answers: Answers, vars: Record<string, unknown> = {}) {
  const reached: string[] = [];
  const platform = testPlatform({
    fetch: async (input, init) => {
      const request = new Request(input, init);
      reached.push(`${request.method} ${new URL(request.url).pathname}`);
      return answers(request);
    },
  });
  const env = { ORIGIN_URL: "https://api.internal/base", LOG_LEVEL: "error", ...vars };
  const answer = edgeAnswer(openIsolate(env, [], platform));
  const context = { waitUntil() {}, passThroughOnException() {}, props: {} } as unknown as ExecutionContext;
  const ask = (path: string, init: RequestInit = {}) =>
    answer(new Request(`https://edge.example${path}`, init), context);
  return { ask, reached };
}

const APPS = "app://obsidian.md,capacitor://localhost,http://localhost,https://*.example.com";
const KEYED = JSON.stringify([
  { path: "/*", access: ["key"], limits: [{ name: "few", limit: 1, window: "1 h" }] },
]);
const preflight = (origin: string) => ({
  method: "OPTIONS",
  headers: { origin, "access-control-request-method": "GET" },
});

describe("reported of others", () => {
  it("a proxy adds its Access-Control-Allow-Origin to the API's (caddy #1073): there is one", async () => {
    const { ask } = edgeBefore(
      () =>
        new Response("x", {
          headers: { "access-control-allow-origin": "*", "access-control-allow-credentials": "false" },
        }),
      { CORS_ALLOWED_ORIGINS: "https://app.example.com" },
    );
    const { headers } = await ask("/x", { headers: { origin: "https://app.example.com" } });
    expect(headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(headers.get("access-control-allow-credentials")).toBe("true");
  });

  it("a list of origins is written out as it is (Cosmos-Server #543): the asking one is named", async () => {
    const { ask } = edgeBefore(() => new Response("x"), { CORS_ALLOWED_ORIGINS: APPS });
    for (const origin of ["app://obsidian.md", "capacitor://localhost", "http://localhost"]) {
      const { headers } = await ask("/x", { headers: { origin } });
      expect(headers.get("access-control-allow-origin")).toBe(origin);
    }
  });

  it("without a setting a proxy writes its own host (Cosmos-Server #543): the API's fields stay", async () => {
    const { ask } = edgeBefore(
      () => new Response("x", { headers: { "access-control-allow-origin": "app://obsidian.md" } }),
    );
    const { headers } = await ask("/x", { headers: { origin: "app://obsidian.md" } });
    expect(headers.get("access-control-allow-origin")).toBe("app://obsidian.md");
  });

  it.each([
    ["https://www.example.com", true],
    ["https://evilexample.com", false],
    ["https://example.com.evil.net", false],
  ])(
    "a star misses www, or takes a suffix for a domain (c15t #1013, middy #1213): %s, %s",
    async (origin, may) => {
      const { ask } = edgeBefore(() => new Response("x"), { CORS_ALLOWED_ORIGINS: APPS });
      const { headers } = await ask("/x", { headers: { origin } });
      expect(headers.get("access-control-allow-origin")).toBe(may ? origin : null);
    },
  );

  it.each(["https://www.example.com", "https://elsewhere.example", null])(
    "Vary is missing where the only entry is a pattern (sanic-ext #274): asked by %s",
    async (origin) => {
      const { ask } = edgeBefore(() => new Response("x"), { CORS_ALLOWED_ORIGINS: "https://*.example.com" });
      const { headers } = await ask("/x", { headers: origin ? { origin } : {} });
      expect(headers.get("vary")).toContain("Origin");
    },
  );

  it("a plugin for keys asks a preflight for one (Kong #1292, pomerium #78): it reaches the API", async () => {
    const { ask, reached } = edgeBefore(() => new Response(null, { status: 204 }), { ROUTES: KEYED });
    expect((await ask("/x", preflight("https://app.example.com"))).status).toBe(204);
    expect(reached).toEqual(["OPTIONS /base/x"]);
    expect((await ask("/x", { method: "OPTIONS" })).status, "another OPTIONS is asked").toBe(401);
  });

  it("preflights use up the quota, and a page cannot read the 429 (agentgateway #926)", async () => {
    const origin = "https://app.example.com";
    const { ask } = edgeBefore(() => new Response("x"), {
      CORS_ALLOWED_ORIGINS: origin,
      ROUTES: JSON.stringify([{ path: "/*", limits: [{ name: "one", limit: 1, window: "1 h" }] }]),
    });
    for (let count = 0; count < 5; count += 1) expect((await ask("/x", preflight(origin))).status).toBe(204);
    expect((await ask("/x", { headers: { origin } })).status).toBe(200);
    const refused = await ask("/x", { headers: { origin } });
    expect(refused.status).toBe(429);
    expect(refused.headers.get("access-control-allow-origin")).toBe(origin);
    expect(refused.headers.get("access-control-expose-headers")).toContain("Retry-After");
  });

  it("a redirect keeps the API's own prefix (http-proxy-middleware #140): it fits the edge", async () => {
    const { ask } = edgeBefore(() => new Response(null, { status: 302, headers: { location: "/base/bar" } }));
    expect((await ask("/foo")).headers.get("location")).toBe("/bar");
  });

  it("a cookie for all paths is narrowed to one (HTTP-Proxy-Servlet #141): it stays for all", async () => {
    const { ask } = edgeBefore(
      () => new Response("x", { headers: { "set-cookie": "ss-id=1; path=/; HttpOnly" } }),
    );
    const [cookie] = (await ask("/auth-x")).headers.getSetCookie();
    expect(cookie).toMatch(/^ss-id=1; path=\/; HttpOnly$/i);
  });
});
