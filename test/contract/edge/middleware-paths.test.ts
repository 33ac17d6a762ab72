import { type Context, Hono } from "hono";
import { describe, expect, it } from "vitest";
import { createLimits } from "../../../src/create-limits.ts";
import type { MiddlewareLimit } from "../../../src/middleware/options.ts";
import type { EdgeEnv } from "../../../src/middleware.ts";
import { edgeInRedis, executionContext, FROM } from "../../support/edge/hono-app.ts";

const limits: MiddlewareLimit[] = [{ name: "p", limit: 1000, window: "1 d" }];
const redis = edgeInRedis();
const middlewares = {
  createLimits: createLimits({ logLevel: "error" }).rateLimit(limits),
  rateLimit: redis.rateLimit(limits),
  session: redis.session(),
  responseCache: redis.responseCache({ ttl: 60, scope: "shared" }),
  edge: redis.edge({ limits, session: "optional", cache: { ttl: 60, scope: "shared" } }),
};

const handler = (c: Context) => c.json([c.req.path, c.req.param("id") ?? null]);
const ask = async (app: Hono<EdgeEnv>, path: string) => {
  const request = new Request(`https://app.example${path}`, { headers: FROM });
  const response = await app.fetch(request, {}, executionContext().context);
  return [response.status, await response.text()];
};

// Hono has found the route and reads the path for the handlers: nobody is there who could read it otherwise.
describe.each(Object.entries(middlewares))("behind %s", (_name, middleware) => {
  const bare = new Hono<EdgeEnv>().get("/files/:id", handler).get("*", handler);
  const app = new Hono<EdgeEnv>()
    .use(middleware as never)
    .get("/files/:id", handler)
    .get("*", handler);

  it.each([
    "/files/a%2Fb",
    "/files/https%3A%2F%2Fother.example%2Fx",
    "/files//a",
    "//files/a",
    "/files/a%5Cb",
    "/files/a%00b",
    "/files/a%0db",
    "/files/%zz",
    "/files/100%",
    "/files/%ff",
    "/files/a%252Fb",
    "/files/a;v=1",
    "/files/..;/a",
    "/files/caf%C3%A9",
    "/files/a/",
  ])("%s has the answer that it has without it", async (path) => {
    expect(await ask(app, path)).toEqual(await ask(bare, path));
    expect(await ask(app, path), "again").toEqual(await ask(bare, path));
  });
});

it("spellings of a path that Hono tells apart have stored answers of their own", async () => {
  const { responseCache } = edgeInRedis();
  const url = (c: Context) => c.text(new URL(c.req.url).pathname);
  const app = new Hono<EdgeEnv>().use(responseCache({ ttl: 60, scope: "shared" })).get("*", url);
  const spellings = ["/x/a%2Fb", "/x/a/b", "/x//a/b", "/x/a%252Fb", "/x/a%5Cb"];
  for (const time of ["miss", "hit"])
    for (const path of spellings) expect(await ask(app, path), time).toEqual([200, path]);
});
