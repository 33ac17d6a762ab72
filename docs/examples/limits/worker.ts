import { createLimits } from "envoyou-edge";
import { Hono } from "hono";

const { rateLimit } = createLimits();
const app = new Hono();

app.use("/api/*", rateLimit([{ name: "api", limit: 60, window: "1 m" }]));
app.get("/api/time", (c) => c.json({ time: new Date().toISOString() }));

export default app;
