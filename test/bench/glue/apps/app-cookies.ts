import { Redis } from "@upstash/redis/cloudflare";
import { Hono, type MiddlewareHandler } from "hono";
import { cache } from "hono/cache";
import { createMiddleware } from "hono/factory";
import { RedisStore, rateLimiter } from "hono-rate-limiter";
import { CookieStore, type Session, sessionMiddleware } from "hono-sessions";

type Env = {
  Bindings: { UPSTASH_REDIS_REST_URL: string; UPSTASH_REDIS_REST_TOKEN: string; SESSION_SECRET: string };
  Variables: { session: Session<{ user: string }> };
};
const app = new Hono<Env>();

let made: MiddlewareHandler<Env> | undefined;
// The variables are there only once a request is.
const sessions: MiddlewareHandler<Env> = (c, next) => {
  made ??= sessionMiddleware({
    store: new CookieStore(),
    encryptionKey: c.env.SESSION_SECRET,
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

app.get("/", (c) => c.text("Orders"));
app.get("/health", (c) => c.json({ ok: true }));
app.get("/orders", (c) => c.json([{ id: "1" }, { id: "2" }]));
app.get("/orders/:id", (c) => c.json({ id: c.req.param("id") }));
app.post("/orders", async (c) => c.json(await c.req.json(), 201));
app.get("/report", cache({ cacheName: "report", cacheControl: "max-age=60" }), (c) =>
  c.json({ made_at: new Date().toISOString() }),
);

export default app;
