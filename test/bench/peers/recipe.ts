import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis/cloudflare";
import { Hono } from "hono";
import { CACHE_TTL, callerOf, type Environment, LIMIT, originUrl } from "./environment.ts";

/**
 * The vendor's examples one after the other, with the SDKs' defaults: limit, then session, then cache. One client and one
 * limiter for the isolate, as the examples' module scope has them.
 */
const app = new Hono<{ Bindings: Environment }>();
let shared: { redis: Redis; limiter: Ratelimit; blocked: Ratelimit } | undefined;

function open(env: Environment) {
  const redis = Redis.fromEnv(env);
  shared ??= {
    redis,
    limiter: new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(LIMIT, "1 h"), prefix: "recipe" }),
    blocked: new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(1, "1 d"), prefix: "recipe:blocked" }),
  };
  return shared;
}

app.use("*", async (c, next) => {
  const { limiter, blocked } = open(c.env);
  const by = c.req.path === "/blocked" ? blocked : limiter;
  const { success } = await by.limit(callerOf(c.req.raw.headers));
  if (!success) return c.json({ error: "Too many requests" }, 429);
  return next();
});

app.on(["GET", "POST"], ["/session/*", "/leased/*", "/write/*"], async (c, next) => {
  const token = c.req.header("authorization")?.replace("Bearer ", "");
  const session = await open(c.env).redis.get(`recipe:session:${token}`);
  if (!session) return c.json({ error: "Unauthorized" }, 401);
  return next();
});

app.get("*", async (c) => {
  const { redis } = open(c.env);
  const { pathname, search } = new URL(c.req.url);
  const key = `recipe:cache:${pathname}${search}`;
  const cached = await redis.get<object>(key);
  if (cached) return c.json(cached);
  const response = await fetch(originUrl(c.env, c.req.url), { headers: c.req.raw.headers });
  const body = await response.json<object>();
  await redis.set(key, body, { ex: CACHE_TTL });
  return c.json(body);
});

app.post("/sign-in", async (c) => {
  const token = crypto.randomUUID();
  await open(c.env).redis.set(`recipe:session:${token}`, { user: "ada" }, { ex: 86_400 });
  return c.json({ token });
});

app.all("*", (c) => fetch(originUrl(c.env, c.req.url), c.req.raw));
export default app;
