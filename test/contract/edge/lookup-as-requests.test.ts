import { expect, test } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";

const ADMIN_TOKEN = "admin-token-of-this-test-only-0123";
const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };
const ROUTES: RouteInput[] = [
  { path: "/v1/items/:id{[0-9]+}", methods: ["GET"], cache: { ttl: 60, scope: "public" } },
  { path: "/v1/Profile", methods: ["GET"], access: "session" },
  { path: "/v1/exact", forgiving: false },
  { path: "/v1/raw/*", rawPath: true, methods: ["GET"] },
  { path: "/v1/a/:b?", methods: ["GET"] },
  { path: "/edge-like", methods: ["GET"] },
  { path: "/auth/*", methods: ["POST", "GET"] },
  { path: "/v1/*", methods: ["GET", "PUT"] },
];

function open() {
  const sent: string[] = [];
  const routes: unknown[] = [];
  const platform = testPlatform({
    fetch: async (input) => {
      sent.push(new Request(input).url);
      return new Response("the origin's");
    },
  });
  const env = {
    ORIGIN_URL: "https://origin.example",
    LOG_LEVEL: "error",
    SESSION_SECRET: "session-secret-of-this-test-only-0123",
    SERVICE_TOKEN: "service-token-of-this-test",
    ADMIN_TOKEN,
  };
  const sink = {
    receive({ event, fields }: { event: string; fields: Record<string, unknown> }) {
      if (event === "request") routes.push(fields.route);
    },
  };
  const edge = edgeAnswer(openIsolate(env, ROUTES, platform, [sink]));
  const context = { waitUntil: () => {} } as unknown as ExecutionContext;
  const ask = (path: string, init: RequestInit = {}) =>
    edge(new Request(`https://edge.example${path}`, init), context);
  const operate = (path: string, body: unknown) =>
    ask(path, { method: "POST", headers: bearer, body: JSON.stringify(body) });
  return { ask, operate, sent, routes };
}

const codeOf = async (response: Response) => /"code":"(\w+)"/.exec(await response.text())?.[1];

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

/** Of the API, of the edge, and such that some reader takes for the other's. */
const PATHS = [
  ...["/", "//", "/v1", "/v1/", "/v1//", "/v1/../v1/x", "/v1/%2e%2e/x", "/v1/items/7/", "/v1/items/7;x"],
  ...["/v1/items%2f7", "/V1/ITEMS/7", "/v1/profile/", "/v1/Pro%66ile", "/v1/exact/", "/v1/raw/a%2fb"],
  ...["/v1/raw//b", "/v1/RAW/a//b", "/v1/a/", "/v1/%", "/v1/%00", "/v1/é", "/v1/a\\b", "/v1/x?/../y#z"],
  ...["/health", "/health/", "/HEALTH", "/health/live", "/health%2flive", "/health/%6cive", "/health/x"],
  ...["/edge", "/edge/", "/edge/x", "/EDGE/x", "/edge//x", "/edge%2fx", "/%65dge/%", "/edge;x", "/edge-like"],
  ...["/edge/console", "/EDGE/Console", "/Edge//console/main.js", "/edge%5cconsole", "/edge/metrics"],
  ...["/auth", "/auth/login", "/auth/sessions", "/auth/sessions/", "/AUTH/sessions", "/auth%2fsessions"],
  ...["/auth/sessions/current", "/auth/sessions/users/a%2fb", "/auth/sessions/redis/x", "/auth/sessions/x/y"],
];

test.each(METHODS)("what is told of %s is what a request gets", async (method) => {
  for (const path of PATHS) {
    const { ask, operate, sent, routes } = open();
    const told = await (await operate("/edge/routes/lookup", { method, path })).json<{
      owned: boolean;
      route: string | null;
      refused: string | null;
    }>();
    routes.length = 0;
    const response = await ask(path, { method });
    const code = method === "HEAD" ? undefined : await codeOf(response);
    const isRefused = method === "HEAD" ? response.status === 400 : code === "AMBIGUOUS_PATH";
    const what = `${method} ${path}: ${JSON.stringify(told)}, ${response.status} ${code}, ${sent}`;
    expect(told.refused !== null, what).toBe(isRefused);
    if (told.owned) expect(sent, what).toEqual([]);
    else expect(routes.at(-1), what).toBe(told.route ?? "*");
    // No other reason keeps these from the API.
    if (!told.owned && !isRefused && response.status !== 401) expect(sent, what).toHaveLength(1);
  }
});

test.each([
  ...["/health", "/health/live", "/edge", "/edge/x", "/edge/limits/user:ada", "/edge//x", "/edge/console"],
  ...["/Edge/Console/main.js", "/auth/sessions", "/auth/sessions/users/a%2fb", "/%65dge/metrics"],
])("%s is the edge's own: warming it is refused, and the API is not asked", async (path) => {
  const { operate, sent } = open();
  const response = await operate("/edge/cache/warm", { paths: ["/v1/items/7", path] });
  expect([response.status, await response.json(), sent]).toMatchObject([
    400,
    { code: "BAD_WARM", errors: [{ in: "body", field: "paths[1]" }] },
    [],
  ]);
});

test.each<[path: string, body: object, field: string]>([
  ["purge", { tags: ["a", ""] }, "tags[1]"],
  ["purge", { files: [""] }, "files[0]"],
  ["purge", { prefixes: [""] }, "prefixes[0]"],
  ["purge", { users: [""] }, "users[0]"],
  ["purge", { users: ["\ud800"] }, "users[0]"],
  ["purge", { tags: ["a\udfff"] }, "tags[0]"],
  ["purge", { files: ["https:x"] }, "files[0]"],
  ["purge", { files: ["https:/x"] }, "files[0]"],
  ["purge", { files: ["ftp://api.example/x"] }, "files[0]"],
  ["purge", { files: ["/x"], host: "x".repeat(261) }, "host"],
  ["warm", { paths: ["/x"], host: "é".repeat(100_000) }, "host"],
  ["warm", { paths: ["/x"], host: "[::1]" }, "host"],
])("%s %j is a 400 that names %s", async (path, body, field) => {
  const response = await open().operate(`/edge/cache/${path}`, body);
  expect([response.status, await response.json()]).toMatchObject([400, { errors: [{ in: "body", field }] }]);
});

test("an address with its scheme in capitals is purged as it is", async () => {
  const response = await open().operate("/edge/cache/purge", { files: ["HTTPS://API.example/x"] });
  expect(response.status).toBe(202);
});
