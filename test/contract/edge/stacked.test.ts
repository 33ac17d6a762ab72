import { Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { describe, expect, inject, it, vi } from "vitest";
import { createLimits } from "../../../src/create-limits.ts";
import type { MiddlewareLimit } from "../../../src/middleware/options.ts";
import type { EdgeEnv } from "../../../src/middleware.ts";
import { edgeInRedis, executionContext, FROM, sign } from "../../support/edge/hono-app.ts";
import { freshPrefix } from "../../support/limits.ts";
import { printedLines } from "../../support/printed.ts";

/** Several middlewares on one request: they hide nothing of each other. */

const limit = (name: string, units: number): MiddlewareLimit => ({ name, limit: units, window: "1 d" });

printedLines();

type Edge = ReturnType<typeof edgeInRedis>;

/** An app behind these middlewares, from the outside in, with a handler that signs ada in. */
function stacked(edge: Edge, ...middlewares: MiddlewareHandler<EdgeEnv>[]) {
  const app = new Hono<EdgeEnv>();
  app.use("/sign-in", edge.session());
  app.post("/sign-in", async (c) => c.text((await c.var.edge.sessions.create({ userId: "ada" })).token));
  app.use("/sign-out", edge.session());
  app.post("/sign-out", async (c) => {
    if (c.var.session) await c.var.edge.sessions.delete(c.var.session.claims.id);
    return c.text("out");
  });
  for (const middleware of middlewares) app.use("/at/*", middleware);
  app.get("/at/who", (c) =>
    c.json({ user: c.var.user?.id, session: c.var.session !== null, limit: c.var.rateLimit?.nearest?.name }),
  );
  app.get("/at/*", (c) => c.text("fine"));
  const ask = async (path = "/at/x", headers: Record<string, string> = {}, method = "GET") => {
    const { context, settled } = executionContext();
    const answer = await app.request(path, { method, headers: { ...FROM, ...headers } }, {}, context);
    const text = await answer.text();
    await settled();
    return Object.assign(answer, { body_: text });
  };
  const signIn = async () => ({ authorization: `Bearer ${(await ask("/sign-in", {}, "POST")).body_}` });
  return { app, ask, signIn };
}

const last = (edge: Edge) => edge.lines().at(-1)?.fields;

describe("calls and lines", () => {
  it.each<[string, (edge: Edge) => MiddlewareHandler<EdgeEnv>[], number]>([
    [
      "one with all",
      ({ edge }) => [
        edge({ limits: [limit("a", 9)], session: "optional", cache: { ttl: 60, scope: "shared" } }),
      ],
      1,
    ],
    ["limits alone", ({ rateLimit }) => [rateLimit([limit("a", 9)])], 1],
    ["a session alone", ({ session }) => [session()], 1],
    ["a cache alone", ({ responseCache }) => [responseCache({ ttl: 60, scope: "shared" })], 1],
    ["two limits", ({ rateLimit }) => [rateLimit([limit("a", 9)]), rateLimit([limit("b", 9)])], 2],
    ["session, then limits", ({ rateLimit, session }) => [session(), rateLimit([limit("a", 9)])], 2],
    ["limits, then session", ({ rateLimit, session }) => [rateLimit([limit("a", 9)]), session()], 2],
    [
      "three",
      ({ rateLimit, session, responseCache }) => [
        session({ required: true }),
        rateLimit([limit("a", 9)]),
        responseCache({ ttl: 60, scope: "shared" }),
      ],
      3,
    ],
  ])("%s: one line, one id, so many calls", async (_what, middlewaresOf, calls) => {
    const edge = edgeInRedis();
    const { ask, signIn } = stacked(edge, ...middlewaresOf(edge));
    // Redis is shown the scripts.
    await ask("/at/first", await signIn());
    const token = await signIn();
    const before = edge.lines().length;
    const answer = await ask("/at/x", token);
    expect(answer.status).toBe(200);
    expect(edge.lines()).toHaveLength(before + 1);
    expect(last(edge)).toMatchObject({
      store_calls: calls,
      verdict: "allowed",
      request_id: answer.headers.get("x-request-id"),
    });
  });

  it("what is written afterwards is one batch", async () => {
    const edge = edgeInRedis();
    const { rateLimit, session, responseCache } = edge;
    const { ask } = stacked(edge, responseCache({ ttl: 60 }), rateLimit([limit("a", 9)]), session());
    await ask();
    expect(last(edge)).toMatchObject({ cache: "miss", limits: "allowed by redis" });
    await ask();
    expect(last(edge), "a hit runs no middleware inside of it").toMatchObject({
      cache: "hit",
      limits: null,
      store_calls: 0,
    });
  });

  it("has the cache's word, the session and the tightest limit, whichever stands outside", async () => {
    const edge = edgeInRedis();
    const { rateLimit, session, responseCache } = edge;
    const inOrder = [
      session(),
      rateLimit([limit("a", 9)]),
      responseCache({ ttl: 60, scope: "shared" }),
      rateLimit([limit("b", 4)]),
    ];
    for (const middlewares of [inOrder, inOrder.toReversed()]) {
      const { ask, signIn } = stacked(edge, ...middlewares);
      const answer = await ask(`/at/${middlewares.indexOf(inOrder[0] ?? session())}`, await signIn());
      expect(last(edge)).toMatchObject({ cache: "miss", session: "active", limits: "allowed by redis" });
      expect(answer.headers.get("x-cache")).toBe("MISS");
      expect(answer.headers.get("cache-status")).toContain("fwd=");
    }
  });
});

describe("fields", () => {
  it.each([
    [9, 4],
    [4, 9],
  ])("of limits of %d and %d: all are listed, the tightest is on top", async (outer, inner) => {
    const edge = edgeInRedis();
    const { ask } = stacked(
      edge,
      edge.rateLimit([limit("a", outer)]),
      edge.session(),
      edge.rateLimit([limit("b", inner), limit("c", 50)]),
    );
    const { headers } = await ask();
    expect(headers.get("x-ratelimit-limit")).toBe("4");
    expect(headers.get("x-ratelimit-remaining")).toBe("3");
    const names = (field: string) =>
      [...(headers.get(field) ?? "").matchAll(/"(\w+)"/g)].map(([, name]) => name);
    expect(names("ratelimit").toSorted()).toEqual(["a", "b", "c"]);
    expect(names("ratelimit-policy")).toEqual(names("ratelimit"));
    expect(names("ratelimit")[0]).toBe(outer === 4 ? "a" : "b");
  });

  it("of two limits of one name can be told apart", async () => {
    const edge = edgeInRedis();
    const { ask } = stacked(
      edge,
      edge.rateLimit([limit("w", 9)]),
      edge.rateLimit([limit("w", 4)]),
      edge.rateLimit([limit("w", 7)]),
    );
    const { headers } = await ask();
    expect(headers.get("ratelimit-policy")).toBe('"w";q=4;w=86400, "w-2";q=9;w=86400, "w-3";q=7;w=86400');
    expect(headers.get("ratelimit")).toMatch(/^"w";r=3;t=\d+, "w-2";r=8;t=\d+, "w-3";r=6;t=\d+$/);
  });

  it("of a refusal inside: its Retry-After, all limits, and the refusal in the line", async () => {
    const edge = edgeInRedis();
    const { ask } = stacked(
      edge,
      edge.session(),
      edge.rateLimit([limit("a", 9)]),
      edge.rateLimit([limit("b", 1)]),
    );
    await ask();
    const answer = await ask();
    expect(answer.status).toBe(429);
    expect(JSON.parse(answer.body_)).toMatchObject({
      code: "RATE_LIMIT_EXCEEDED",
      "violated-policies": ["b"],
      request_id: answer.headers.get("x-request-id"),
    });
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(answer.headers.get("x-ratelimit-limit")).toBe("1");
    expect(answer.headers.get("ratelimit")).toMatch(/^"b";r=0;t=\d+, "a";r=7;t=\d+$/);
    expect(last(edge)).toMatchObject({
      status: 429,
      verdict: "rate_limit_exceeded",
      limits: "denied by redis",
    });
  });

  it("of a session that is missing inside tell no quota, and the line says so", async () => {
    const edge = edgeInRedis();
    const { ask } = stacked(edge, edge.rateLimit([limit("a", 9)]), edge.session({ required: true }));
    const answer = await ask();
    expect([answer.status, answer.headers.get("x-ratelimit-limit")]).toEqual([401, null]);
    expect(last(edge)).toMatchObject({ verdict: "session_required", status: 401 });
  });

  it("of a handler's own limit stand beside those of the middleware, and its call counts", async () => {
    const edge = edgeInRedis();
    const app = new Hono<EdgeEnv>();
    app.use(edge.rateLimit([limit("a", 9)]));
    app.get("/", async (c) => {
      const { success, headers } = await c.var.edge.limiter.limit("ada", {
        name: "own",
        limit: 2,
        window: "1 d",
      });
      return c.text(success ? "fine" : "limited", success ? 200 : 429, headers);
    });
    const ask = () => app.request("/", { headers: FROM }, {}, executionContext().context);
    const { headers } = await ask();
    expect(headers.get("ratelimit")).toMatch(/^"own";r=1;t=\d+, "a";r=8;t=\d+$/);
    expect(headers.get("x-ratelimit-limit")).toBe("2");
    expect(last(edge)).toMatchObject({ store_calls: 2 });
    await ask();
    const limited = await ask();
    expect([limited.status, limited.headers.get("ratelimit")?.replace(/\d+$/, "")]).toEqual([
      429,
      '"own";r=0;t=',
    ]);
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
    const violated = edge.events.find(({ event }) => event === "limit.violated");
    expect(violated?.fields.request_id).toBe(limited.headers.get("x-request-id"));
  });
});

describe("identity", () => {
  it("limits and handlers inside of a session know its user, and limits do not hide it", async () => {
    const edge = edgeInRedis();
    const { ask, signIn } = stacked(
      edge,
      edge.session(),
      edge.rateLimit([limit("a", 2)]),
      edge.responseCache({ ttl: 60, scope: "caller" }),
    );
    const token = await signIn();
    const answer = await ask("/at/who", token);
    expect(JSON.parse(answer.body_)).toEqual({ user: "ada", session: true, limit: "a" });
    expect(answer.headers.get("x-cache")).toBe("MISS");
    const elsewhere = { ...token, "cf-connecting-ip": "192.0.2.99" };
    expect([sign(await ask("/at/who", elsewhere)), sign(await ask("/at/who", elsewhere))].join("")).toBe(
      "+-",
    );
    expect(sign(await ask("/at/who")), "the address has a count of its own").toBe("+");
  });

  it("limits alone inside of another edge's session know its user, and hide nothing of it", async () => {
    const edge = edgeInRedis();
    const { rateLimit } = createLimits({
      redis: { url: inject("upstashUrl"), token: inject("upstashToken") },
      limits: { prefix: `{${freshPrefix()}}` },
    });
    const alone = rateLimit([limit("a", 1)]) as MiddlewareHandler as MiddlewareHandler<EdgeEnv>;
    const { ask, signIn } = stacked(edge, edge.session(), alone);
    const token = await signIn();
    expect(JSON.parse((await ask("/at/who", token)).body_)).toEqual({
      user: "ada",
      session: true,
      limit: "a",
    });
    expect(last(edge)).toMatchObject({ session: "active", limits: "allowed by redis" });
    expect(sign(await ask("/at/who", { ...token, "cf-connecting-ip": "192.0.2.99" }))).toBe("-");
    expect(sign(await ask("/at/who"))).toBe("+");
  });

  it("a session that is over is nobody inside either", async () => {
    const edge = edgeInRedis();
    const { ask, signIn } = stacked(edge, edge.session(), edge.rateLimit([limit("a", 2)]));
    const token = await signIn();
    await ask("/sign-out", token, "POST");
    expect(JSON.parse((await ask("/at/who", token)).body_)).toMatchObject({ session: false });
    expect(await ask("/at/who", token).then(sign)).toBe("+");
    expect(await ask("/at/who").then(sign), "it counts for its address").toBe("-");
  });
});

describe("what is set before", () => {
  const origin = "https://page.example";
  it.each(["outside", "inside"])(
    "cors() %s: a refusal and a stored answer have its fields of their own request",
    async (where) => {
      const edge = edgeInRedis();
      const list = [
        cors({ origin: [origin, "https://b.example"], credentials: true }),
        edge.edge({ limits: [limit("a", 3)], cache: { ttl: 60 } }),
      ];
      const { ask } = stacked(
        edge,
        ...((where === "outside" ? list : list.toReversed()) as MiddlewareHandler<EdgeEnv>[]),
      );
      const allowed = (answer: Response) => answer.headers.get("access-control-allow-origin");
      expect(allowed(await ask("/at/x", { origin }))).toBe(origin);
      const other = await ask("/at/x", { origin: "https://b.example" });
      expect(allowed(other)).toBe("https://b.example");
      expect(allowed(await ask("/at/x", { origin: "https://evil.example" }))).toBeNull();
      if (where === "inside") return;
      const refused = await ask("/at/x", { origin });
      expect([refused.status, allowed(refused)]).toEqual([429, origin]);
      expect(refused.headers.get("vary")).toContain("Origin");
    },
  );

  it("a preflight is neither counted nor refused, and needs no session", async () => {
    const edge = edgeInRedis();
    const { ask } = stacked(
      edge,
      edge.rateLimit([limit("a", 1)]),
      edge.session("required"),
      cors({ origin }) as MiddlewareHandler<EdgeEnv>,
    );
    for (let i = 0; i < 3; i += 1) {
      const answer = await ask("/at/x", { origin, "access-control-request-method": "POST" }, "OPTIONS");
      expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([204, origin]);
    }
  });

  it("fields and cookies of one request are in no other's stored answer", async () => {
    const edge = edgeInRedis();
    let number = 0;
    const own: MiddlewareHandler<EdgeEnv> = async (c, next) => {
      number += 1;
      c.header("x-number", String(number));
      if (number === 1) c.header("set-cookie", "who=ada");
      if (number === 1) c.header("x-first", "yes");
      await next();
    };
    const { ask } = stacked(edge, own, edge.responseCache({ ttl: 60 }));
    const fields = (answer: Response) =>
      ["x-cache", "x-number", "x-first", "set-cookie"].map((name) => answer.headers.get(name));
    expect(fields(await ask())).toEqual(["MISS", "1", "yes", "who=ada"]);
    expect(fields(await ask())).toEqual(["HIT", "2", null, null]);
  });
});

describe("counts", () => {
  const ask = async (app: Hono<EdgeEnv>, ...paths: string[]) => {
    let signs = "";
    for (const path of paths)
      signs += sign(await app.request(path, { headers: FROM }, {}, executionContext().context));
    return signs;
  };

  it("one instance on two paths and in a mounted app with its own onError has one count", async () => {
    const edge = edgeInRedis();
    const shared = edge.rateLimit([limit("a", 3)]);
    const sub = new Hono<EdgeEnv>();
    sub.use(shared);
    sub.get("/x", (c) => c.text("fine"));
    sub.onError((_error, c) => c.text("sub", 500));
    const app = new Hono<EdgeEnv>();
    app.use("/a", shared);
    app.use("/b", shared);
    app.route("/sub", sub);
    app.get("*", (c) => c.text("fine"));
    expect(await ask(app, "/a", "/b", "/sub/x", "/a", "/b", "/sub/x")).toBe("+++---");
  });

  it("two calls of one edge, and two edges with one prefix, have two; `shared` has one", async () => {
    const limits = { prefix: `{${freshPrefix()}}` };
    const [one, first, second] = [edgeInRedis({ limits }), edgeInRedis({ limits }), edgeInRedis({ limits })];
    const app = new Hono<EdgeEnv>();
    app.use("/a", one.rateLimit([limit("a", 1)]));
    app.use("/b", one.rateLimit([limit("a", 1)]));
    app.use("/c", first.rateLimit([limit("a", 1)]));
    app.use("/d", second.rateLimit([limit("a", 1)]));
    app.use("/e", one.rateLimit([{ ...limit("s", 1), shared: true }]));
    app.use("/f", one.rateLimit([{ ...limit("s", 1), shared: true }]));
    app.get("*", (c) => c.text("fine"));
    expect(await ask(app, ..."abcdabcdef".split("").map((name) => `/${name}`))).toBe("++++----+-");
  });
});

describe("errors", () => {
  it.each<[string, () => never, number, string]>([
    [
      "an Error",
      () => {
        throw new Error("mine");
      },
      500,
      "sub: mine",
    ],
    [
      "an HTTPException",
      () => {
        throw new HTTPException(402, { message: "pay" });
      },
      402,
      "sub: pay",
    ],
  ])(
    "of a handler in a mounted app are answered by its onError, with all fields (%s)",
    async (_what, handler, status, text) => {
      const edge = edgeInRedis();
      const sub = new Hono<EdgeEnv>();
      sub.use(edge.rateLimit([limit("b", 4)]));
      sub.get("/fails", handler);
      sub.onError((error, c) =>
        c.text(`sub: ${error.message}`, (error instanceof HTTPException ? error.status : 500) as 500),
      );
      const app = new Hono<EdgeEnv>().basePath("/v1");
      app.use(edge.rateLimit([limit("a", 9)]));
      app.route("/sub", sub);
      const answer = await app.request("/v1/sub/fails", { headers: FROM }, {}, executionContext().context);
      expect([answer.status, await answer.text()]).toEqual([status, text]);
      expect(answer.headers.get("ratelimit")).toMatch(/^"b";r=3;t=\d+, "a";r=8;t=\d+$/);
      expect(last(edge)).toMatchObject({ status, verdict: "allowed", store_calls: 2 });
    },
  );

  it("of what is not there are the app's own notFound, with the limits' fields", async () => {
    const edge = edgeInRedis();
    const app = new Hono<EdgeEnv>();
    app.use(edge.rateLimit([limit("a", 9)]), edge.session());
    app.notFound((c) => c.text("nothing here", 404));
    const answer = await app.request("/x", { headers: FROM }, {}, executionContext().context);
    expect([answer.status, await answer.text(), answer.headers.get("x-ratelimit-limit")]).toEqual([
      404,
      "nothing here",
      "9",
    ]);
  });
});

describe("while Redis is lost", () => {
  const lost = { url: "http://127.0.0.1:1", token: "t" };
  it("what one middleware has learnt of it the others know: three failed calls are enough for all", async () => {
    const edge = edgeInRedis({ redis: lost });
    const limits = ["a", "b", "c"].map((name) => edge.rateLimit([limit(name, 2)]));
    const { ask } = stacked(edge, ...limits);
    expect([sign(await ask()), sign(await ask()), sign(await ask())].join("")).toBe("++-");
    expect(edge.lines().map(({ fields }) => [fields.store_calls, fields.limits])).toEqual([
      [3, "allowed by memory"],
      [0, "allowed by memory"],
      [0, "denied by memory"],
    ]);
    expect(edge.events.filter(({ event }) => event === "store.lost")).toHaveLength(1);
  });

  it("own keys, costs and answers go on; `closed` is a 503 that onLimited is not asked about", async () => {
    const edge = edgeInRedis({ redis: lost });
    const onLimited = vi.fn(() => new Response("mine", { status: 429 }));
    const options = { key: () => "a", cost: () => 2, onLimited };
    const open = stacked(edge, edge.rateLimit({ limits: [limit("a", 4)], ...options }));
    const texts = [];
    for (let i = 0; i < 3; i += 1) texts.push((await open.ask()).body_);
    expect(texts).toEqual(["fine", "fine", "mine"]);
    const closed = stacked(
      edge,
      edge.rateLimit({ limits: [limit("b", 4)], ...options, onStoreFailure: "closed" }),
    );
    const answer = await closed.ask();
    expect([answer.status, answer.headers.get("retry-after") !== null]).toEqual([503, true]);
    expect(onLimited).toHaveBeenCalledTimes(1);
  });
});
