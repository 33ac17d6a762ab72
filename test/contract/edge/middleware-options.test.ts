import { Hono } from "hono";
import { describe, expect, it, vi } from "vitest";
import { createLimits } from "../../../src/create-limits.ts";
import type { EdgeOptions, MiddlewareLimit } from "../../../src/middleware/options.ts";
import type { EdgeEnv } from "../../../src/middleware.ts";
import { edgeInRedis, executionContext, FROM, sign } from "../../support/edge/hono-app.ts";
import { printedLines } from "../../support/printed.ts";

const log = printedLines();

const two: MiddlewareLimit = { name: "m", limit: 2, window: "1 d" };
type Edge = ReturnType<typeof edgeInRedis>;
type Middleware = ReturnType<Edge["edge"]>;

/** The status of a request, and what the log says of the configuration. */
async function asked(middleware: Middleware) {
  const handler = vi.fn();
  const app = new Hono<EdgeEnv>().use(middleware).get("/", (c) => {
    handler();
    return c.text("fine");
  });
  const response = await app.request("/", { headers: FROM }, {}, executionContext().context);
  const issue = log.find((line) => line.includes("config.error")) ?? "";
  return { status: response.status, handled: handler.mock.calls.length, issue };
}

describe("options that TypeScript refuses and JavaScript lets pass", () => {
  it.each<[string, (edge: Edge) => Middleware, RegExp]>([
    ["session(true)", ({ session }) => session(true as never), /edge: session: found true/],
    ['session("requred")', ({ session }) => session("requred" as never), /edge: session: found .*requred/],
    ["session() with another option", ({ session }) => session({ requird: true } as never), /edge: requird/],
    ['edge({ session: "Required" })', ({ edge }) => edge({ session: "Required" as never }), /edge: session/],
    ["edge({ session: true })", ({ edge }) => edge({ session: true as never }), /edge: session/],
    ["edge({ session: null })", ({ edge }) => edge({ session: null as never }), /edge: session/],
    ["rateLimit() of undefined", ({ rateLimit }) => rateLimit(undefined as never), /limits/],
    ["rateLimit() of null", ({ rateLimit }) => rateLimit(null as never), /limits/],
    ["rateLimit({})", ({ rateLimit }) => rateLimit({} as never), /limits/],
    ["rateLimit() of a text", ({ rateLimit }) => rateLimit("60 per minute" as never), /edge: 0/],
    ["rateLimit() without limits", ({ rateLimit }) => rateLimit({ key: () => "a" } as never), /limits/],
    ["rateLimit() with null", ({ rateLimit }) => rateLimit({ limits: null } as never), /limits/],
    ["edge({ limits: null })", ({ edge }) => edge({ limits: null as never }), /limits/],
    [
      "the options of another library",
      ({ rateLimit }) => rateLimit({ limits: [two], keyGenerator: () => "a" } as never),
      /edge: keyGenerator: found a key that does not exist/,
    ],
    ["a handler's name", ({ edge }) => edge({ limits: [two], handler: () => {} } as never), /edge: handler/],
    ["a route's option", ({ edge }) => edge({ limits: [two], access: "session" } as never), /edge: access/],
    ["a second argument", ({ rateLimit }) => rateLimit([two], { max: 1 } as never), /edge: max/],
  ])("%s is a 500 that the log explains, and no handler runs", async (_what, middleware, said) => {
    const { status, handled, issue } = await asked(middleware(edgeInRedis()));
    expect([status, handled, issue]).toEqual([500, 0, expect.stringMatching(said)]);
  });

  it.each<[string, object]>([
    ["the options of another library", { limits: [two], keyGenerator: () => "a" }],
    ["no limits", {}],
  ])("limits alone with %s likewise", async (_what, options) => {
    const { rateLimit } = createLimits();
    const { status, handled, issue } = await asked(rateLimit(options as never) as never);
    expect([status, handled, issue !== ""]).toEqual([500, 0, true]);
  });

  it.each<[string, (edge: Edge) => Middleware, number]>([
    ["no limits of a list", ({ rateLimit }) => rateLimit([]), 200],
    ["limits for a tier only", ({ rateLimit }) => rateLimit({ limits: [], tiers: { pro: [two] } }), 200],
    ["an absent second argument", ({ rateLimit }) => rateLimit([two], undefined as never), 200],
    ["session()", ({ session }) => session(), 200],
    ["session({})", ({ session }) => session({}), 200],
    ["session({ required: false })", ({ session }) => session({ required: false }), 200],
    ["session({ required: true })", ({ session }) => session({ required: true }), 401],
    ["edge({})", ({ edge }) => edge({}), 200],
    ["options that are undefined", ({ edge }) => edge({ session: undefined } as unknown as EdgeOptions), 200],
  ])("%s is none of them", async (_what, middleware, status) => {
    expect(await asked(middleware(edgeInRedis()))).toMatchObject({ status, issue: "" });
  });
});

describe("a middleware that is used for all paths and again inside", () => {
  const ask = async (app: Hono<EdgeEnv>, path: string, times: number) => {
    let signs = "";
    for (let count = 0; count < times; count++)
      signs += sign(await app.request(path, { headers: FROM }, {}, executionContext().context));
    return signs;
  };

  it.each<[string, (limit: Middleware) => Hono<EdgeEnv>]>([
    ["for a route", (limit) => new Hono<EdgeEnv>().use(limit).get("/x", limit, (c) => c.text("fine"))],
    ["twice for a route", (limit) => new Hono<EdgeEnv>().get("/x", limit, limit, (c) => c.text("fine"))],
    [
      "in an app of a path",
      (limit) =>
        new Hono<EdgeEnv>().use(limit).route(
          "/",
          new Hono<EdgeEnv>().use(limit).get("/x", (c) => c.text("fine")),
        ),
    ],
    [
      "behind another middleware",
      (limit) =>
        new Hono<EdgeEnv>()
          .use("*", limit)
          .use("/x", edgeInRedis().rateLimit([{ name: "other", limit: 9, window: "1 d" }]))
          .get("/x", limit, (c) => c.text("fine")),
    ],
  ])("%s counts a request once, with one call and one name", async (_what, appOf) => {
    const { rateLimit, lines } = edgeInRedis();
    const app = appOf(rateLimit([two]));
    expect(await ask(app, "/x", 3)).toBe("++-");
    expect(lines()).toHaveLength(3);
  });

  it("and requires its session once, of a request that has none too", async () => {
    const { session } = edgeInRedis();
    const required = session("required");
    const app = new Hono<EdgeEnv>().use(required).get("/x", required, (c) => c.text("fine"));
    expect((await ask(app, "/x", 1)).trim()).toBe("401");
  });
});
