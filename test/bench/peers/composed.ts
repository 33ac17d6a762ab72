import { type SessionEnv, useSession, useSessionStorage } from "@hono/session";
import { Redis } from "@upstash/redis/cloudflare";
import { Hono, type MiddlewareHandler } from "hono";
import { cache } from "hono/cache";
import { RedisStore, rateLimiter } from "hono-rate-limiter";
import { CACHE_TTL, callerOf, type Environment, LIMIT, originUrl } from "./environment.ts";

/** Hono's own parts put together: hono-rate-limiter with its Redis store, @hono/session over Upstash, hono/cache. */
const app = new Hono<{ Bindings: Environment } & SessionEnv<{ user: string }>>();
let shared: { redis: Redis; limiter: MiddlewareHandler; blocked: MiddlewareHandler } | undefined;

function open(env: Environment) {
  if (shared) return shared;
  const redis = Redis.fromEnv(env);
  const keyGenerator = (c: { req: { raw: Request } }) => callerOf(c.req.raw.headers);
  const client = {
    scriptLoad: (script: string) => redis.scriptLoad(script) as Promise<string>,
    evalsha: <Args extends unknown[], Data>(sha: string, keys: string[], args: Args) =>
      redis.evalsha<Args, Data>(sha, keys, args),
    decr: (key: string) => redis.decr(key),
    del: (key: string) => redis.del(key),
  };
  const limiter = (limit: number, windowMs: number, prefix: string) =>
    rateLimiter({ limit, windowMs, keyGenerator, store: new RedisStore({ client, prefix }) });
  shared = {
    redis,
    limiter: limiter(LIMIT, 3_600_000, "composed:"),
    blocked: limiter(1, 86_400_000, "composed:blocked:"),
  };
  return shared;
}

app.use("*", (c, next) => {
  const { limiter, blocked } = open(c.env);
  return (c.req.path === "/blocked" ? blocked : limiter)(c, next);
});
app.use(
  "*",
  useSessionStorage((c) => {
    const { redis } = open(c.env as Environment);
    return {
      get: (sid) => redis.get(`composed:session:${sid}`),
      // The library does not wait for it, and the runtime ends what nobody waits for.
      set: (sid, value) =>
        c.executionCtx.waitUntil(redis.set(`composed:session:${sid}`, value, { ex: 86_400 })),
      delete: async (sid) => void (await redis.del(`composed:session:${sid}`)),
    };
  }),
  useSession<{ user: string }>(),
);
app.post("/sign-in", async (c) => {
  await c.var.session.update({ user: "ada" });
  return c.json({ cookie: true });
});
app.on(["GET", "POST"], ["/session/*", "/leased/*", "/write/*"], async (c, next) => {
  const data = await c.var.session.get();
  if (!data) return c.json({ error: "Unauthorized" }, 401);
  return next();
});
app.get("*", cache({ cacheName: "composed", cacheControl: `max-age=${CACHE_TTL}` }));
app.all("*", (c) =>
  c.req.method === "GET"
    ? fetch(originUrl(c.env, c.req.url), { headers: c.req.raw.headers })
    : fetch(originUrl(c.env, c.req.url), c.req.raw),
);
export default app;
