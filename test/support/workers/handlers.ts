import { Hono } from "hono";
import { type EdgeEnv, edge } from "../../../src/middleware.ts";

/** Calls from a handler: a limit of its own, sessions, the key-value cache. */
const app = new Hono<EdgeEnv>();
app.use("*", edge({ session: "optional" }));

app.post("/send/:to", async (c) => {
  const verdict = await c.var.edge.limiter.limit(c.req.param("to"), {
    limit: 2,
    window: "1 d",
    name: "send",
  });
  return c.json(verdict, verdict.success ? 200 : 429);
});
app.get("/value/:name", async (c) => c.json(await c.var.edge.values.get(c.req.param("name"))));
app.put("/value/:name", async (c) =>
  c.json({ stored: await c.var.edge.values.set(c.req.param("name"), await c.req.json()) }),
);
app.delete("/value/:name", async (c) =>
  c.json({ deleted: await c.var.edge.values.delete(c.req.param("name")) }),
);
app.get("/failing/:name", async (c) => {
  let calls = 0;
  try {
    await c.var.edge.values.getOrSet(c.req.param("name"), () => {
      calls += 1;
      throw new Error("the fetch failed");
    });
    return c.json({ calls, error: null });
  } catch (error) {
    return c.json({ calls, error: error instanceof Error ? error.message : null });
  }
});
app.post("/session/:user", async (c) => {
  const { sessions } = c.var.edge;
  const created = await sessions.create({ userId: c.req.param("user") });
  const read = await sessions.get(created.claims.id);
  const ended = await sessions.delete(created.claims.id);
  const again = await sessions.get(created.claims.id);
  return c.json({ durable: created.durable, read: read.kind, ended, again: again.kind });
});

export default app;
