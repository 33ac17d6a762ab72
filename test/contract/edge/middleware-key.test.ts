import { Hono } from "hono";
import { expect, it } from "vitest";
import type { CacheRuleInput } from "../../../src/config/route.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { type EdgeEnv, edge } from "../../../src/middleware.ts";
import { printedLines } from "../../support/printed.ts";
import { claims } from "../../support/session-samples.ts";

const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const NAMES = ["x-tenant", "x-original-url", "cookie", "cf-connecting-ip"];

printedLines();

/** An app behind the middleware whose handler answers with what it was given. */
function appWith(cache: CacheRuleInput) {
  const app = new Hono<EdgeEnv>();
  app.use("*", edge({ cache, session: "optional" }));
  app.all("/who", (c) => c.json([c.req.header("authorization"), c.req.header("cookie")]));
  app.all("*", (c) =>
    c.json({ url: c.req.url, query: c.req.query(), fields: NAMES.map((name) => c.req.header(name)) }),
  );
  const env = { IDENTITY_SECRET: "identity-secret-of-this-test-only", SESSION_SECRET };
  return async (path: string, init: RequestInit = {}) => {
    const background: Promise<unknown>[] = [];
    const context = { waitUntil: (work: Promise<unknown>) => void background.push(work), props: {} };
    const request = new Request(`https://edge.example${path}`, init);
    const response = await app.fetch(request, env, context as unknown as ExecutionContext);
    const text = await response.text();
    await Promise.all(background);
    return { word: response.headers.get("x-cache"), text, json: JSON.parse(text) as unknown };
  };
}

it("handlers are given the request that their answer is stored for", async () => {
  const ask = appWith({ ttl: 60, query: { ignore: ["utm_*"] }, ignoreCookies: ["_ga*"] });
  const headers = {
    "x-tenant": "acme",
    connection: "x-tenant",
    "x-original-url": "/admin",
    cookie: "_ga=1",
    "cf-connecting-ip": "192.0.2.7",
  };
  const first = await ask("/%61?utm_source=x&a=1", { headers });
  expect(first.word).toBe("MISS");
  expect(first.json).toEqual({
    url: "https://edge.example/a?a=1",
    query: { a: "1" },
    fields: [null, null, null, "192.0.2.7"],
  });
  expect(await ask("/a?a=1&utm_id=2"), "whoever asks next").toMatchObject({ word: "HIT", text: first.text });
});

it("handlers are given any other request as it came", async () => {
  const ask = appWith({ ttl: 60, query: { allow: [] } });
  const posted = await ask("/%61?a=1", { method: "POST", headers: { "x-original-url": "/x" } });
  expect(posted.json).toEqual({
    url: "https://edge.example/%61?a=1",
    query: { a: "1" },
    fields: [null, "/x", null, null],
  });
});

it("handlers are given the session's token, which decides the audience", async () => {
  const ask = appWith({ ttl: 60, scope: "caller" });
  const now = Date.now();
  const token = await signToken(
    claims({ issuedAt: now, confirmedAt: now, expiresAt: now + 60_000 }),
    SESSION_SECRET,
  );
  const authorization = `Bearer ${token}`;
  expect((await ask("/who", { headers: { authorization } })).json).toEqual([authorization, null]);
  const cookie = `__Host-session=${token}`;
  expect((await ask("/who?cookie", { headers: { cookie } })).json).toEqual([null, cookie]);
});
