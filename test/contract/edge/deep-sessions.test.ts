import { Hono } from "hono";
import { expect, it } from "vitest";
import type { EdgeEnv } from "../../../src/middleware.ts";
import { JsonText } from "../../../src/runtime/json-text.ts";
import { DEEP, DEEP_JSON } from "../../support/deep-json.ts";
import { edgeInRedis, executionContext, FROM } from "../../support/edge/hono-app.ts";
import { printedLines } from "../../support/printed.ts";

printedLines();

it.each(Object.entries(DEEP_JSON))("a session whose user data are %s reaches handlers", async (_, json) => {
  const app = new Hono<EdgeEnv>().use(edgeInRedis().edge({ session: "optional" }));
  app.post("/", async (c) => {
    const { sessions } = c.var.edge;
    return c.text((await sessions.create({ userId: "ada", userData: new JsonText(json(DEEP)) })).token);
  });
  app.post("/new-id", async (c) => {
    const rotated = c.var.session && (await c.var.edge.sessions.rotate(c.var.session));
    return c.text(rotated?.token ?? "none");
  });
  app.get("/", (c) => c.text(`${c.var.user?.id} ${c.var.session?.text.includes(json(DEEP))}`));
  const ask = async (method: string, path: string, token?: string) => {
    const headers = { ...FROM, ...(token && { authorization: `Bearer ${token}` }) };
    const { context, settled } = executionContext();
    const answer = await app.request(path, { method, headers }, {}, context);
    const text = await answer.text();
    await settled();
    return text;
  };
  const token = await ask("POST", "/");
  expect(await ask("GET", "/", token)).toBe("ada true");
  expect(await ask("GET", "/", await ask("POST", "/new-id", token))).toBe("ada true");
});
