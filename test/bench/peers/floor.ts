import { Hono } from "hono";
import { proxy } from "hono/proxy";
import { type Environment, originUrl } from "./environment.ts";

/** Passed through to the origin, and nothing else: what any gateway costs. */
const app = new Hono<{ Bindings: Environment }>();
app.all("*", (c) => proxy(originUrl(c.env, c.req.url), { ...c.req, headers: c.req.header() }));
export default app;
