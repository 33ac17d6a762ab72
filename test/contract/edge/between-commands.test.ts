import { describe, expect, inject, it } from "vitest";
import { verifyToken } from "../../../src/identity/session-token.ts";
import { countingEdge, SESSION_SECRET } from "../../support/edge/counting-edge.ts";
import { freshPrefix } from "../../support/limits.ts";

/** One command to Redis, past the edge. */
async function redis(...command: string[]) {
  const headers = { authorization: `Bearer ${inject("upstashToken")}` };
  await fetch(inject("upstashUrl"), { method: "POST", headers, body: JSON.stringify(command) });
}

/** What ends a session after the first command of a call has read it, and before the script of the limits reads it. */
describe("a session that ends between two commands of one call", () => {
  // Sessions of these platforms have the same ids.
  const edge = (prefix: string) =>
    countingEdge({
      routes: [
        { path: "/limited", limits: [{ name: "few", limit: 50, window: "1 h" }] },
        { path: "/mine", access: "session" },
      ],
      env: { REDIS_SESSION_PREFIX: prefix, LOG_LEVEL: "error" },
      fetchOrigin: async () => new Response("the API's"),
    });

  it.each<[what: string, command: (prefix: string, id: string, now: number) => string[]]>([
    ["by its tombstone", (prefix, id) => ["SET", `${prefix}:tombstone:${id}`, "1", "PX", "60000"]],
    [
      "with everyone's",
      (prefix, _id, now) => ["SET", `${prefix}:version`, String(now + 1000), "PX", "60000"],
    ],
  ])("%s is over for good in the isolate that was told so, also without Redis", async (_what, command) => {
    const prefix = `{${freshPrefix()}}`;
    const [there, here] = [edge(prefix), edge(prefix)];
    const token = await there.session("ada");
    const authorization = `Bearer ${token}`;
    const now = here.platform.now();
    const claims = await verifyToken(token, { secrets: [SESSION_SECRET], now, absoluteSeconds: 2_592_000 });
    here.state.between = () => redis(...command(prefix, claims?.id ?? "", now));
    await here.ask("/limited", { authorization });
    here.state.down = true;
    expect((await here.ask("/mine", { authorization })).status).toBe(401);
  });

  it("and one that does not end goes on without Redis", async () => {
    const prefix = `{${freshPrefix()}}`;
    const [there, here] = [edge(prefix), edge(prefix)];
    const authorization = `Bearer ${await there.session("ada")}`;
    here.state.between = async () => {};
    await here.ask("/limited", { authorization });
    here.state.down = true;
    expect((await here.ask("/mine", { authorization })).status).toBe(200);
  });
});
