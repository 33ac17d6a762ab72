import { createLimits } from "envoyou-edge";
import { Hono } from "hono";

const app = new Hono();

const { rateLimit } = createLimits();
const limited = rateLimit({
  limits: [{ name: "tenant", limit: 5, window: "1 d" }],
  key: (c) => c.req.header("x-tenant"),
  onLimited: (c, { retryAfterSeconds }) => c.json({ error: "slow_down", retryAfterSeconds }, 429),
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
