import { createEdge, type EdgeEnv } from "envoyou-edge";
import { Hono } from "hono";

const app = new Hono<EdgeEnv>();

const { edge } = createEdge();
const limits = [{ name: "user", limit: 1000, window: "1 d", shared: true }] as const;
app.use("/orders/*", edge({ limits, session: "required" }));
app.use("/report", edge({ limits, session: "required", cache: { ttl: 60, scope: "shared" } }));
app.post("/login", edge({ session: "optional" }), async (c) => {
  const { token } = await c.var.edge.sessions.create({ userId: "ada" });
  return c.json({ token }, 201, { "Cache-Control": "no-store" });
});

app.get("/", (c) => c.text("Orders"));
app.get("/health", (c) => c.json({ ok: true }));
app.get("/orders", (c) => c.json([{ id: "1" }, { id: "2" }]));
app.get("/orders/:id", (c) => c.json({ id: c.req.param("id") }));
app.post("/orders", async (c) => c.json(await c.req.json(), 201));
app.get("/report", (c) => c.json({ made_at: new Date().toISOString() }));

export default app;
