import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis/cloudflare";
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";

type Env = { Bindings: { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string } };
const app = new Hono<Env>();

// It stands outside of the handler, as the package's documentation advises, so that a blocked caller costs no call.
const ephemeralCache = new Map<string, number>();
const limited = createMiddleware<Env>(async (c, next) => {
  const limiter = Ratelimit.slidingWindow(5, "1 d");
  const ratelimit = new Ratelimit({ redis: Redis.fromEnv(c.env), limiter, ephemeralCache });
  const tenant = c.req.header("x-tenant") ?? c.req.header("cf-connecting-ip") ?? "";
  const { success, reset, pending } = await ratelimit.limit(tenant);
  c.executionCtx.waitUntil(pending);
  if (success) return next();
  const retryAfterSeconds = Math.ceil((reset - Date.now()) / 1000);
  const headers = { "Retry-After": String(retryAfterSeconds) };
  return c.json({ error: "slow_down", retryAfterSeconds }, 429, headers);
});
app.use("/orders/*", limited);
app.use("/report", limited);

app.get("/", (c) => c.text("Orders"));
app.get("/health", (c) => c.json({ ok: true }));
app.get("/orders", (c) => c.json([{ id: "1" }, { id: "2" }]));
app.get("/orders/:id", (c) => c.json({ id: c.req.param("id") }));
app.post("/orders", async (c) => c.json(await c.req.json(), 201));
app.get("/report", (c) => c.json({ made_at: new Date().toISOString() }));

export default app;
