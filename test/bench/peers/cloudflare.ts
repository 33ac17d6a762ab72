import { type Context, Hono, type Next } from "hono";
import { CACHE_TTL, callerOf, type Environment, originUrl } from "./environment.ts";

interface RateLimit {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}
type Env = { Bindings: Environment & { LIMITER: RateLimit; BLOCKED: RateLimit } };

/**
 * What Cloudflare has itself: its rate limiting binding, which counts by location and window of a minute, and its Cache API, which
 * keeps by location. It has no sessions.
 */
const app = new Hono<Env>();

async function limited(c: Context<Env>, next: Next): Promise<Response | undefined> {
  const by = c.req.path === "/blocked" ? c.env.BLOCKED : c.env.LIMITER;
  const { success } = await by.limit({ key: callerOf(c.req.raw.headers) });
  if (!success) return c.json({ error: "Too many requests" }, 429);
  await next();
}

app.use("*", limited);

app.get("*", async (c) => {
  const cache = (caches as unknown as { default: Cache }).default;
  const key = new Request(c.req.url);
  const cached = await cache.match(key);
  if (cached) return cached;
  const response = await fetch(originUrl(c.env, c.req.url), { headers: c.req.raw.headers });
  const kept = new Response(response.body, response);
  kept.headers.set("cache-control", `max-age=${CACHE_TTL}`);
  c.executionCtx.waitUntil(cache.put(key, kept.clone()));
  return kept;
});

app.all("*", (c) => fetch(originUrl(c.env, c.req.url), c.req.raw));
export default app;
