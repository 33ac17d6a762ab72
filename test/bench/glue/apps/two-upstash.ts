import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis/cloudflare";
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";

type Env = { Bindings: { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string } };
const app = new Hono<Env>();
const limited = () =>
  createMiddleware<Env>(async (c, next) => {
    const limiter = Ratelimit.slidingWindow(5, "1 d");
    const { success } = await new Ratelimit({ redis: Redis.fromEnv(c.env), limiter }).limit("acme");
    return success ? next() : c.text("", 429);
  });
app.get("/a", limited(), (c) => c.text("a"));
app.get("/b", limited(), (c) => c.text("b"));
export default app;
