import type { Context, Hono, MiddlewareHandler, Next } from "hono";
import { every, except } from "hono/combine";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type limitScope, sameRoutes } from "../../../src/edge/middleware-scope.ts";

/** Limits of two calls never share a count, wherever the middlewares run; those of one call have one. */

let makeScope: typeof limitScope;
let newApp: () => Hono;
beforeEach(async () => {
  // As in an isolate that has just started: no middleware has run.
  vi.resetModules();
  ({ limitScope: makeScope } = await import("../../../src/edge/middleware-scope.ts"));
  const { Hono: OfTheSameModules } = await import("hono");
  newApp = () => new OfTheSameModules();
});

/** Like `rateLimit()` with a limit of this name: it tells its scope in place of counting. */
function limiting(label: string, name = "api"): MiddlewareHandler {
  const scopeOf = makeScope({ limits: [{ name }] });
  return async function limits(c: Context, next: Next) {
    const scope = scopeOf(c, limits);
    await next();
    c.header("x-scope", `${label}=${scope}`, { append: true });
  };
}

/** The scopes in which the middlewares of these requests count, by label. */
async function scopesOf(app: Hono, ...requests: string[]): Promise<Record<string, string[]>> {
  // What is made with a Worker runs later, when requests come.
  await Promise.resolve();
  const found: Record<string, string[]> = {};
  for (const request of requests) {
    const [method = "", path = ""] = request.split(" ");
    const { headers } = await app.request(path, { method });
    for (const each of headers.get("x-scope")?.split(", ") ?? []) {
      const [label = "", scope = ""] = each.split("=");
      found[label] = [...new Set([...(found[label] ?? []), scope])];
    }
  }
  return found;
}

function appWith(...middlewares: MiddlewareHandler[]): Hono {
  const app = newApp();
  for (const middleware of middlewares) app.use(middleware);
  return app.all("*", (c) => c.text("fine"));
}

describe("two that are made with the app", () => {
  const cases: [string, (a: MiddlewareHandler, b: MiddlewareHandler) => MiddlewareHandler[]][] = [
    ["registered", (a, b) => [a, b]],
    ["chosen by method", (a, b) => [(c, next) => (c.req.method === "GET" ? a(c, next) : b(c, next))]],
    [
      "called after some work",
      (a, b) => [
        async (c, next) => {
          await Promise.resolve();
          return c.req.method === "GET" ? a(c, next) : b(c, next);
        },
      ],
    ],
    ["in except() for other paths each", (a, b) => [except("/a", a), except("/b", b)]],
    ["in every()", (a, b) => [every(a, b)]],
    ["in two every()", (a, b) => [every(a), every(b)]],
    ["one registered, one called", (a, b) => [a, (c, next) => b(c, next)]],
  ];
  it.each(cases)("%s have a scope each, the same for all requests", async (_what, middlewaresOf) => {
    const app = appWith(...middlewaresOf(limiting("a"), limiting("b")));
    const { a = [], b = [] } = await scopesOf(
      app,
      "GET /a",
      "POST /a",
      "GET /b",
      "POST /b",
      "GET /c",
      "POST /c",
    );
    expect([a.length, b.length, new Set([...a, ...b]).size]).toEqual([1, 1, 2]);
  });
});

describe("one", () => {
  it("that is registered here and called there has one scope", async () => {
    const shared = limiting("a");
    const app = newApp();
    app.use("/a", shared);
    app.use("/b", (c, next) => shared(c, next));
    app.all("*", (c) => c.text("fine"));
    expect((await scopesOf(app, "GET /a", "GET /b")).a).toHaveLength(1);
  });

  it.each<[string, () => MiddlewareHandler]>([
    ["at once", () => async (c, next) => limiting("a")(c, next)],
    [
      "after some work",
      () => async (c, next) => {
        await Promise.resolve();
        return limiting("a")(c, next);
      },
    ],
  ])("that is made anew for each request (%s) has one scope", async (_what, make) => {
    expect((await scopesOf(appWith(make()), "GET /", "GET /", "POST /")).a).toHaveLength(1);
  });
});

describe("a list of routes that says the same as an earlier one", () => {
  const limit = { name: "a", limit: 5, window: "1 m" } as const;
  const listWith = (more: object) => sameRoutes([{ path: "/*", limits: [{ ...limit, ...more }] }]).routes;

  it("is that one", () => {
    expect(listWith({ cost: 2 })).toBe(listWith({ cost: 2 }));
    expect(listWith({ cost: undefined })).toBe(listWith({}));
  });

  it.each<[string, unknown]>([
    ["a function", () => 2],
    ["a symbol", Symbol("2")],
    ["no number", Number.NaN],
    ["no end", Number.POSITIVE_INFINITY],
    ["no beginning", Number.NEGATIVE_INFINITY],
    ["a bigint", 2n],
  ])("is none where JSON would lose %s: its error is its own, and it has no other's", (_what, cost) => {
    expect(listWith({ cost })).not.toBe(listWith({}));
    expect(listWith({ cost })).not.toBe(listWith({ cost: null }));
    expect(listWith({ cost })).not.toBe(listWith({ cost }));
  });
});
