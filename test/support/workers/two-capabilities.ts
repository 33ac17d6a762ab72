import { Hono } from "hono";
import { type EdgeEnv, edge, rateLimit, responseCache, session } from "../../../src/middleware.ts";

const app = new Hono<EdgeEnv>();
const limits = [{ name: "mine", limit: 5, window: "1 h" } as const];

app.use("/both", edge({ limits, cache: { ttl: 60, scope: "shared" } }));
app.use("/limited", rateLimit(limits));
app.use("/signed-in", session("required"));
app.use("/cached", responseCache({ ttl: 60, scope: "shared" }));
app.get("*", (c) => c.json({ path: c.req.path, user: c.var.user?.id ?? null, at: crypto.randomUUID() }));

export default app;
