import { Redis } from "@upstash/redis/cloudflare";
import { Hono, type MiddlewareHandler } from "hono";
import { RedisStore, rateLimiter } from "hono-rate-limiter";

type Env = { Bindings: { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string } };
const app = new Hono<Env>();
const limited = (): MiddlewareHandler<Env> => {
  let limiter: MiddlewareHandler<Env> | undefined;
  return (c, next) => {
    limiter ??= rateLimiter<Env>({
      windowMs: 86_400_000,
      limit: 5,
      keyGenerator: () => "acme",
      store: new RedisStore<Env>({ client: Redis.fromEnv(c.env) }),
    });
    return limiter(c, next);
  };
};
app.get("/a", limited(), (c) => c.text("a"));
app.get("/b", limited(), (c) => c.text("b"));
export default app;
