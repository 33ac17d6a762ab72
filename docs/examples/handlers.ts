import { Hono } from "hono";
import { type EdgeEnv, edge } from "../../src/middleware.ts";

const app = new Hono<EdgeEnv>();

// For everybody: no handler below this line reads who is asking, so one stored answer may serve all.
app.use(
  "/report",
  edge({ limits: [{ name: "report", limit: 60, window: "1 m" }], cache: { ttl: 60, scope: "shared" } }),
);
app.get("/report", async (c) => {
  const report = await c.var.edge.values.getOrSet("report", makeReport, { ttl: 300 });
  return c.json(report);
});

// Signing in: guesses are counted by address, and the token goes to nobody but the one who signed in.
app.use(
  "/login",
  edge({ limits: [{ name: "login", limit: 5, window: "5 m", algorithm: "sliding-log", by: "address" }] }),
);
app.post("/login", async (c) => {
  const userId = await checkPassword(await c.req.json());
  if (userId === null) return c.json({ error: "Wrong user or password" }, 401);
  const { token } = await c.var.edge.sessions.create({ userId });
  return c.json({ token }, 201, { "cache-control": "no-store" });
});

// For one user: without a living session the edge answers 401 and no handler runs. Nothing here is cached.
app.use("/me/*", edge({ session: "required" }));
app.get("/me/profile", (c) => c.json({ user: c.var.user?.id }, 200, { "cache-control": "no-store" }));
app.post("/me/mail", async (c) => {
  const { success, headers } = await c.var.edge.limiter.limit(`mail to ${c.var.user?.id}`, {
    name: "mail",
    limit: 2,
    window: "1 h",
  });
  return success ? c.json({ sent: true }) : c.json({ error: "Too many mails" }, 429, headers);
});

export default app;

async function makeReport(): Promise<{ made_at: string }> {
  return { made_at: new Date().toISOString() };
}

async function checkPassword({
  user,
  password,
}: {
  user?: string;
  password?: string;
}): Promise<string | null> {
  return user === "ada" && password === "correct horse" ? user : null;
}
