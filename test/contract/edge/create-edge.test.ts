import { Redis } from "@upstash/redis";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { describe, expect, inject, it } from "vitest";
import { type CreateEdgeOptions, createEdge } from "../../../src/create-edge.ts";
import type { EdgeEnv } from "../../../src/middleware.ts";
import { createRequester } from "../../../src/store/requester.ts";
import { LONG_DEADLINE_MS } from "../../support/edge/hono-app.ts";
import { freshPrefix } from "../../support/limits.ts";
import { printedLines } from "../../support/printed.ts";

const SECRET = "session-secret-of-this-test-of-32-characters";
const address = { url: inject("upstashUrl"), token: inject("upstashToken") };
const from = { "cf-connecting-ip": "192.0.2.7" };
const window = { name: "w", limit: 2, window: "1 d" } as const;
const context = { waitUntil() {}, passThroughOnException() {}, props: {} } as unknown as ExecutionContext;

const log = printedLines();

/** An app with these middlewares, and the statuses of three requests to it. */
async function ask(options: Parameters<typeof createEdge>[0], env?: object, path = "/limited") {
  const { rateLimit, session } = createEdge(options);
  const app = new Hono<EdgeEnv>();
  app.use("/limited", rateLimit([window]));
  if (path === "/session") app.use(path, session("required"));
  app.get("*", (c) => c.text("fine"));
  const statuses: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    statuses.push((await app.request(path, { headers: from }, env, env && context)).status);
  }
  return statuses;
}

const limited = [200, 200, 429];
/** Options with keys of their own in Redis. */
const own = (options: CreateEdgeOptions = {}): CreateEdgeOptions => ({
  logLevel: "error",
  storeDeadlineMs: LONG_DEADLINE_MS,
  ...options,
  limits: { prefix: `{${freshPrefix()}}`, ...options.limits },
});

describe("limits", () => {
  it("need nothing: no variables, no secret, no ExecutionContext", async () => {
    expect(await ask({})).toEqual(limited);
  });

  it.each([
    ["LOG_LEVEL", "verbose"],
    ["API_KEYS", "no-colon-here"],
    ["SESSION_SECRET", "short"],
    ["JWT_SECRET", "x"],
    ["ROUTES", "/home /about"],
    ["ORIGIN", "https://frontend.example"],
    ["ORIGIN_URL", "not an address"],
    ["REDIS_URL", "redis://localhost:6379"],
    ["CORS_ALLOWED_ORIGINS", "*"],
    ["EDGE_MODE", "production"],
    ["DENY_LIST", "somebody"],
    ["ADMIN_TOKEN", "a b"],
    ["SESSION_DB", "postgres://"],
    ["HEALTH_PATH", "healthz"],
  ])("are not touched by the host's own %s", async (name, value) => {
    expect(await ask({}, { [name]: value })).toEqual(limited);
  });

  it.each<[string, (options: CreateEdgeOptions) => Parameters<typeof createEdge>[0], object]>([
    ["an address", (options) => ({ ...options, redis: address }), {}],
    [
      "a client over createRequester()",
      (options) => ({ ...options, redis: new Redis(createRequester(address)) }),
      {},
    ],
    [
      "a function of the variables",
      (options) => (env: { KV: string }) => ({ ...options, redis: { ...address, url: env.KV } }),
      { KV: address.url },
    ],
    [
      "the variables",
      (options) => options,
      { UPSTASH_REDIS_REST_URL: address.url, UPSTASH_REDIS_REST_TOKEN: address.token },
    ],
    [
      "options that win over the variables",
      (options) => ({ ...options, redis: address }),
      { UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1", UPSTASH_REDIS_REST_TOKEN: "other" },
    ],
  ])(
    "count in the Redis of %s, over isolates and with a new env for each request",
    async (_, optionsOf, env) => {
      const options = own();
      expect(await ask(optionsOf(options), env)).toEqual(limited);
      const other = await ask(optionsOf({ ...options, isolateMaxAgeMs: 1 }), { ...env });
      expect(other, "another isolate").toEqual([429, 429, 429]);
    },
  );

  it("of two edges with prefixes of their own never share a count", async () => {
    expect(await ask(own({ redis: address }))).toEqual(limited);
    expect(await ask(own({ redis: address }))).toEqual(limited);
  });
});

it("a shared limit counts once over all middlewares of an edge, with sessions or without", async () => {
  const { rateLimit, edge } = createEdge({ secrets: { session: SECRET } });
  const shared = { ...window, shared: true };
  const app = new Hono<EdgeEnv>();
  app.use("/a", rateLimit([shared]));
  app.use("/b", edge({ limits: [shared], session: "optional" }));
  app.get("*", (c) => c.text("fine"));
  const statuses: number[] = [];
  for (const path of ["/a", "/b", "/a", "/b"])
    statuses.push((await app.request(path, { headers: from })).status);
  expect(statuses).toEqual([200, 200, 429, 429]);
});

describe("sessions", () => {
  it("take their secret from the option, else from SESSION_SECRET", async () => {
    expect(await ask({ secrets: { session: [SECRET] } }, {}, "/session")).toEqual([401, 401, 401]);
    expect(await ask({}, { SESSION_SECRET: SECRET }, "/session")).toEqual([401, 401, 401]);
  });

  it("with a SESSION_SECRET that is none are a 500, and the log names it", async () => {
    expect(await ask({}, { SESSION_SECRET: "short" }, "/session")).toEqual([500, 500, 500]);
    expect(log.join("\n")).toContain("createEdge: secrets.session (SESSION_SECRET)");
    expect(log.join("\n")).not.toContain('"short"');
  });
});

describe("what a handler does not catch of a capability's problems", () => {
  it.each([false, true])(
    "is the answer, with the request's id (behind two middlewares: %s)",
    async (nested) => {
      const { edge, rateLimit } = createEdge(own());
      const app = new Hono<EdgeEnv>();
      if (nested) app.use(rateLimit([window]));
      app.use(edge({ session: "optional" }));
      app.post("/", async (c) => c.json(await c.var.edge.sessions.create({ userId: "ada" })));
      const answer = await app.request("/", { method: "POST", headers: from });
      const body = (await answer.json()) as { code: string; request_id: string };
      expect([answer.status, body.code, answer.headers.get("content-type")]).toEqual([
        503,
        "SESSIONS_NOT_CONFIGURED",
        "application/problem+json",
      ]);
      expect(body.request_id).toMatch(/^[0-9a-f]{32}$/);
      expect(answer.headers.get("x-request-id")).toBe(body.request_id);
    },
  );

  it.each<[string, (error: Error) => Response, unknown[]]>([
    ["answers in its own way", () => new Response("mine", { status: 418 }), [418, "mine"]],
    ["asks the error for its answer", (error) => (error as HTTPException).getResponse(), [503, "problem"]],
  ])("is the app's own, where its onError %s", async (_what, answerOf, expected) => {
    const app = new Hono<EdgeEnv>();
    app.use(createEdge(own()).edge({ session: "optional" }));
    app.post("/", async (c) => c.json(await c.var.edge.sessions.create({ userId: "ada" })));
    app.onError((error) => answerOf(error));
    const answer = await app.request("/", { method: "POST", headers: from });
    const text = await answer.text();
    expect([answer.status, text.includes("SESSIONS_NOT_CONFIGURED") ? "problem" : text]).toEqual(expected);
  });

  it("is nothing of the app's own errors", async () => {
    const app = new Hono<EdgeEnv>();
    app.use(createEdge(own()).edge({ session: "optional" }));
    app.get("/plain", () => {
      throw new Error("mine");
    });
    app.get("/http", () => {
      throw new HTTPException(402, { message: "pay" });
    });
    const answers = [];
    for (const path of ["/plain", "/http"]) {
      const answer = await app.request(path, { headers: from });
      answers.push([answer.status, await answer.text()]);
    }
    expect(answers).toEqual([
      [500, "Internal Server Error"],
      [402, "pay"],
    ]);
  });
});

describe("options with an issue are an error before the first request", () => {
  it.each<[string, object, RegExp]>([
    [
      "a client of the SDK's own",
      { redis: new Redis(address) },
      /createEdge: redis: .*new Redis\(createRequester\(/,
    ],
    [
      "no address",
      { redis: { url: "nowhere", token: "t" } },
      /createEdge: redis\.url \(UPSTASH_REDIS_REST_URL\)/,
    ],
    ["a misspelt option", { redsi: address }, /createEdge: redsi: found a key that does not exist/],
    ["a misspelt option in a group", { sessions: { idle: 60 } }, /createEdge: sessions\.idle:/],
    ["a number out of range", { sessions: { idleSeconds: 1 } }, /createEdge: sessions\.idleSeconds/],
    [
      "a short secret",
      { secrets: { session: "short" } },
      /createEdge: secrets\.session .*a text of 5 characters/,
    ],
    ["one short secret of two", { secrets: { identity: [SECRET, "short"] } }, /number 2/],
    [
      "a short key",
      { apiKeys: [{ key: "short", name: "n" }] },
      /createEdge: apiKeys \(API_KEYS \(entry 1\)\)/,
    ],
    [
      "a list entry that is none",
      { limits: { deny: ["", "192.0.2.1"] } },
      /createEdge: limits\.deny \(DENY_LIST\[0\]\)/,
    ],
    ["a mode that is none", { mode: "production" }, /createEdge: mode .*enforce, observe, bypass/],
    ["what is no database", { sessions: { database: "postgres://" } }, /createEdge: sessions\.database/],
    ["null", { storeDeadlineMs: "soon" }, /createEdge: storeDeadlineMs/],
  ])("%s", (_, options, says) => {
    expect(() => createEdge(options)).toThrow(says);
  });

  it("and none shows a secret", () => {
    const secret = "s3cr3t-with a blank";
    for (const options of [
      { redis: { url: "nowhere", token: secret } },
      { secrets: { session: secret } },
      { apiKeys: [{ key: secret, name: "n" }] },
    ]) {
      expect(() => createEdge(options)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining("s3cr3t") as string }) as Error,
      );
    }
  });
});

it("a client over createRequester() makes one attempt, and is the host's to use", async () => {
  const owner = { url: inject("ownerUrl"), token: inject("ownerToken") };
  const redis = new Redis(createRequester(owner));
  const key = `{${freshPrefix()}}:host`;
  expect(await redis.set(key, { a: 1 })).toBe("OK");
  expect(await redis.get(key)).toEqual({ a: 1 });
  const pipeline = redis.pipeline().get(key).lpush(key, "x").get(key);
  expect(await pipeline.exec({ keepErrors: true })).toMatchObject([
    { result: { a: 1 } },
    { error: expect.stringContaining("WRONGTYPE") as string },
    { result: { a: 1 } },
  ]);
  await expect(redis.pipeline().lpush(key, "x").exec()).rejects.toThrow("WRONGTYPE");
  const lost = new Redis(createRequester({ url: "http://127.0.0.1:1", token: "secret-token" }));
  await expect(lost.get(key)).rejects.toThrow("could not be reached");
});
