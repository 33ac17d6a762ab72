import { Hono } from "hono";

/** A constant: what the runtime and the router cost. */
const app = new Hono();
app.all("*", (c) => c.json({ hello: "world" }));
export default app;
