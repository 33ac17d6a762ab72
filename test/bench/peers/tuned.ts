import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis/cloudflare";
import { Hono } from "hono";
import { CACHE_TTL, callerOf, type Environment, LIMIT, originUrl } from "./environment.ts";

/**
 * The recipe as a competent developer writes it: limit, session and cache at the same time, no retries, 400 ms for each
 * call and then on without it, writes after the response, the limiter's own memory of who is blocked.
 */
const app = new Hono<{ Bindings: Environment }>();
const settings = { prefix: "tuned", ephemeralCache: new Map<string, number>() };
let shared: { redis: Redis; limiter: Ratelimit; blocked: Ratelimit } | undefined;

function open(env: Environment) {
  if (shared) return shared;
  const redis = Redis.fromEnv(env, {
    retry: { retries: 0 },
    signal: () => AbortSignal.timeout(400),
    enableAutoPipelining: false,
  });
  shared = {
    redis,
    limiter: new Ratelimit({
      ...settings,
      redis,
      limiter: Ratelimit.slidingWindow(LIMIT, "1 h"),
      timeout: 400,
    }),
    blocked: new Ratelimit({
      ...settings,
      redis,
      limiter: Ratelimit.slidingWindow(1, "1 d"),
      timeout: 400,
      prefix: "tuned:blocked",
    }),
  };
  return shared;
}

app.post("/sign-in", async (c) => {
  const token = crypto.randomUUID();
  await open(c.env).redis.set(`tuned:session:${token}`, { user: "ada" }, { ex: 86_400 });
  return c.json({ token });
});

app.all("*", async (c) => {
  const { redis, limiter, blocked } = open(c.env);
  const { pathname, search } = new URL(c.req.url);
  const needsSession = /^\/(session|leased|write)\//.test(pathname);
  const token = c.req.header("authorization")?.replace("Bearer ", "");
  const key = `tuned:cache:${pathname}${search}`;
  const isGet = c.req.method === "GET";
  const by = pathname === "/blocked" ? blocked : limiter;
  const unlessLost = <Value>(work: Promise<Value>, lost: Value) => work.catch(() => lost);
  const [{ success }, session, cached] = await Promise.all([
    unlessLost<{ success: boolean }>(by.limit(callerOf(c.req.raw.headers)), { success: true }),
    needsSession ? unlessLost<unknown>(redis.get(`tuned:session:${token}`), null) : true,
    isGet ? unlessLost<object | null>(redis.get<object>(key), null) : null,
  ]);
  if (!success) return c.json({ error: "Too many requests" }, 429);
  if (!session) return c.json({ error: "Unauthorized" }, 401);
  if (cached) return c.json(cached);
  if (!isGet) return fetch(originUrl(c.env, c.req.url), c.req.raw);
  const response = await fetch(originUrl(c.env, c.req.url), { headers: c.req.raw.headers });
  const body = await response.json<object>();
  c.executionCtx.waitUntil(redis.set(key, body, { ex: CACHE_TTL }).catch(() => {}));
  return c.json(body);
});

export default app;
