import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { cacheable, gatedEdge } from "../../support/edge/gated-edge.ts";

const SERVICE = "service-token-of-this-test-only-01";
const ROUTES: RouteInput[] = [
  { path: "/logout", methods: ["POST"], session: "end" },
  { path: "/login", methods: ["POST"], session: "start" },
  { path: "/me", access: "session" },
];

function opened() {
  const edge = gatedEdge({
    routes: ROUTES,
    env: {
      LOG_LEVEL: "error",
      SERVICE_TOKEN: SERVICE,
      SESSION_SECRET: "session-secret-of-this-test-only-0123",
      ISOLATE_MAX_AGE_MS: "0",
      ORIGIN_TOKEN: "origin-token-of-this-test-only-01",
    },
    answer: ({ path }) =>
      cacheable("fine", {
        "cache-control": "no-store",
        ...(path === "/login" && { "x-edge-session": '{"user_id":"ada","carry":"bearer"}' }),
      }),
  });
  const as = (token: string, method: string, path: string, isolate = 0) =>
    edge.ask(path, { isolate, method, headers: { authorization: `Bearer ${token}` } });
  const tokenIn = ({ text }: { text: string }) => (JSON.parse(text) as { token: string }).token;
  return {
    ...edge,
    as,
    async begin(user = "ada") {
      const headers = { authorization: `Bearer ${SERVICE}`, "content-type": "application/json" };
      return tokenIn(
        await edge.ask("/auth/sessions", {
          method: "POST",
          headers,
          body: JSON.stringify({ user_id: user }),
        }),
      );
    },
    rotated: async (token: string, isolate = 0) =>
      tokenIn(await as(token, "POST", "/auth/sessions/rotate", isolate)),
    lives: async (token: string, isolate = 0) => (await as(token, "GET", "/me", isolate)).status === 200,
  };
}

type Opened = ReturnType<typeof opened>;

/** A session that got a new id in one tab, or by a thief, while another tab still has the former one (RFC 9700 §4.14.2). */
describe.each<[way: string, method: string, path: string, status: number]>([
  ["the edge's path", "DELETE", "/auth/sessions/current", 401],
  ["a route that ends sessions", "POST", "/logout", 200],
  ["a sign-in, which ends what the client had", "POST", "/login", 200],
])("a sign-out by %s with a former id", (_, method, path, status) => {
  it.each<[what: string, rotate: (edge: Opened, token: string) => Promise<string>]>([
    ["in the same isolate", ({ rotated }, token) => rotated(token)],
    ["in another isolate", ({ rotated }, token) => rotated(token, 1)],
    ["twice", async ({ rotated }, token) => rotated(await rotated(token), 1)],
  ])("ends the session that a rotation %s has made of it", async (_what, rotate) => {
    const edge = opened();
    const [former, other, others] = [await edge.begin(), await edge.begin(), await edge.begin("bob")];
    const newest = await rotate(edge, former);
    expect(await edge.lives(newest)).toBe(true);
    expect((await edge.as(former, method, path, 2)).status).toBe(status);
    for (const isolate of [0, 1, 2]) expect(await edge.lives(newest, isolate), `${isolate}`).toBe(false);
    expect(await edge.lives(other), "another session of the user").toBe(true);
    expect(await edge.lives(others), "somebody else's").toBe(true);
  });

  it("also where the rotation comes while the sign-out is under way", async () => {
    const edge = opened();
    const former = await edge.begin();
    const release = edge.hold("origin");
    const leaving = edge.as(former, method, path);
    if (method === "POST") while (edge.calls.length === 0) await new Promise((done) => setTimeout(done, 1));
    const newest = edge.rotated(former, 1).catch(() => null);
    if (method === "POST") await newest;
    release();
    await leaving;
    const token = await newest;
    if (token !== null) expect(await edge.lives(token, 2)).toBe(false);
    expect(await edge.lives(former, 2)).toBe(false);
  });

  it("ends nothing where the session is over by itself", async () => {
    const edge = opened();
    const [token, other] = [await edge.begin(), await edge.begin()];
    await edge.as(token, "DELETE", "/auth/sessions/current");
    await edge.as(token, method, path, 1);
    expect(await edge.lives(other)).toBe(true);
  });
});

/** A list of sessions is as old as the page that shows it, and whoever rotates often must not outlive it. */
describe("a session that is ended by the id it had when it was listed", () => {
  const server = { authorization: `Bearer ${SERVICE}` };
  const idsOf = ({ text }: { text: string }) =>
    (JSON.parse(text) as { sessions: { session_id: string; current?: boolean }[] }).sessions;

  it.each<[who: string, end: (edge: Opened, id: string, own: string) => Promise<{ status: number }>]>([
    ["its user", (edge, id, own) => edge.as(own, "DELETE", `/auth/sessions/redis/${id}`, 2)],
    [
      "a server, where the isolate remembers whose it was",
      (edge, id) => edge.ask(`/auth/sessions/redis/${id}`, { isolate: 1, method: "DELETE", headers: server }),
    ],
  ])("by %s ends, though it has another by now", async (_, end) => {
    const edge = opened();
    const [thief, own, others] = [await edge.begin(), await edge.begin(), await edge.begin("bob")];
    await edge.lives(thief, 1);
    const listed = idsOf(await edge.as(own, "GET", "/auth/sessions")).find(({ current }) => !current);
    const newest = await edge.rotated(await edge.rotated(thief));
    expect((await end(edge, listed?.session_id ?? "", own)).status).toBe(200);
    for (const isolate of [0, 1, 2]) expect(await edge.lives(newest, isolate), `${isolate}`).toBe(false);
    expect(await edge.lives(own), "another session of the user").toBe(true);
    expect(await edge.lives(others), "somebody else's").toBe(true);
    expect((await end(edge, listed?.session_id ?? "", own)).status, "once more").toBe(404);
  });

  it("by another user goes on", async () => {
    const edge = opened();
    const [token, other] = [await edge.begin(), await edge.begin("bob")];
    const [listed] = idsOf(await edge.as(token, "GET", "/auth/sessions"));
    const newest = await edge.rotated(token);
    const path = `/auth/sessions/redis/${listed?.session_id}`;
    for (const isolate of [0, 1]) expect((await edge.as(other, "DELETE", path, isolate)).status).toBe(404);
    expect(await edge.lives(newest)).toBe(true);
  });
});
