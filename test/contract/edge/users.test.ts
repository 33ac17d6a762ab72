import { describe, expect, it, test } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import type { EmittedEvent } from "../../../src/events/sink.ts";
import {
  ADMIN_TOKEN,
  METRICS_TOKEN,
  type MeteredEdgeOptions,
  meteredEdge,
} from "../../support/metered-edge.ts";

const SERVICE_TOKEN = "service-token-of-this-test-only";
const ROUTES: RouteInput[] = [
  {
    path: "/mine",
    access: "session",
    cache: { ttl: 600, scope: "caller" },
    limits: [{ name: "mine", limit: 5, window: "1 h" }],
    tiers: { gold: [{ name: "mine", limit: 50, window: "1 h" }] },
  },
  { path: "/*" },
];

function world(options: MeteredEdgeOptions = {}) {
  const edge = meteredEdge({ routes: ROUTES, origin: () => new Response(crypto.randomUUID()), ...options });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  async function signIn(user: string): Promise<string> {
    const body = JSON.stringify({ user_id: user });
    const response = await edge.ask("/auth/sessions", {
      method: "POST",
      headers: bearer(SERVICE_TOKEN),
      body,
    });
    return (await response.json<{ token: string }>()).token;
  }

  async function mine(token: string) {
    const response = await edge.ask("/mine", { headers: bearer(token) });
    return { status: response.status, text: await response.text(), left: response.headers.get("ratelimit") };
  }

  async function operate(what: string, body: unknown, token: string | null = ADMIN_TOKEN) {
    const response = await edge.ask(`/edge/users/${what}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token !== null && bearer(token)) },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    expect(response.headers.get("cache-control")).toBe("no-store");
    // biome-ignore lint/suspicious/noExplicitAny: what a test compares.
    return { status: response.status, body: await response.json<any>() };
  }

  return { ...edge, signIn, mine, operate };
}

/** Isolates that share a Redis. */
function pair() {
  const one = world();
  return [one, world({ prefix: one.prefix, now: one.platform.now() })] as const;
}

describe("POST /edge/users/sign-out", () => {
  it("ends a user's sessions in every isolate, and nobody else's", async () => {
    const [one, other] = pair();
    const tokens = [await one.signIn("u_1"), await one.signIn("u_1")];
    const stranger = await one.signIn("u_2");
    expect((await other.mine(tokens[0] ?? "")).status).toBe(200);
    const told = await one.operate("sign-out", { user: "u_1" });
    expect(told).toEqual({ status: 200, body: { user: "u_1", sessions_ended: 2, reach: "everywhere" } });
    for (const isolate of [one, other]) {
      for (const token of tokens) expect((await isolate.mine(token)).status).toBe(401);
      expect((await isolate.mine(stranger)).status).toBe(200);
    }
    const again = await one.operate("sign-out", { user: "u_1" });
    expect(again).toEqual({ status: 200, body: { user: "u_1", sessions_ended: 0, reach: "everywhere" } });
  });

  it("ends everyone's", async () => {
    const [one, other] = pair();
    const tokens = [await one.signIn("u_1"), await one.signIn("u_2")];
    const told = await other.operate("sign-out", { everyone: true });
    expect(told).toEqual({ status: 200, body: { everyone: true, reach: "everywhere" } });
    for (const token of tokens) expect((await one.mine(token)).status).toBe(401);
  });

  it.each([{ user: "u_1" }, { everyone: true }])(
    "says while the store is lost that %j is pending, and writes it when it is back",
    async (whom) => {
      const [one, other] = pair();
      const token = await one.signIn("u_1");
      one.platform.advance(10);
      one.wire.cut = true;
      expect(await one.operate("sign-out", whom)).toEqual({
        status: 202,
        body: { ...whom, reach: "this isolate" },
      });
      expect((await one.mine(token)).status).toBe(401);
      one.wire.cut = false;
      for (let step = 0; step < 3; step += 1) {
        one.platform.advance(31_000);
        await one.ask("/x");
      }
      other.platform.advance(93_010);
      expect((await other.mine(token)).status).toBe(401);
    },
  );

  it("without SESSION_SECRET there are none to end", async () => {
    const { operate } = world({ env: { SESSION_SECRET: "" } });
    expect(await operate("sign-out", { user: "u_1" })).toMatchObject({
      status: 503,
      body: { code: "SESSIONS_NOT_CONFIGURED" },
    });
  });
});

describe("POST /edge/users/export", () => {
  it("has the sessions as the service's list has them, and each window at each tier", async () => {
    const { signIn, mine, operate, ask } = world();
    const token = await signIn("u_1");
    await signIn("u_2");
    await mine(token);
    const { status, body } = await operate("export", { user: "u_1" });
    expect(status).toBe(200);
    const headers = { authorization: `Bearer ${SERVICE_TOKEN}` };
    const list = await (await ask("/auth/sessions/users/u_1", { headers })).json<{ sessions: object[] }>();
    expect(body.sessions).toEqual(list.sessions);
    expect(body.sessions).toHaveLength(1);
    const auth = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const told = await (await ask("/edge/limits/user:u_1", { headers: auth })).json<{
      caller: string;
      limits: { current: boolean }[];
    }>();
    expect({ caller: body.caller, limits: body.limits }).toEqual({
      caller: told.caller,
      limits: told.limits.map(({ current: _, ...limit }) => limit),
    });
    const windows = body.limits.filter(({ route }: { route: string }) => route === "/mine");
    expect(
      windows.map(({ tier, remaining }: { tier: string; remaining: number }) => [tier, remaining]),
    ).toEqual([
      [null, 4],
      ["gold", 49],
    ]);
    expect([body.user, body.complete]).toEqual(["u_1", true]);
    expect(body.cached_answers).toContain("cannot be listed");
  });

  it("says that it may be incomplete while the store is lost, and of nobody that there is nothing", async () => {
    const { operate, wire } = world();
    expect((await operate("export", { user: "nobody" })).body).toMatchObject({
      sessions: [],
      complete: true,
    });
    wire.cut = true;
    expect(await operate("export", { user: "u_1" })).toMatchObject({
      status: 200,
      body: { complete: false },
    });
  });
});

describe("POST /edge/users/delete", () => {
  it("ends sessions, forgets limits and withdraws the user's own answers, everywhere, with two calls", async () => {
    const [one, other] = pair();
    const token = await one.signIn("u_1");
    const stranger = await one.signIn("u_2");
    const first = await one.mine(token);
    expect((await one.mine(token)).text).toBe(first.text);
    const strangers = await one.mine(stranger);
    await other.mine(token);
    // The scripts are known to the server from here on.
    await one.operate("delete", { user: "somebody" });
    one.platform.advance(1000);
    other.platform.advance(1000);
    one.wire.calls.length = 0;
    const { status, body } = await one.operate("delete", { user: "u_1" });
    expect(status).toBe(200);
    expect(body).toEqual({
      user: "u_1",
      sessions: "done",
      limits: "done",
      cached_answers: "done",
      sessions_ended: 1,
      reach: "everywhere",
      not_deleted: expect.any(Array),
    });
    expect(one.wire.calls.filter((names) => !names.includes("hset"))).toHaveLength(2);
    // An isolate goes by what it has heard of a session within the last 5 s.
    for (const isolate of [one, other]) isolate.platform.advance(6000);
    for (const isolate of [one, other]) {
      expect((await isolate.mine(token)).status).toBe(401);
      expect((await isolate.mine(stranger)).text).toBe(strangers.text);
    }
    const kept = await other.operate("export", { user: "u_1" });
    expect(kept.body.sessions).toEqual([]);
    for (const { remaining, limit } of kept.body.limits) expect(remaining).toBe(limit);
    // Who signs in again begins anew.
    const fresh = await other.mine(await other.signIn("u_1"));
    expect(fresh.status).toBe(200);
    expect(fresh.text).not.toBe(first.text);
    expect((await one.operate("delete", { user: "u_1" })).status).toBe(200);
    expect((await one.operate("delete", { user: "u_1" })).body.sessions_ended).toBe(0);
  });

  it("does what it can while the store is lost, says what is pending and what to ask again, and writes the rest", async () => {
    const [one, other] = pair();
    const token = await one.signIn("u_1");
    const before = await one.mine(token);
    one.platform.advance(1000);
    one.wire.cut = true;
    expect(await one.operate("delete", { user: "u_1" })).toMatchObject({
      status: 202,
      body: { sessions: "pending", limits: "repeat", cached_answers: "pending", reach: "this isolate" },
    });
    expect((await one.mine(token)).status).toBe(401);
    one.wire.cut = false;
    for (let step = 0; step < 3; step += 1) {
      one.platform.advance(31_000);
      await one.ask("/x");
    }
    other.platform.advance(94_000);
    expect((await other.mine(token)).status).toBe(401);
    const again = await other.mine(await other.signIn("u_1"));
    expect(again.text).not.toBe(before.text);
    expect((await one.operate("delete", { user: "u_1" })).body).toMatchObject({ limits: "done" });
    expect((await other.operate("export", { user: "u_1" })).body.sessions).toEqual([]);
  });

  it("is in the log with the request's id, and with no user", async () => {
    const events: EmittedEvent[] = [];
    const { operate } = world({ sinks: [{ receive: (event) => void events.push(event) }] });
    await operate("delete", { user: "u_1@example.com" });
    expect(events.map(({ event }) => event)).toEqual(["session.revoked_all", "cache.purged", "request"]);
    const ids = new Set(events.map(({ fields }) => fields.request_id));
    expect([...ids]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(JSON.stringify(events)).not.toContain("u_1");
  });

  it("without a store, everything is this isolate's, and done", async () => {
    const { operate, signIn, mine } = world({
      env: { UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" },
    });
    const token = await signIn("u_1");
    await mine(token);
    expect(await operate("delete", { user: "u_1" })).toMatchObject({
      status: 200,
      body: {
        sessions: "done",
        sessions_ended: 1,
        limits: "done",
        cached_answers: "done",
        reach: "this isolate",
      },
    });
    expect((await mine(token)).status).toBe(401);
  });

  it("without SESSION_SECRET, sessions are none", async () => {
    const { operate } = world({ env: { SESSION_SECRET: "" } });
    const { status, body } = await operate("delete", { user: "u_1" });
    expect([status, body.sessions, body.limits, body.reach]).toEqual([200, "none", "done", "everywhere"]);
  });
});

const BODY = { status: 400, code: "UNKNOWN_CALLER" };
const big = JSON.stringify({ user: "x".repeat(2_100_000) });

describe.each(["sign-out", "export", "delete"])("bad input to %s", (what) => {
  test.each([
    ["nothing", "", "body"],
    ["no user", {}, what === "sign-out" ? "body" : "user"],
    ["an empty user", { user: "" }, "user"],
    ["half a character", '{"user":"a\\ud800"}', "user"],
    ["an array", ["u_1"], "body"],
    ["users in a list", { user: ["u_1"] }, "user"],
    ["a number", { user: 1 }, "user"],
    ["null", { user: null }, "user"],
    ["a text", '"u_1"', "body"],
    ["an unknown member", { user: "u_1", users: ["u_2"] }, "users"],
    ["no JSON", "user=u_1", "body"],
    ["everyone, but no", { everyone: false }, what === "sign-out" ? "body" : "user"],
    ["both", { user: "u_1", everyone: true }, what === "sign-out" ? "body" : "everyone"],
  ])("%s is a 400 that names the place", async (_, body, field) => {
    const told = await world().operate(what, body);
    expect({ status: told.status, code: told.body.code, field: told.body.errors?.[0]?.field }).toEqual({
      ...BODY,
      field,
    });
    expect(told.body.errors[0].reason).toMatch(/^(must|is) ./);
  });

  // A user id of a JWT may be any text.
  test.each([
    "\0",
    ".",
    "..",
    "a/b?c#d",
    "ü 漢 🦊",
    " ",
    "__proto__",
    "*",
    // Longer than a session's may be that a server starts.
    ["x", 257],
    ["ü", 20_000],
  ])("%j is a user like any other", async (given) => {
    const user = typeof given === "string" ? given : String(given[0]).repeat(Number(given[1]));
    const edge = world();
    expect((await edge.operate(what, { user })).status).toBe(200);
    expect((await edge.operate(what, { user })).body.user).toBe(user);
  });

  test.each([
    ["no token", null],
    ["a wrong one", "wrong-token-of-this-test"],
    ["METRICS_TOKEN", METRICS_TOKEN],
    ["SERVICE_TOKEN", SERVICE_TOKEN],
  ])("%s is a 401", async (_, token) => {
    const told = await world().operate(what, { user: "u_1" }, token);
    expect([told.status, told.body.code]).toEqual([401, "TOKEN_REQUIRED"]);
  });

  test("too long is a 413, another type a 415, another method a 405, without ADMIN_TOKEN a 404", async () => {
    const edge = world();
    expect((await edge.operate(what, big)).status).toBe(413);
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/xml" };
    const init = { method: "POST", headers, body: "<user/>" };
    expect((await edge.ask(`/edge/users/${what}`, init)).status).toBe(415);
    expect((await edge.ask(`/edge/users/${what}`, { headers })).status).toBe(405);
    expect((await world({ env: { ADMIN_TOKEN: "" } }).operate(what, { user: "u_1" })).status).toBe(404);
  });
});
