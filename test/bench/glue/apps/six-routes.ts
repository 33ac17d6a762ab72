import { Hono } from "hono";

const app = new Hono();

app.get("/", (c) => c.text("Orders"));
app.get("/health", (c) => c.json({ ok: true }));
app.get("/orders", (c) => c.json([{ id: "1" }, { id: "2" }]));
app.get("/orders/:id", (c) => c.json({ id: c.req.param("id") }));
app.post("/orders", async (c) => c.json(await c.req.json(), 201));
app.get("/report", (c) => c.json({ made_at: new Date().toISOString() }));

export default app;
