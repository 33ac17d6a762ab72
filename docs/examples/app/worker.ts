import { createEdge, type EdgeEnv } from "envoyou-edge";
import { Hono } from "hono";

const { edge } = createEdge();

const app = new Hono<EdgeEnv>()
  // Guesses are counted by address.
  .post(
    "/api/login",
    edge({ limits: [{ name: "login", limit: 5, window: "5 m", by: "address" }], session: "optional" }),
    async (c) => {
      const { user, password } = await c.req.json<{ user?: string; password?: string }>();
      if (user !== "ada" || password !== "correct horse")
        return c.json({ error: "Wrong name or password" }, 401);
      const { token } = await c.var.edge.sessions.create({ userId: user });
      // The client of the page keeps what stands in this field, and sends it with every request.
      return c.json({ user }, 201, { "X-Session-Token": token, "Cache-Control": "no-store" });
    },
  )
  // Limits, session and cache with one call to Upstash. One report for all members: the handler reads nothing of who asks.
  .get(
    "/api/report",
    edge({
      limits: [{ name: "report", limit: 60, window: "1 m" }],
      session: "required",
      cache: { ttl: 60, scope: "shared" },
    }),
    (c) => c.json({ made_at: new Date().toISOString() }),
  )
  .post("/api/logout", edge({ session: "required" }), async (c) => {
    if (c.var.session) await c.var.edge.sessions.delete(c.var.session.claims);
    return c.json({ ended: true }, 200, { "Cache-Control": "no-store" });
  });

export type App = typeof app;
export default app;
