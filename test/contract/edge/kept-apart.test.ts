import { type Context, Hono, type MiddlewareHandler } from "hono";
import { every } from "hono/combine";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { createLimits } from "../../../src/create-limits.ts";
import type { EdgeEnv } from "../../../src/middleware.ts";
import { edgeInRedis, executionContext, FROM, LONG_DEADLINE_MS, sign } from "../../support/edge/hono-app.ts";
import { freshPrefix } from "../../support/limits.ts";
import { printedLines } from "../../support/printed.ts";

/** What belongs to one request, to one user or to the app itself reaches no other through a middleware. */

printedLines();
afterEach(() => void vi.useRealTimers());

const limit = (name: string, units: number) => ({ name, limit: units, window: "1 d" }) as const;

function limitsInRedis() {
  const { rateLimit } = createLimits({
    redis: { url: inject("upstashUrl"), token: inject("upstashToken") },
    limits: { prefix: `{${freshPrefix()}}` },
    storeDeadlineMs: LONG_DEADLINE_MS,
  });
  return rateLimit as unknown as ReturnType<typeof edgeInRedis>["rateLimit"];
}

async function ask(app: Hono<EdgeEnv>, path: string, headers: object = {}, method = "GET") {
  const { context, settled } = executionContext();
  const answer = await app.request(path, { method, headers: { ...FROM, ...headers } }, {}, context);
  const text = await answer.text();
  await settled();
  return { answer, text, status: answer.status, field: (name: string) => answer.headers.get(name) };
}

describe("the app's answer to a limited request", () => {
  it.each([200, 203, 301, 302, 404, 410, 429, 503])(
    "of status %d is in no cache around it",
    async (status) => {
      const { responseCache, rateLimit } = edgeInRedis();
      const app = new Hono<EdgeEnv>();
      app.use(responseCache({ ttl: 60 }));
      const onLimited = () =>
        new Response("slow", {
          status,
          headers: {
            location: "/slow",
            expires: "Fri, 01 Jan 2038 00:00:00 GMT",
            "cache-control": "max-age=60",
          },
        });
      app.use(rateLimit({ limits: [limit("a", 1)], onLimited }));
      app.get("*", (c) => c.text("fine"));
      await ask(app, "/a");
      const limited = await ask(app, "/b");
      expect([
        limited.status,
        limited.text,
        limited.field("cache-control"),
        limited.field("expires"),
      ]).toEqual([status, "slow", "no-store", null]);
      const other = await ask(app, "/b", { "cf-connecting-ip": "192.0.2.55" });
      expect([other.text, other.field("x-cache")]).toEqual(["fine", "MISS"]);
    },
  );
});

describe("one Response without a body for all requests", () => {
  const NOTHING = new Response(null, { status: 204, headers: { "x-own": "1" } });
  it.each<[string, (edge: ReturnType<typeof edgeInRedis>) => MiddlewareHandler<EdgeEnv>[], number]>([
    ["of a handler", ({ rateLimit }) => [rateLimit([limit("a", 9)])], 0],
    ["of a handler behind two", ({ rateLimit, session }) => [session(), rateLimit([limit("a", 9)])], 0],
    ["of a handler behind a cache", ({ responseCache }) => [responseCache({ ttl: 60 })], 0],
    [
      "of onLimited",
      ({ rateLimit }) => [rateLimit({ limits: [limit("a", 1)], onLimited: () => NOTHING })],
      1,
    ],
  ])("%s has no other request's fields and cookies", async (_what, middlewaresOf, before) => {
    const app = new Hono<EdgeEnv>();
    app.use(async (c, next) => {
      const me = c.req.header("x-me");
      if (me) c.header("set-cookie", `me=${me}`);
      if (me) c.header("x-whose", me);
      await next();
    });
    app.use(...(middlewaresOf(edgeInRedis()) as [MiddlewareHandler<EdgeEnv>]));
    app.get("*", () => NOTHING);
    for (let i = 0; i < before; i += 1) await ask(app, "/");
    const ada = await ask(app, "/?ada", { "x-me": "ada" });
    expect([ada.field("set-cookie"), ada.field("x-whose"), ada.field("x-own")]).toEqual([
      "me=ada",
      "ada",
      "1",
    ]);
    const other = await ask(app, "/?other");
    expect([other.field("set-cookie"), other.field("x-whose"), other.field("x-own")]).toEqual([
      null,
      null,
      "1",
    ]);
    expect([...NOTHING.headers]).toEqual([["x-own", "1"]]);
  });
});

describe("an app's own c.var.user and c.var.session", () => {
  const stays: [string, () => MiddlewareHandler<EdgeEnv>[], unknown[]][] = [
    ["limits alone", () => [limitsInRedis()([limit("a", 9)])], ["own", "own session"]],
    ["rateLimit()", () => [edgeInRedis().rateLimit([limit("a", 9)])], ["own", "own session"]],
    ["responseCache()", () => [edgeInRedis().responseCache({ ttl: 60 })], ["own", "own session"]],
    [
      "two of them",
      () => [edgeInRedis().rateLimit([limit("a", 9)]), limitsInRedis()([limit("a", 9)])],
      ["own", "own session"],
    ],
    ["session(), which replaces them", () => [edgeInRedis().session()], [null, null]],
  ];
  it.each(stays)("behind %s", async (_what, middlewares, expected) => {
    const app = new Hono<EdgeEnv>();
    app.use(async (c, next) => {
      c.set("user", "own" as never);
      c.set("session", "own session" as never);
      await next();
    });
    for (const middleware of middlewares()) app.use(middleware);
    app.get("*", (c) => c.json([c.var.user, c.var.session]));
    expect(JSON.parse((await ask(app, "/")).text)).toEqual(expected);
  });

  it("that says nobody stays null", async () => {
    const app = new Hono<EdgeEnv>();
    app.use(async (c, next) => {
      c.set("user", null);
      await next();
    });
    app.use(limitsInRedis()([limit("a", 9)]));
    app.get("*", (c) => c.json(c.var.user));
    expect((await ask(app, "/")).text).toBe("null");
  });
});

describe("a session inside of limits alone", () => {
  it.each(["authorization", "cookie"])("is renewed in the answer (%s)", async (field) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const edge = edgeInRedis();
    const app = new Hono<EdgeEnv>();
    app.use("/in", edge.session());
    app.post("/in", async (c) => c.text((await c.var.edge.sessions.create({ userId: "ada" })).token));
    app.use("/x", limitsInRedis()([limit("a", 9)]), edge.session());
    app.get("/x", (c) => c.text(c.var.user?.id ?? "nobody"));
    const token = (await ask(app, "/in", {}, "POST")).text;
    vi.setSystemTime(Date.now() + 12 * 3_600_000);
    const carried = field === "cookie" ? `__Host-session=${token}` : `Bearer ${token}`;
    const answer = await ask(app, "https://edge.example/x", { [field]: carried });
    expect([answer.status, answer.text]).toEqual([200, "ada"]);
    const renewed = answer.field(field === "cookie" ? "set-cookie" : "x-session-token");
    expect(renewed).toMatch(/es1\./);
    expect(answer.field("x-ratelimit-remaining")).toBe("8");
  });
});

describe("a preflight", () => {
  const PREFLIGHT = { origin: "https://page.example", "access-control-request-method": "GET" };

  it.each<[string, ReturnType<typeof cors> | null, number, string | null]>([
    ["no cors()", null, 401, null],
    ["cors()", cors({ origin: "https://page.example" }), 204, "https://page.example"],
    ["cors() for others", cors({ origin: "https://other.example" }), 204, null],
  ])(
    "without a session gets nothing of a handler for all methods, behind %s",
    async (_w, inner, status, origin) => {
      for (const outside of [false, true]) {
        const { session } = edgeInRedis();
        const app = new Hono<EdgeEnv>();
        // An app's own field is no answer to a preflight.
        if (outside)
          app.use(async (c, next) => {
            c.header("access-control-allow-origin", "https://own.example");
            await next();
          });
        app.use(session("required"));
        if (inner) app.use(inner as MiddlewareHandler<EdgeEnv>);
        app.all("*", (c) => c.text("for ada alone"));
        const answer = await ask(app, "/", PREFLIGHT, "OPTIONS");
        expect([answer.status, answer.text.includes("for ada")]).toEqual([status, false]);
        if (!outside) expect(answer.field("access-control-allow-origin")).toBe(origin);
        expect((await ask(app, "/", {}, "OPTIONS")).status, "no preflight").toBe(401);
        const withToken = await ask(app, "/", { ...PREFLIGHT, "x-auth-token": "a" }, "OPTIONS");
        expect(withToken.status, "none carries a credential").toBe(401);
      }
    },
  );

  const page = { origin: "https://page.example" };
  const own: MiddlewareHandler<EdgeEnv> = async (c, next) => {
    c.header("access-control-allow-origin", page.origin);
    await next();
  };
  const runs = vi.fn();
  const handler = (c: Context) => {
    runs();
    return c.text("for ada alone");
  };
  const pass: MiddlewareHandler = (_c, next) => next();
  const failing: MiddlewareHandler = (_c, _next) => {
    throw new HTTPException(418, { message: "no" });
  };
  it.each<[string, (app: Hono<EdgeEnv>, required: MiddlewareHandler<EdgeEnv>) => unknown, number, number]>([
    ["app.all", (app, required) => app.use(required).all("/x", handler), 401, 0],
    ["app.all of every path", (app, required) => app.use(required).all(handler), 401, 0],
    [
      "app.all behind others",
      (app, required) => app.use(required, pass, pass).all("/x", pass, handler),
      401,
      0,
    ],
    ["app.all with the session in it", (app, required) => app.all("/x", required, handler), 401, 0],
    [
      "app.on of OPTIONS too",
      (app, required) => app.use(required).on(["POST", "ALL"], "/x", handler),
      401,
      0,
    ],
    [
      "a mounted app's",
      (app, required) => app.use(required).route("/", new Hono<EdgeEnv>().all("/x", handler)),
      401,
      0,
    ],
    [
      "a mounted app's with an onError",
      (app, required) =>
        app.use(required).route("/", new Hono<EdgeEnv>().onError((_e, c) => c.text("")).all("/x", handler)),
      401,
      0,
    ],
    [
      "app.all where another calls the session",
      (app, required) => app.use(every(required, pass)).all("/x", handler),
      401,
      0,
    ],
    ["app.all behind cors()", (app, required) => app.use(required, cors(page)).all("/x", handler), 204, 0],
    [
      "app.all in front of cors()",
      (app, required) => app.use(required).all("/x", handler).use(cors(page)),
      401,
      0,
    ],
    ["app.all, cors() first", (app, required) => app.use(cors(page), required).all("/x", handler), 204, 0],
    [
      "app.all behind fields of the app's",
      (app, required) => app.use(required, own).all("/x", handler),
      200,
      0,
    ],
    ["app.post alone", (app, required) => app.use(required).post("/x", handler), 401, 0],
    ["app.post behind cors()", (app, required) => app.use(required, cors(page)).post("/x", handler), 204, 0],
    ["app.options, which is for it", (app, required) => app.use(required).options("/x", handler), 401, 1],
    ["app.options with fields", (app, required) => app.use(required, own).options("/x", handler), 200, 1],
    ["a middleware that throws", (app, required) => app.use(required, failing).all("/x", handler), 418, 0],
  ])(
    "behind a required session and %s: which status, and how often the handler runs",
    async (_w, build, status, times) => {
      runs.mockClear();
      const { session } = edgeInRedis();
      const app = new Hono<EdgeEnv>();
      build(app, session({ required: true }));
      const answer = await ask(app, "/x", PREFLIGHT, "OPTIONS");
      expect([answer.status, runs.mock.calls.length, answer.text.includes("for ada")]).toEqual([
        status,
        times,
        false,
      ]);
    },
  );

  it.each<[string, () => MiddlewareHandler<EdgeEnv>]>([
    ["limits alone", () => limitsInRedis()([limit("a", 1)])],
    ["rateLimit()", () => edgeInRedis().rateLimit([limit("a", 1)])],
  ])("is no way around limits: 600 a minute pass %s", async (_what, make) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const app = new Hono<EdgeEnv>().use(make());
    const handler = vi.fn((c) => c.text("fine"));
    app.all("*", handler);
    for (let i = 0; i < 602; i += 1)
      await app.request("/", { method: "OPTIONS", headers: { ...FROM, ...PREFLIGHT } });
    expect(handler).toHaveBeenCalledTimes(600);
    // None carries a credential.
    handler.mockClear();
    for (const name of ["cookie", "authorization", "x-api-key", "x-auth-token", "x-metabase-session"])
      await app.request("/", { method: "OPTIONS", headers: { ...FROM, ...PREFLIGHT, [name]: "a" } });
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

describe("keys", () => {
  it("that differ in one character have a count each, whatever character it is", async () => {
    const { rateLimit } = edgeInRedis();
    const app = new Hono<EdgeEnv>();
    app.use(rateLimit({ limits: [limit("a", 1)], key: (c) => JSON.parse(c.req.header("x-key") ?? "0") }));
    app.get("*", (c) => c.text("fine"));
    const texts = [
      "\ud800",
      "\ud801",
      "\ufffd",
      "x\ud800",
      "\ud83d\ude00",
      "\ud83d",
      "a",
      "A",
      "a ",
      "a\0",
      "\u00e9",
      "e\u0301",
    ];
    const signs = [];
    for (const text of [...texts, "\ud800", "a"]) {
      const spelt = JSON.stringify(text).replace(/[^ -~]/gu, (each) =>
        [...each.split("")].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
      );
      signs.push(sign((await ask(app, "/", { "x-key": spelt })).answer));
    }
    expect(signs.join("")).toBe(`${"+".repeat(texts.length)}--`);
  });
});

describe("options", () => {
  it("that the app changes later change no limit that is made", async () => {
    const { rateLimit } = edgeInRedis();
    const own: { name: string; limit: number; window: "1 d" } = { name: "a", limit: 1, window: "1 d" };
    const list = [own];
    const app = new Hono<EdgeEnv>();
    app.use("/a", rateLimit(list));
    own.limit = 9;
    app.use("/b", rateLimit({ limits: list }));
    app.get("*", (c) => c.text("fine"));
    const limits = [await ask(app, "/a"), await ask(app, "/b")].map(({ field }) =>
      field("x-ratelimit-limit"),
    );
    expect(limits).toEqual(["1", "9"]);
  });

  it.each<[string, object]>([
    ["no key", {}],
    ["an empty list of keys", { key: {} }],
    ["a key that is an empty list", { key: () => [] }],
    ["a named key that is an empty list", { key: { tenant: () => [] } }],
  ])("with %s count the caller", async (_what, options) => {
    const { rateLimit } = edgeInRedis();
    const app = new Hono<EdgeEnv>().use(rateLimit([limit("a", 1)], options));
    app.get("*", (c) => c.text("fine"));
    const signs = [
      await ask(app, "/"),
      await ask(app, "/"),
      await ask(app, "/", { "cf-connecting-ip": "192.0.2.9" }),
    ];
    expect(signs.map(({ answer }) => sign(answer)).join("")).toBe("+-+");
  });
});

describe("what a handler does to the session's record", () => {
  it("is in no later request of the isolate, nested data included", async () => {
    const { session } = edgeInRedis();
    const app = new Hono<EdgeEnv>();
    app.use("*", session());
    app.post("/in", async (c) => {
      const { token } = await c.var.edge.sessions.create({ userId: "ada", userData: { plan: "free" } });
      return c.text(token);
    });
    app.get("/change", (c) => {
      const record = c.var.session?.record as { user_id: string; user_data: { plan: string } };
      const seen = `${record.user_id} ${record.user_data.plan}`;
      record.user_id = "mallory";
      record.user_data.plan = "gold";
      return c.text(seen);
    });
    const headers = { authorization: `Bearer ${(await ask(app, "/in", {}, "POST")).text}` };
    for (let n = 0; n < 3; n += 1) expect((await ask(app, "/change", headers)).text).toBe("ada free");
  });
});
