import { Hono } from "hono";
import { compress } from "hono/compress";
import { etag } from "hono/etag";
import { secureHeaders } from "hono/secure-headers";
import { stream } from "hono/streaming";
import { validator } from "hono/validator";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import {
  type EdgeEnv,
  type EdgeVariables,
  edge,
  rateLimit,
  responseCache,
  session,
} from "../../../src/middleware.ts";
import type { ActiveSession } from "../../../src/session/verdict.ts";
import { edgeInRedis, executionContext, FROM, SESSION_SECRET, sign } from "../../support/edge/hono-app.ts";
import { printedLines } from "../../support/printed.ts";

/** The middlewares as an app of Hono uses them. */

printedLines();

const limit = { name: "w", limit: 3, window: "1 d" } as const;
interface App {
  request(
    path: string,
    init: RequestInit,
    env: object,
    context: ExecutionContext,
  ): Response | Promise<Response>;
}
const request = (app: App, path: string, init: RequestInit = {}) =>
  app.request(
    path,
    { ...init, headers: { ...FROM, ...(init.headers as Record<string, string>) } },
    {},
    executionContext().context,
  );

describe("types", () => {
  it("of c.var follow from the middleware alone, in a chain and in one route", () => {
    const limited = rateLimit([limit]);
    new Hono().get("/", limited, (c) => {
      expectTypeOf(c.var.user).toEqualTypeOf<{ id: string; tier: string | null } | null>();
      expectTypeOf(c.var.session).toEqualTypeOf<ActiveSession | null>();
      expectTypeOf(c.var.edge).toEqualTypeOf<EdgeVariables["edge"]>();
      return c.text("");
    });
    new Hono().use(session({ required: true })).get("/", (c) => {
      expectTypeOf(c.get("rateLimit")).toEqualTypeOf<EdgeVariables["rateLimit"]>();
      return c.text("");
    });
    new Hono<{ Bindings: { KV: string }; Variables: { own: number } }>().get("/", limited, (c) => {
      expectTypeOf(c.env.KV).toEqualTypeOf<string>();
      expectTypeOf(c.var.own).toEqualTypeOf<number>();
      expectTypeOf(c.var.user).toEqualTypeOf<EdgeVariables["user"]>();
      return c.text("");
    });
  });

  it("of what a validator has read stay, behind a middleware too", () => {
    new Hono().post(
      "/",
      validator("json", (value: { tenant: string }) => value),
      rateLimit({ limits: [limit], key: (c) => c.req.valid("json").tenant }),
      (c) => {
        expectTypeOf(c.req.valid("json").tenant).toEqualTypeOf<string>();
        expectTypeOf(c.var.user).toEqualTypeOf<EdgeVariables["user"]>();
        return c.json({});
      },
    );
  });

  it("of options refuse what there is none of", () => {
    // @ts-expect-error limits are needed
    rateLimit({ key: () => "a" });
    // @ts-expect-error an object is no key
    rateLimit({ limits: [limit], key: () => ({ id: 1 }) });
    // @ts-expect-error no such option
    rateLimit({ limits: [limit], keyGenerator: () => "a" });
    // @ts-expect-error a cost is a number
    rateLimit({ limits: [limit], cost: () => "1" });
    // @ts-expect-error an answer is a Response
    rateLimit({ limits: [limit], onLimited: () => "slow down" });
    // @ts-expect-error no such need
    session("needed");
    expectTypeOf(edge({})).toEqualTypeOf(responseCache());
  });
});

describe("session()", () => {
  const needs: [unknown, number][] = [
    [undefined, 200],
    ["optional", 200],
    [{}, 200],
    [{ required: false }, 200],
    ["required", 401],
    [{ required: true }, 401],
  ];
  it.each(needs)("%j: a request without one gets %d", async (need, status) => {
    const app = new Hono().use(edgeInRedis().session(need as "required")).get("/", (c) => c.text("fine"));
    expect((await request(app, "/")).status).toBe(status);
  });

  it("that is made after an environment's first request finds SESSION_SECRET, and counts go on", async () => {
    const { createEdge } = await import("../../../src/create-edge.ts");
    const late = createEdge();
    const env = { SESSION_SECRET };
    const first = new Hono<EdgeEnv>()
      .use(late.rateLimit([{ ...limit, shared: true }]))
      .get("/", (c) => c.text("fine"));
    const { context } = executionContext();
    const ask = (app: Hono<EdgeEnv>, headers = {}) =>
      app.request("/", { headers: { ...FROM, ...headers } }, env, context);
    expect(sign(await ask(first))).toBe("+");
    const second = new Hono<EdgeEnv>().use(
      late.edge({ limits: [{ ...limit, shared: true }], session: "optional" }),
    );
    second.get("/", async (c) =>
      c.text(c.var.user?.id ?? (await c.var.edge.sessions.create({ userId: "ada" })).token),
    );
    const answer = await ask(second);
    const text = await answer.text();
    const authorization = `Bearer ${text}`;
    expect([answer.status, text]).toEqual([200, expect.stringMatching(/^es1/)]);
    expect(await (await ask(second, { authorization })).text()).toBe("ada");
    expect([sign(await ask(first)), sign(await ask(first))], "the address has used 2 of 3").toEqual([
      "+",
      "-",
    ]);
  });
});

describe("responseCache()", () => {
  const words = async (app: App, ...asked: [path: string, headers?: Record<string, string>][]) => {
    const found = [];
    for (const [path, headers = {}] of asked) {
      const { context, settled } = executionContext();
      const answer = await app.request(path, { headers: { ...FROM, ...headers } }, {}, context);
      await answer.text();
      await settled();
      found.push(answer.headers.get("x-cache"));
    }
    return found.join(" ");
  };
  const cached = (options: Parameters<typeof responseCache>[0]) => {
    const edge = edgeInRedis();
    const app = new Hono().use(edge.responseCache(options)).all("*", (c) => c.text("fine"));
    return app;
  };
  const tenant = (name: string) => ({ "x-tenant": name });

  it("adds `key` to the default key: the URL stays in it", async () => {
    const app = cached({ ttl: 60, key: (c) => c.req.header("x-tenant") });
    expect(
      await words(
        app,
        ["/a", tenant("1")],
        ["/a", tenant("1")],
        ["/a", tenant("2")],
        ["/b", tenant("1")],
        ["/a?q=1", tenant("1")],
        ["/a"],
        ["/a"],
      ),
    ).toBe("MISS HIT MISS MISS MISS MISS HIT");
  });

  it("knows a list as a whole: [a, b] is not [ab], nor [b, a]", async () => {
    const app = cached({ ttl: 60, key: (c) => (c.req.header("x-part") ?? "").split("|") });
    const by = (key: string): [string, Record<string, string>] => ["/", { "x-part": key }];
    expect(await words(app, by("a|b"), by("ab"), by("b|a"), by("a"), by("a|"), by("a|b"))).toBe(
      "MISS MISS MISS MISS MISS HIT",
    );
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["an empty text", ""],
    ["an empty list", []],
  ])("%s adds nothing", async (_what, key) => {
    const app = cached({ ttl: 60, key: async () => key as string });
    expect(await words(app, ["/"], ["/"])).toBe("MISS HIT");
  });

  it("a write reaches every key of its URL, and asks for none", async () => {
    const key = vi.fn((c) => c.req.header("x-tenant"));
    const app = cached({ ttl: 60, key });
    await words(app, ["/a", tenant("1")], ["/a", tenant("2")]);
    const { context, settled } = executionContext();
    await app.request("/a", { method: "POST", headers: FROM }, {}, context);
    await settled();
    expect(key).toHaveBeenCalledTimes(2);
    expect(await words(app, ["/a", tenant("1")], ["/a", tenant("2")])).toBe("MISS MISS");
  });

  it.each<[string, () => unknown, number, string]>([
    ["an object", () => ({}), 500, "Internal"],
    [
      "an error",
      () => {
        throw new Error("mine");
      },
      418,
      "mine",
    ],
  ])("%s from `key` is no answer of the cache's", async (_what, key, status) => {
    const edge = edgeInRedis();
    const app = new Hono()
      .use(edge.responseCache({ ttl: 60, key: key as () => string }))
      .get("/", (c) => c.text("fine"));
    app.onError((error, c) => c.text(error.message, 418));
    expect((await request(app, "/")).status).toBe(status);
  });

  it.each<[string, Record<string, string>]>([
    ["Authorization", { authorization: "Basic YTpi" }],
    ["a bearer", { authorization: "Bearer abc" }],
    ["a cookie", { cookie: "sid=1" }],
    ["an API key", { "x-api-key": "k" }],
  ])("stores no answer to a request with %s without a declared scope", async (_what, headers) => {
    const silent = cached({ ttl: 60 });
    expect(await words(silent, ["/", headers], ["/", headers])).toBe("MISS MISS");
    expect(await words(silent, ["/"]), "nothing of it is anybody's").toBe("MISS");
    const declared = cached({ ttl: 60, scope: "shared" });
    expect(await words(declared, ["/", headers], ["/"])).toBe("MISS HIT");
  });
});

describe("Hono's own", () => {
  it("HEAD is counted and cached as a GET", async () => {
    const { edge: both } = edgeInRedis();
    const app = new Hono().use(both({ limits: [limit], cache: { ttl: 60 } })).get("/", (c) => c.text("fine"));
    const { context, settled } = executionContext();
    await (await app.request("/", { headers: FROM }, {}, context)).text();
    await settled();
    const head = await request(app, "/", { method: "HEAD" });
    expect([
      head.status,
      await head.text(),
      head.headers.get("x-cache"),
      head.headers.get("x-ratelimit-remaining"),
    ]).toEqual([200, "", "HIT", "1"]);
  });

  it("the log names the handler's route, with base path and mounted apps, and handlers find theirs", async () => {
    const edge = edgeInRedis();
    const sub = new Hono<EdgeEnv>().use(edge.session()).get("/users/:id", (c) => c.text(c.req.routePath));
    const app = new Hono<EdgeEnv>().basePath("/v1");
    app.use(edge.rateLimit([limit]));
    app.route("/api", sub);
    expect(await (await request(app, "/v1/api/users/7")).text()).toBe("/v1/api/users/:id");
    expect(edge.lines().map(({ fields }) => fields.route)).toEqual(["/v1/api/users/:id"]);
  });

  it("a streamed answer streams through two middlewares", async () => {
    const edge = edgeInRedis();
    const gate: { open?: () => void } = {};
    const opened = new Promise<void>((resolve) => {
      gate.open = resolve;
    });
    const app = new Hono<EdgeEnv>().use(edge.rateLimit([limit]), edge.session());
    app.get("/", (c) =>
      stream(c, async (out) => {
        await out.write("first ");
        await opened;
        await out.write("second");
      }),
    );
    const answer = await request(app, "/");
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect([new TextDecoder().decode(value), edge.lines().length]).toEqual(["first ", 1]);
    gate.open?.();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("second");
  });

  it.each<[string, () => ReturnType<typeof etag>]>([
    ["etag()", etag],
    ["compress()", compress],
    ["secureHeaders()", secureHeaders],
  ])("%s works around and inside of two middlewares", async (name, make) => {
    for (const around of [true, false]) {
      const edge = edgeInRedis();
      const app = new Hono<EdgeEnv>();
      if (around) app.use(make());
      app.use(edge.rateLimit([limit]), edge.session());
      if (!around) app.use(make());
      app.get("/", (c) => c.text("fine ".repeat(500)));
      const get = () => request(app, "/", { headers: { "accept-encoding": "gzip" } });
      const answer = await get();
      const { headers } = answer;
      const field =
        { "etag()": "etag", "compress()": "content-encoding", "secureHeaders()": "x-frame-options" }[name] ??
        "";
      expect(headers.get(field), `around: ${around}`).not.toBeNull();
      expect([
        answer.status,
        headers.get("x-ratelimit-remaining"),
        headers.get("x-request-id")?.length,
      ]).toEqual([200, "2", 32]);
      await get();
      await get();
      const refused = await get();
      expect([refused.status, refused.headers.get("retry-after") !== null]).toEqual([429, true]);
    }
  });

  it.each<[what: string, field: string, value: string, status: number]>([
    ["a tag", "if-none-match", '"same"', 304],
    ["any tag", "if-none-match", "*", 304],
    ["a date", "if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT", 304],
    ["another tag", "if-none-match", '"other"', 200],
  ])(
    "what a handler would answer with a 304 is made and stored whole: %s",
    async (_, field, value, status) => {
      const edge = edgeInRedis();
      const app = new Hono<EdgeEnv>().use(edge.responseCache({ ttl: 60 }), etag());
      app.get("/", (c) => {
        c.header("etag", '"same"');
        c.header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT");
        return c.req.header("if-modified-since") ? c.body(null, 304) : c.text("whole");
      });
      const ask = async (headers: Record<string, string> = {}) => {
        const { context, settled } = executionContext();
        const answer = await app.request("/", { headers: { ...FROM, ...headers } }, {}, context);
        const text = await answer.text();
        await settled();
        return [answer.status, text, answer.headers.get("x-cache")];
      };
      expect(await ask({ [field]: value })).toEqual([status, status === 304 ? "" : "whole", "MISS"]);
      expect(await ask()).toEqual([200, "whole", "HIT"]);
      expect(await ask({ [field]: value })).toEqual([status, status === 304 ? "" : "whole", "HIT"]);
    },
  );

  it("a request without ExecutionContext and env works, and is told of once", async () => {
    const edge = edgeInRedis();
    const app = new Hono<EdgeEnv>().use(edge.rateLimit([limit]), edge.responseCache({ ttl: 60 }));
    app.get("/", (c) => c.text("fine"));
    for (let i = 0; i < 3; i += 1) expect((await app.request("/", { headers: FROM })).status).toBe(200);
    const told = edge.events.filter(({ event }) => event === "context.absent");
    expect(told.map(({ fields }) => fields.message)).toEqual([
      expect.stringContaining("no ExecutionContext"),
    ]);
  });
});
