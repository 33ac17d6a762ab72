import { describe, expect, it, test } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";

const ADMIN_TOKEN = "admin-token-of-this-test-only-0123";
const few = { name: "few", limit: 5, window: "1 m" } as const;
const ROUTES: RouteInput[] = [
  { path: "/v1/items/:id{[0-9]+}", methods: ["GET"], cache: { ttl: 60, scope: "public", tags: ["items"] } },
  { path: "/v1/items/new", methods: ["POST"], access: "session", limits: [few] },
  {
    path: "/v1/items/*",
    limits: [few],
    tiers: { premium: [{ ...few, limit: 50, shadow: true }] },
    access: ["key", "jwt"],
    onStoreFailure: "closed",
  },
  { path: "/v1/Profile", methods: ["GET"], access: "session", cache: { scope: "caller" } },
  { path: "/v1/exact", forgiving: false },
  { path: "/v1/a/:b?", methods: ["GET"] },
  { path: "/v1/*", methods: ["GET", "PUT"] },
];

/** An edge without a store, and the routes that its log names. */
function open(vars: Record<string, string> = {}) {
  const log: { event: string; route: unknown; status: unknown }[] = [];
  const platform = testPlatform({ fetch: async () => new Response("the origin's") });
  const env = { ORIGIN_URL: "https://origin.example", LOG_LEVEL: "error", ADMIN_TOKEN, ...vars };
  const sink = {
    receive: ({ event, fields: { route, status } }: { event: string; fields: Record<string, unknown> }) =>
      void log.push({ event, route, status }),
  };
  const edge = edgeAnswer(openIsolate(env, ROUTES, platform, [sink]));
  const context = { waitUntil: () => {} } as unknown as ExecutionContext;
  const ask = (path: string, init: RequestInit = {}) =>
    edge(new Request(`https://edge.example${path}`, init), context);
  async function lookUp(body: unknown) {
    const response = await ask("/edge/routes/lookup", {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json<Record<string, unknown>>() };
  }
  return { ask, lookUp, log };
}

describe("the route that is told is the one that a request has", () => {
  const ITEM = "GET /v1/items/:id{[0-9]+}";
  const PROFILE = "GET /v1/Profile";
  test.each<[method: string, path: string, route: string | null, because: RegExp]>([
    ["GET", "/v1/items/7", ITEM, /^It is the first route of the list that has this path and method\.$/],
    ["HEAD", "/v1/items/7", ITEM, /HEAD is matched as GET\.$/],
    ["GET", "/v1/items/seven", "/v1/items/*", /^It is the first/],
    ["DELETE", "/v1/items/7", "/v1/items/*", /^It is the first/],
    ["POST", "/v1/items/new", "POST /v1/items/new", /^It names this very path/],
    ["GET", "/v1/items/%37?x=1#y", ITEM, /^It is the first/],
    ["GET", "/v1/profile/", PROFILE, /plain spelling, \/v1\/profile,/],
    ["GET", "/v1/Profile", PROFILE, /very path/],
    ["GET", "/V1/PROFILE", PROFILE, /plain spelling/],
    ["GET", "/v1/Exact", "GET,PUT /v1/*", /^It is the first/],
    ["GET", "/v1/a", "GET /v1/a/:b?", /^It is the first/],
    ["GET", "/v1/a/b", "GET /v1/a/:b?", /^It is the first/],
    ["PUT", "/v1/a/b", "GET,PUT /v1/*", /^It is the first/],
    ["QUERY", "/v1/a/b", null, /^No route has/],
    ["GET", "/", null, /^No route has/],
    ["GET", "/v2/items/7", null, /^No route has/],
    ["GET", "/auth/login", null, /^No route has/],
    ["GET", "/v1//items", "GET,PUT /v1/*", /./],
  ])("%s %s: %s", async (method, path, route, because) => {
    const { ask, lookUp, log } = open({ EDGE_MODE: "observe" });
    const { status, body } = await lookUp({ method, path });
    expect(status).toBe(200);
    expect(body).toMatchObject({ method, route, owned: false });
    expect(body.because).toMatch(because);
    await ask(path, { method });
    expect(log.at(-1)).toMatchObject({ event: "request", route: route ?? "*" });
  });

  test.each<[path: string, refused: RegExp | null]>([
    ["/v1//items", /holds \/\//],
    ["/v1/items/a%2fb", /encoded slash/],
    ["/v1/%", /broken escape/],
    ["/v1/items/a;b", null],
    ["/v1/items/7", null],
  ])("%s is refused under enforce, or not, as it is told: %s", async (path, refused) => {
    const { ask, lookUp, log } = open();
    const { body } = await lookUp({ path });
    if (refused) expect(body.refused).toMatch(refused);
    else expect(body.refused).toBeNull();
    await ask(path);
    expect(log.at(-1)?.status === 400).toBe(refused !== null);
  });
});

it("tells the route's rules, each tier's limits and the parameters", async () => {
  const { lookUp } = open();
  expect((await lookUp({ method: "get", path: "/v1/items/42" })).body).toMatchObject({
    method: "GET",
    pattern: "/v1/items/:id{[0-9]+}",
    methods: ["GET"],
    params: { id: "42" },
    access: "public",
    limits: [],
    cache: { scope: "public", ttl: 60, stale_while_revalidate: 0, stale_if_error: 0, tags: ["items"] },
    on_store_failure: "local",
    refused: null,
  });
  const window = { name: "few", window: "1 m", algorithm: "sliding-window", by: "caller", shared: false };
  expect((await lookUp({ method: "PATCH", path: "/v1/items/x" })).body).toMatchObject({
    access: "key, jwt",
    limits: [
      { ...window, limit: 5, tier: null, shadow: false },
      { ...window, limit: 50, tier: "premium", shadow: true },
    ],
    cache: null,
    on_store_failure: "closed",
  });
});

it("says why other routes are not it: those before it, and later ones with the same path", async () => {
  const { lookUp } = open();
  const reasons = async (method: string, path: string) =>
    ((await lookUp({ method, path })).body.not as { route: string; reason: string }[]).map(
      ({ route, reason }) => `${route}: ${reason}`,
    );
  expect(await reasons("GET", "/v1/items/7")).toEqual([
    "/v1/items/*: It has this path and method too, and a route before it has them.",
    "GET,PUT /v1/*: It has this path and method too, and a route before it has them.",
  ]);
  expect(await reasons("DELETE", "/v1/items/new")).toEqual([
    "GET /v1/items/:id{[0-9]+}: Its path is another.",
    "POST /v1/items/new: It is for POST, not DELETE.",
    "GET,PUT /v1/*: It is for GET, PUT, not DELETE.",
  ]);
  expect(await reasons("GET", "/v2/items/7/x")).toEqual([
    "GET /v1/items/:id{[0-9]+}: Its path has v1 where this one has v2.",
    "POST /v1/items/new: Its path has v1 where this one has v2.",
    "/v1/items/*: Its path has v1 where this one has v2.",
    "GET /v1/Profile: Its path has v1 where this one has v2.",
    "/v1/exact: Its path has v1 where this one has v2.",
    "GET /v1/a/:b?: Its path has v1 where this one has v2.",
    "GET,PUT /v1/*: Its path has v1 where this one has v2.",
  ]);
  const [first, second] = await reasons("DELETE", "/v1");
  expect(first).toBe("GET /v1/items/:id{[0-9]+}: Its path goes on with items, where this one ends.");
  expect(second).toBe("POST /v1/items/new: Its path goes on with items, where this one ends.");
});

test.each<[method: string, path: string, owned: boolean]>([
  ["GET", "/health", true],
  ["HEAD", "/health/live", true],
  ["POST", "/health", false],
  ["GET", "/edge/limits/user:ada", true],
  ["PUT", "/edge/none", true],
  ["GET", "/edge/console/main.js", true],
  ["GET", "/edge", true],
  ["POST", "/auth/sessions", true],
  ["DELETE", "/auth/sessions/users/ada", true],
  ["PUT", "/auth/sessions", false],
  ["POST", "/auth/login", false],
  ["GET", "/edgeways", false],
])("%s %s is a path of the edge's own: %s", async (method, path, owned) => {
  const { body } = await open().lookUp({ method, path });
  expect(body.owned).toBe(owned);
  expect(/answers this path itself/.test(String(body.because))).toBe(owned);
});

test.each<[body: unknown, field: string]>([
  [{}, "path"],
  [{ path: "" }, "path"],
  [{ path: "v1/items" }, "path"],
  [{ path: "https://api.example/v1" }, "path"],
  [{ path: `/${"x".repeat(4096)}` }, "path"],
  [{ path: 7 }, "path"],
  [{ path: "/x", method: "" }, "method"],
  [{ path: "/x", method: "GET /" }, "method"],
  [{ path: "/x", method: "x".repeat(33) }, "method"],
  [{ path: "/x", method: null }, "method"],
  [{ path: "/x", host: "a" }, "host"],
  ["[]", "body"],
  ["{", "body"],
])("%j is a 400 that names the field", async (body, field) => {
  const told = await open().lookUp(body);
  expect([told.status, told.body]).toMatchObject([
    400,
    { code: "BAD_LOOKUP", errors: [{ in: "body", field }] },
  ]);
});

it("an odd path is a path: no 500, and nothing of another host", async () => {
  const { lookUp } = open();
  for (const path of [
    "//evil.example/x",
    "/\\evil",
    "/%ff",
    "/\u0000",
    "/ x",
    "/..%2f..",
    "/é",
    "/a?b",
    "/#",
  ])
    expect((await lookUp({ path })).status, path).toBe(200);
});
