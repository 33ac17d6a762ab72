import { Redis } from "@upstash/redis/cloudflare";
import { Hono, type MiddlewareHandler } from "hono";
import { cache } from "hono/cache";
import { createMiddleware } from "hono/factory";
import { RedisStore, rateLimiter } from "hono-rate-limiter";
import { type Session, type SessionData, sessionMiddleware } from "hono-sessions";

type Env = {
  Bindings: { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string };
  Variables: { session: Session<{ user: string }> };
};
const app = new Hono<Env>();

let made: MiddlewareHandler<Env> | undefined;
// The variables are there only once a request is.
const sessions: MiddlewareHandler<Env> = (c, next) => {
  const redis = Redis.fromEnv(c.env);
  const write = async (id: string, data: SessionData) =>
    void (await redis.set(`session:${id}`, data, { ex: 86_400 }));
  made ??= sessionMiddleware({
    store: {
      getSessionById: (id?: string) => redis.get<SessionData>(`session:${id}`),
      createSession: write,
      persistSessionData: write,
      deleteSession: async (id: string) => void (await redis.del(`session:${id}`)),
    },
    expireAfterSeconds: 86_400,
    cookieOptions: { path: "/", httpOnly: true, secure: true, sameSite: "Lax" },
  });
  return made(c, next);
};
let limiter: MiddlewareHandler<Env> | undefined;
// Its store loads a script when it is made. Made in a request that ends before that, it would let all later ones wait for ever.
const limited: MiddlewareHandler<Env> = (c, next) => {
  limiter ??= rateLimiter<Env>({
    windowMs: 86_400_000,
    limit: 1000,
    keyGenerator: (c) => c.var.session.get("user") ?? "",
    store: new RedisStore<Env>({ client: Redis.fromEnv(c.env) }),
  });
  return limiter(c, next);
};
const signedIn = createMiddleware<Env>(async (c, next) => {
  if (!c.var.session.get("user")) return c.json({ error: "Session required" }, 401);
  await next();
});
app.use("/orders/*", sessions, signedIn, limited);
app.use("/report", sessions, signedIn, limited);
app.post("/login", sessions, async (c) => {
  c.var.session.set("user", "ada");
  return c.json({ ok: true }, 201, { "Cache-Control": "no-store" });
});
// In an app of its own: hono/cache stores no answer with a cookie, and hono-sessions sets one with each.
const cached = new Hono();
cached.use(cache({ cacheName: "report", cacheControl: "max-age=60" }));
cached.get("/report", (c) => c.json({ made_at: new Date().toISOString() }));

app.get("/", (c) => c.text("Orders"));
app.get("/health", (c) => c.json({ ok: true }));
app.get("/orders", (c) => c.json([{ id: "1" }, { id: "2" }]));
app.get("/orders/:id", (c) => c.json({ id: c.req.param("id") }));
app.post("/orders", async (c) => c.json(await c.req.json(), 201));
app.get("/report", (c) => cached.fetch(c.req.raw, c.env, c.executionCtx));

export default app;
