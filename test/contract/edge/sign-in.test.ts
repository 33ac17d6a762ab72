import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";
import { claims, NOW } from "../../support/session-samples.ts";

const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const ROUTES: RouteInput[] = [
  { path: "/login", session: "start" },
  { path: "/logout", methods: ["POST"], session: "end" },
  { path: "/saml", methods: ["POST"], session: "start", crossSite: ["https://idp.example"] },
  { path: "/keycloak", methods: ["POST"], session: "start", crossSite: ["null"] },
  { path: "/other" },
];
const EVIL = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
const IDP = { origin: "https://idp.example", "sec-fetch-site": "cross-site" };

interface Options {
  routes?: RouteInput[];
  mode?: string;
}

/** The whole edge without a store, in front of an origin that answers as told. */
function open(answer: () => Response, { routes = ROUTES, mode = "enforce" }: Options = {}) {
  let asked = 0;
  const events: { event: string; fields: object }[] = [];
  const platform = testPlatform({
    now: NOW,
    fetch: () => {
      asked += 1;
      return Promise.resolve(answer());
    },
  });
  const env = {
    ORIGIN_URL: "https://origin.example",
    LOG_LEVEL: "error",
    SESSION_SECRET,
    EDGE_MODE: mode,
    CORS_ALLOWED_ORIGINS: "https://app.example.org",
  };
  const sink = {
    receive: ({ event, fields }: { event: string; fields: object }) => void events.push({ event, fields }),
  };
  const edge = edgeAnswer(openIsolate(env, routes, platform, [sink]));
  const context = { waitUntil: () => {} } as unknown as ExecutionContext;
  async function post(path: string, headers: Record<string, string> = {}, method = "POST") {
    const response = await edge(new Request(`https://edge.example${path}`, { method, headers }), context);
    const cookie = response.headers.getSetCookie().find((each) => each.startsWith("__Host-session="));
    return { status: response.status, cookie: cookie?.split(";")[0], headers: response.headers };
  }
  return { post, events, asked: () => asked };
}

const SIGNAL = JSON.stringify({ user_id: "ada", user_data: { id: 1 } });
const signed =
  (status = 200, signal: string | null = SIGNAL) =>
  () =>
    new Response(null, { status, headers: signal === null ? {} : { "x-edge-session": signal } });
const started = expect.stringMatching(/^__Host-session=es1\./);

describe("a session starts", () => {
  it.each<[string, number, boolean]>([
    ["POST", 200, true],
    ["POST", 201, true],
    ["POST", 204, true],
    ["POST", 302, true],
    ["POST", 303, true],
    ["POST", 301, false],
    ["POST", 304, false],
    ["POST", 307, false],
    ["POST", 308, false],
    ["POST", 401, false],
    ["POST", 500, false],
    ["GET", 200, false],
    ["GET", 302, false],
    ["PUT", 200, false],
  ])("with a %s that is answered %i: %s", async (method, status, starts) => {
    const { post } = open(signed(status));
    const { cookie, headers } = await post("/login", {}, method);
    expect(cookie).toEqual(starts ? started : undefined);
    expect(headers.has("x-edge-session")).toBe(false);
  });

  it.each<[string, string]>([
    ["JSON", SIGNAL],
    ["JSON with blanks", ` { "user_id" : "ada" } `],
    ["base64url", btoa(SIGNAL).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")],
    ["base64", btoa(SIGNAL)],
  ])("with a signal that is %s", async (_, signal) => {
    expect((await open(signed(200, signal)).post("/login")).cookie).toEqual(started);
  });

  it.each<[string, string]>([
    ["no JSON", "{user_id: ada}"],
    ["without a user", "{}"],
    ["a list", "[]"],
    ["two of them", `${SIGNAL}, ${SIGNAL}`],
    ["cut off", SIGNAL.slice(0, -1)],
    ["empty", ""],
    ["of bytes that are no UTF-8", btoa('{"user_id":"\xe4"}')],
  ])("not with a signal that is %s: an event each time, and the answer goes on", async (_, signal) => {
    const { post, events } = open(signed(200, signal));
    for (let i = 0; i < 2; i += 1)
      expect(await post("/login")).toMatchObject({ status: 200, cookie: undefined });
    const malformed = events.filter(({ event }) => event === "session.signal_malformed");
    expect(malformed).toHaveLength(2);
  });

  it("not without a signal: an event, once for each route, and none for a failed sign-in", async () => {
    const silent = open(signed(200, null));
    for (const path of ["/login", "/login", "/saml", "/saml", "/other"]) await silent.post(path);
    await silent.post("/login", {}, "GET");
    const missing = silent.events.filter(({ event }) => event === "session.signal_missing");
    expect(missing.map(({ fields }) => fields)).toMatchObject([{ route: "/login" }, { route: "POST /saml" }]);
    for (const status of [302, 303, 401, 422, 500]) {
      const failing = open(signed(status, null));
      await failing.post("/login");
      expect(failing.events.map(({ event }) => event)).not.toContain("session.signal_missing");
    }
  });

  it.each([
    [200, true],
    [204, true],
    [302, true],
    [303, true],
    [307, false],
    [401, false],
    [500, false],
  ])("and ends with a POST to a session: end route that is answered %i: %s", async (status, ends) => {
    const { post } = open(signed(status, null));
    const token = await signToken(claims(), SESSION_SECRET);
    const headers = { cookie: `__Host-session=${token}`, origin: "https://edge.example" };
    expect((await post("/logout", headers)).cookie).toBe(ends ? "__Host-session=" : undefined);
  });
});

describe("a sign-in that another site sends", () => {
  it.each<[string, string, Record<string, string>, number]>([
    ["is refused", "/login", EVIL, 403],
    ["is refused where the route names another sender", "/saml", EVIL, 403],
    ["passes where the route names the sender", "/saml", IDP, 200],
    ["is refused on a route that does not name it", "/login", IDP, 403],
    ["passes from an origin of CORS_ALLOWED_ORIGINS", "/login", { origin: "https://app.example.org" }, 200],
    ["passes from a program", "/login", {}, 200],
    // authorizerdev/authorizer#666, MobSF#2633: a provider's page without referrers sends "null".
    ["passes as null where the route says so", "/keycloak", { ...IDP, origin: "null" }, 200],
    ["is refused as null elsewhere", "/saml", { ...IDP, origin: "null" }, 403],
    ["is nobody's business where no session starts", "/other", EVIL, 200],
  ])("%s", async (_, path, headers, status) => {
    const { post, asked } = open(signed());
    const answer = await post(path, headers);
    expect(answer.status).toBe(status);
    expect(answer.cookie).toEqual(status === 200 && path !== "/other" ? started : undefined);
    expect(asked()).toBe(status === 200 ? 1 : 0);
  });

  it.each([
    ["an active session", claims()],
    ["one that is over", claims({ expiresAt: NOW - 1 })],
  ])("is refused or passes all the same with %s", async (_, session) => {
    const { post, asked } = open(signed());
    const cookie = `__Host-session=${await signToken(session, SESSION_SECRET)}`;
    const authorization = `Bearer ${await signToken(session, SESSION_SECRET)}`;
    expect((await post("/login", { ...EVIL, cookie })).status).toBe(403);
    expect((await post("/login", { ...EVIL, authorization })).status).toBe(403);
    expect(asked()).toBe(0);
    expect(await post("/saml", { ...IDP, cookie })).toMatchObject({ status: 200, cookie: started });
  });

  it("is not refused with GET, which starts none", async () => {
    expect((await open(signed()).post("/login", EVIL, "GET")).status).toBe(200);
  });

  it("passes under EDGE_MODE=observe, which refuses nothing", async () => {
    expect((await open(signed(), { mode: "observe" }).post("/login", EVIL)).status).toBe(200);
  });

  it("is read for both readings of a path that differ in who may send it", async () => {
    const routes: RouteInput[] = [
      { path: "/saml", session: "start", crossSite: ["https://idp.example"] },
      { path: "/:any", session: "start" },
    ];
    const { post, asked } = open(signed(), { routes });
    expect((await post("/SAML", IDP)).status).toBe(400);
    expect(asked()).toBe(0);
  });
});

describe("an answer to a request whose cookie is due to be renewed has one session cookie", () => {
  it.each<[string, string, string, RegExp]>([
    // nextauthjs/next-auth#11370: the session's cookie twice in one answer.
    ["after a rotation", "POST", "/auth/sessions/rotate", /^__Host-session=es1\./],
    ["after another sign-in", "POST", "/login", /^__Host-session=es1\./],
    ["after any other request", "POST", "/other", /^__Host-session=es1\./],
    // jazzband/django-user-sessions#179: the cookie that a sign-out clears is set again.
    ["after a sign-out", "DELETE", "/auth/sessions/current", /^__Host-session=;/],
    ["after a sign-out by the API", "POST", "/logout", /^__Host-session=;/],
  ])("%s", async (_, method, path, cookie) => {
    const { post } = open(signed());
    const token = await signToken(claims({ confirmedAt: NOW - 3_600_000 }), SESSION_SECRET);
    const headers = { cookie: `__Host-session=${token}`, origin: "https://edge.example" };
    const answer = await post(path, headers, method);
    expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(cookie)]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });
});
