import { describe, expect, test } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { countingEdge } from "../../support/edge/counting-edge.ts";
import { testPlatform } from "../../support/platform.ts";
import { NOW } from "../../support/session-samples.ts";

const SERVICE_TOKEN = "service-token-of-this-test";
const ADMIN_TOKEN = "admin-token-of-this-test";

/** The edge without a store, and what its origin was sent. */
function open(vars: Record<string, string> = {}) {
  const sent: Request[] = [];
  const platform = testPlatform({
    now: NOW,
    fetch: async (input, init) => {
      sent.push(new Request(input, init));
      return new Response("the origin's");
    },
  });
  const env = {
    ORIGIN_URL: "https://origin.example",
    LOG_LEVEL: "error",
    SESSION_SECRET: "session-secret-of-this-test-only-0123",
    SERVICE_TOKEN,
    ADMIN_TOKEN,
    ...vars,
  };
  const edge = edgeAnswer(openIsolate(env, [], platform));
  const context = { waitUntil: () => {} } as unknown as ExecutionContext;
  const ask = (path: string, init: RequestInit = {}) =>
    edge(new Request(`https://edge.example${path}`, init), context);
  return { ask, sent };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test.each<[method: string, path: string, headers: Record<string, string>]>([
  ["PUT", "/auth/sessions", bearer(SERVICE_TOKEN)],
  ["POST", "/auth/session", bearer(SERVICE_TOKEN)],
  ["GET", "/auth", bearer(SERVICE_TOKEN)],
  ["POST", "/Auth/Sessions", bearer(SERVICE_TOKEN)],
  ["POST", "//auth/sessions", bearer(SERVICE_TOKEN)],
  ["POST", "/auth//sessions", bearer(SERVICE_TOKEN)],
  ["POST", "/auth%2fsessions", bearer(SERVICE_TOKEN)],
  ["POST", "/auth;v=1/sessions", bearer(SERVICE_TOKEN)],
  ["DELETE", "/auth/sessions/users", bearer(SERVICE_TOKEN)],
  ["GET", "/auth/sessions/users/a/b", bearer(SERVICE_TOKEN)],
  ["GET", "/auth/x", { authorization: SERVICE_TOKEN }],
  ["GET", "/auth/x", { authorization: `Token ${SERVICE_TOKEN}` }],
  ["GET", "/auth/x", { authorization: `Bearer  ${SERVICE_TOKEN} ` }],
  ["GET", "/auth/x", { "x-api-key": SERVICE_TOKEN }],
  ["GET", `/auth/x?api_key=${SERVICE_TOKEN}`, {}],
  ["GET", "/auth/x", bearer(ADMIN_TOKEN)],
  ["POST", "/Edge/cache/purge", bearer(ADMIN_TOKEN)],
])("%s %s with a token of the edge's is 404 and does not reach the origin", async (method, path, headers) => {
  for (const EDGE_MODE of ["enforce", "observe", "bypass"]) {
    const { ask, sent } = open({ EDGE_MODE });
    const response = await ask(path, { method, headers });
    expect([response.status, sent.length], EDGE_MODE).toEqual([404, 0]);
    expect(await response.json()).toMatchObject({ code: "NOT_FOUND" });
  }
});

describe("an operator's path takes the methods that Allow names", () => {
  const paths: [path: string, allow: string][] = [
    ["/edge/overview", "GET, HEAD"],
    ["/edge/cache/purges", "GET, HEAD"],
    ["/edge/cache/purge", "POST"],
    ["/edge/cache/warm", "POST"],
    ["/edge/routes/lookup", "POST"],
    ["/edge/limits/ada", "GET, DELETE, HEAD"],
    ["/edge/limits/lookup", "GET, POST, DELETE, HEAD"],
    ["/edge/keys/0123456789abcdef0123456789abcdef", "GET, DELETE, HEAD"],
    ["/edge/users/export", "POST"],
    ["/edge/users/sign-out", "POST"],
    ["/edge/users/delete", "POST"],
  ];

  test.each(paths)("%s: %s", async (path, allow) => {
    const { ask, sent } = open();
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      if (allow.split(", ").includes(method)) continue;
      const response = await ask(path, { method, headers: bearer(ADMIN_TOKEN) });
      expect([method, response.status, response.headers.get("allow")]).toEqual([method, 405, allow]);
      expect(await response.json()).toMatchObject({ code: "METHOD_NOT_ALLOWED" });
    }
    expect(sent).toEqual([]);
  });

  test("without the token none is named, and no method makes a path of nothing", async () => {
    const { ask } = open();
    const without = await ask("/edge/cache/purge", { method: "GET" });
    expect([without.status, without.headers.get("allow")]).toEqual([401, null]);
    const nothing = await ask("/edge/nothing", { method: "PUT", headers: bearer(ADMIN_TOKEN) });
    expect([nothing.status, nothing.headers.get("allow")]).toEqual([404, null]);
  });
});

test.each([
  ["POST", "/auth/sessions/", SERVICE_TOKEN],
  ["POST", "/edge/cache/purge/", ADMIN_TOKEN],
  ["GET", "/health/", ADMIN_TOKEN],
  ["GET", "/%61uth/sessions", SERVICE_TOKEN],
])("%s %s with such a token does not reach the origin", async (method, path, token) => {
  const { ask, sent } = open();
  await ask(path, { method, headers: bearer(token) });
  expect(sent).toEqual([]);
});

test.each<[path: string, headers: Record<string, string>]>([
  ["/auth/login", {}],
  ["/auth/login", bearer("the-origins-own-token")],
  ["/auth/login", { authorization: `Basic ${btoa("me:mine")}` }],
  ["/Auth/login", bearer("the-origins-own-token")],
  ["/v1/x", bearer("the-origins-own-token")],
  ["/authors", bearer("the-origins-own-token")],
])("%s with %j is the origin's, as it was sent", async (path, headers) => {
  const { ask, sent } = open();
  expect(await (await ask(path, { headers })).text()).toBe("the origin's");
  expect(sent[0]?.headers.get("authorization") ?? undefined).toBe(headers.authorization);
});

const USERS = [
  ["ada", true],
  ["", false],
  [".", false],
  ["..", false],
  ["...", true],
  ["%2e", true],
  ["%2E%2e", true],
  ["a/..", true],
  ["../version", true],
  ["a//b", true],
  ["a\\b", true],
  [" . ", true],
  [".;x", true],
  ["?x=1#y", true],
  ["a\nb", true],
  ["\u0000", true],
  ["Ωμέγα 🙂", true],
  ["index:x", true],
  ["__proto__", true],
  ["x".repeat(256), true],
  ["x".repeat(257), false],
] as const;

test.each(USERS)("a session of the user %j can be made: %s; then a URL can name it", async (user, made) => {
  const { ask } = open();
  const headers = { ...bearer(SERVICE_TOKEN), "content-type": "application/json" };
  const created = await ask("/auth/sessions", {
    method: "POST",
    headers,
    body: JSON.stringify({ user_id: user }),
  });
  // A user that no URL can name is a fault of the request's own kind; another is a body that is not as it should be.
  const refused = user === "." || user === ".." ? 400 : 422;
  expect(created.status).toBe(made ? 201 : refused);
  if (!made) return;
  const path = `/auth/sessions/users/${encodeURIComponent(user)}`;
  const listed = await (await ask(path, { headers })).json<{ sessions: { user_id: string }[] }>();
  expect(listed.sessions.map(({ user_id }) => user_id)).toEqual([user]);
  const ended = await ask(path, { method: "DELETE", headers });
  expect(await ended.json()).toMatchObject({ deleted: 1 });
});

test.each(["version", "index:0", "tombstone:x", "a".repeat(21), "a".repeat(65), `${"a".repeat(22)}%0a`])(
  "%s is no session's id: 404, and nothing is ended",
  async (id) => {
    const { ask } = open();
    for (const method of ["GET", "DELETE"]) {
      const response = await ask(`/auth/sessions/redis/${id}`, { method, headers: bearer(SERVICE_TOKEN) });
      expect(response.status).toBe(404);
    }
  },
);

describe("a route's crossSite is for the API: the edge's own paths keep their rule", () => {
  const IDP = "https://idp.example";
  type Row = [
    what: string,
    ask: { path: string; method: string; headers: Record<string, string> },
    setup: { route?: Partial<RouteInput>; env?: Record<string, string> },
    status: number,
  ];
  const broad: RouteInput = { path: "/*", crossSite: [IDP] };
  const from = (origin: string) => ({ origin, "sec-fetch-site": "cross-site" });
  const signOut = { path: "/auth/sessions/current", method: "DELETE" };
  test.each<Row>([
    ["signing out from a site that /* names", { ...signOut, headers: from(IDP) }, {}, 403],
    ["ending the others", { path: "/auth/sessions", method: "DELETE", headers: from(IDP) }, {}, 403],
    ["rotating", { path: "/auth/sessions/rotate", method: "POST", headers: from(IDP) }, {}, 403],
    [
      "ending one by its id",
      { path: "/auth/sessions/redis/abc", method: "DELETE", headers: from(IDP) },
      {},
      403,
    ],
    [
      "from the same site's other host",
      { ...signOut, headers: { origin: IDP, "sec-fetch-site": "same-site" } },
      {},
      403,
    ],
    [
      "from nowhere, where /* names null",
      { ...signOut, headers: from("null") },
      { route: { crossSite: ["null"] } },
      403,
    ],
    [
      "where the route is for /auth alone",
      { ...signOut, headers: from(IDP) },
      { route: { path: "/auth/*" } },
      403,
    ],
    ["where it starts sessions", { ...signOut, headers: from(IDP) }, { route: { session: "start" } }, 403],
    [
      "where the paths are elsewhere",
      { ...signOut, path: "/id/sessions/current", headers: from(IDP) },
      { env: { AUTH_BASE_PATH: "/id" } },
      403,
    ],
    ["under observe", { ...signOut, headers: from(IDP) }, { env: { EDGE_MODE: "observe" } }, 403],
    ["reading from there", { path: "/auth/sessions", method: "GET", headers: from(IDP) }, {}, 200],
    [
      "signing out from the edge's own page",
      { ...signOut, headers: { "sec-fetch-site": "same-origin" } },
      {},
      200,
    ],
    ["or by its origin", { ...signOut, headers: from("https://edge.example") }, {}, 200],
    [
      "from an origin of CORS_ALLOWED_ORIGINS",
      { ...signOut, headers: from("https://app.example") },
      { env: { CORS_ALLOWED_ORIGINS: "https://app.example" } },
      200,
    ],
    ["the API's own path from there", { path: "/v1/x", method: "DELETE", headers: from(IDP) }, {}, 200],
    [
      "the API's own path under /auth from there",
      { path: "/auth/callback", method: "POST", headers: from(IDP) },
      {},
      200,
    ],
  ])("%s", async (_what, { path, method, headers }, { route, env = {} }, status) => {
    const edge = countingEdge({
      routes: [{ ...broad, ...route }],
      env: { LOG_LEVEL: "error", ...env },
      fetchOrigin: async () => new Response("the API's"),
    });
    const token = await edge.session("ada", env.AUTH_BASE_PATH);
    const cookie = `__Host-session=${token}`;
    const answer = await edge.ask(path, { ...headers, cookie }, { method });
    expect(answer.status).toBe(status);
  });
});
