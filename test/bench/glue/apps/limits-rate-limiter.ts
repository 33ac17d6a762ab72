import { Redis } from "@upstash/redis/cloudflare";
import { Hono, type MiddlewareHandler } from "hono";
import { RedisStore, rateLimiter } from "hono-rate-limiter";

type Env = { Bindings: { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string } };
const app = new Hono<Env>();

let limiter: MiddlewareHandler<Env> | undefined;
// The variables are there only once a request is.
const limited: MiddlewareHandler<Env> = (c, next) => {
  limiter ??= rateLimiter<Env>({
    windowMs: 86_400_000,
    limit: 5,
    keyGenerator: (c) => c.req.header("x-tenant") ?? c.req.header("cf-connecting-ip") ?? "",
    handler: (c) =>
      c.json({ error: "slow_down", retryAfterSeconds: Number(c.res.headers.get("Retry-After")) }, 429),
    store: new RedisStore<Env>({ client: Redis.fromEnv(c.env) }),
  });
  return limiter(c, next);
};
app.use("/orders/*", limited);
app.use("/report", limited);

app.get("/", (c) => c.text("Orders"));
app.get("/health", (c) => c.json({ ok: true }));
app.get("/orders", (c) => c.json([{ id: "1" }, { id: "2" }]));
app.get("/orders/:id", (c) => c.json({ id: c.req.param("id") }));
app.post("/orders", async (c) => c.json(await c.req.json(), 201));
app.get("/report", (c) => c.json({ made_at: new Date().toISOString() }));

export default app;
