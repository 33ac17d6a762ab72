import { createLimits } from "envoyou-edge";
import { Hono } from "hono";

const app = new Hono();
const { rateLimit } = createLimits();
const key = () => "acme";
const limits = [{ name: "tenant", limit: 5, window: "1 d" }] as const;
app.get("/a", rateLimit({ limits, key }), (c) => c.text("a"));
app.get("/b", rateLimit({ limits, key }), (c) => c.text("b"));
export default app;
