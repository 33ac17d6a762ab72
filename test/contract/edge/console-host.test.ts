import { describe, expect, test } from "vitest";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";

const ADMIN_TOKEN = "admin-token-of-this-test-only-0123";
const CONSOLE = "https://edge-console.example";
const API = "https://api.example";

/** The edge, what its origin was sent and which files were fetched. */
function open(vars: Record<string, unknown> = {}) {
  const sent: string[] = [];
  const fetched: string[] = [];
  const platform = testPlatform({
    fetch: async (input) => {
      sent.push(new Request(input).url);
      return new Response("the origin's");
    },
  });
  const assets = {
    async fetch(input: string | URL | Request, init?: RequestInit) {
      const { pathname } = new URL(String(input));
      fetched.push(pathname);
      const known = new Headers(init?.headers).get("if-none-match");
      if (!["/edge/console/", "/edge/console/app.js", "/edge/console/uplot/uplot.js"].includes(pathname))
        return new Response(null, { status: pathname.endsWith(".html") ? 307 : 404 });
      const headers = {
        etag: '"1"',
        "content-type": pathname.endsWith("/") ? "text/html" : "text/javascript",
        "cache-control": "public, max-age=9",
        "set-cookie": "a=b",
      };
      return known === '"1"'
        ? new Response(null, { status: 304, headers })
        : new Response(init?.method === "HEAD" ? null : `file ${pathname}`, { headers });
    },
  };
  const env = {
    ORIGIN_URL: "https://origin.example",
    LOG_LEVEL: "error",
    SESSION_SECRET: "session-secret-of-this-test-only-0123",
    SERVICE_TOKEN: "service-token-of-this-test",
    CORS_ALLOWED_ORIGINS: "https://app.example",
    CONSOLE_HOST: "edge-console.example",
    ASSETS: assets,
    ADMIN_TOKEN,
    ...vars,
  };
  const edge = edgeAnswer(openIsolate(env, [], platform));
  const context = { waitUntil: () => {} } as unknown as ExecutionContext;
  const ask = (url: string, init: RequestInit = {}) => edge(new Request(url, init), context);
  return { ask, sent, fetched };
}

const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };

describe("on the console's host", () => {
  test.each<[path: string, file: string]>([
    ["/edge/console", "/edge/console/"],
    ["/edge/console/", "/edge/console/"],
    ["/edge/console/index.html", "/edge/console/"],
    ["/edge/console?x=1", "/edge/console/"],
    ["/edge/console/app.js", "/edge/console/app.js"],
    ["/edge/console/uplot/uplot.js", "/edge/console/uplot/uplot.js"],
  ])("%s is a file, with fields that keep others' pages away", async (path, file) => {
    for (const host of [CONSOLE, "https://EDGE-CONSOLE.example:8443", `${CONSOLE}.`]) {
      const { ask, sent } = open();
      const response = await ask(`${host}${path}`, { headers: { "sec-fetch-site": "cross-site" } });
      expect([response.status, await response.text(), sent]).toEqual([200, `file ${file}`, []]);
      const { headers } = response;
      expect(headers.get("content-security-policy")).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
      expect(headers.get("content-security-policy")).not.toMatch(/unsafe|http/);
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cache-control")).toBe("no-cache");
      expect(headers.get("etag")).toBe('"1"');
      expect(headers.get("set-cookie")).toBeNull();
    }
  });

  test("a file is known by its ETag, and HEAD has no content", async () => {
    const { ask } = open();
    const again = await ask(`${CONSOLE}/edge/console/app.js`, { headers: { "if-none-match": '"1"' } });
    expect([again.status, again.headers.get("cache-control")]).toEqual([304, "no-cache"]);
    const head = await ask(`${CONSOLE}/edge/console`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  test.each([
    ...["/", "/v1/x", "/auth/sessions", "/auth/sessions/users/ada", "/favicon.ico", "/edge/console.html"],
    ...["/edge/console/none.js", "/edge/console/%61pp.js", "/edge//console/app.js", "//edge/console/app.js"],
    ...["/Edge/Console", "/edge/console/app.js/", "/edge/console/.env", "/edge/console/a/index.html"],
    ...[
      "/edge/console/..%2fopenapi.json",
      "/edge/console/app.js%00",
      "/edge/console/%2e%2e/x",
      "/openapi.json",
    ],
  ])("%s is a 404 problem, and reaches no origin", async (path) => {
    for (const EDGE_MODE of ["enforce", "observe", "bypass"]) {
      for (const init of [{}, { headers: { origin: "https://app.example" } }]) {
        const { ask, sent } = open({ EDGE_MODE });
        const response = await ask(`${CONSOLE}${path}`, init);
        expect(sent).toEqual([]);
        // What is below /edge asks for the token first.
        if (response.status === 401) expect(path).toMatch(/^\/+edge/i);
        else expect([response.status, await response.json()]).toMatchObject([404, { code: "NOT_FOUND" }]);
      }
    }
  });

  test.each([
    ["POST", "/v1/x"],
    ["OPTIONS", "/v1/x"],
    ["DELETE", "/auth/sessions"],
    ["PROPFIND", "/"],
  ])("%s %s neither", async (method, path) => {
    const { ask, sent } = open();
    const headers = { ...bearer, origin: "https://app.example", "access-control-request-method": "POST" };
    const response = await ask(`${CONSOLE}${path}`, { method, headers });
    expect([response.status, sent]).toEqual([404, []]);
    expect(
      response.headers.get("access-control-allow-origin"),
      "no page of another origin reads it",
    ).toBeNull();
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s of a file is a 405", async (method) => {
    const response = await open().ask(`${CONSOLE}/edge/console/app.js`, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("health, limits and the description are answered", async () => {
    const { ask } = open();
    expect((await ask(`${CONSOLE}/health`)).status).toBe(200);
    expect((await ask(`${CONSOLE}/health/live`)).status).toBe(200);
    expect((await ask(`${CONSOLE}/edge/limits/user:ada`)).status).toBe(401);
    const limits = await ask(`${CONSOLE}/edge/limits/user:ada`, { headers: bearer });
    expect([limits.status, limits.headers.get("cache-control")]).toEqual([200, "no-store"]);
  });

  test("wrong tokens count together with those on the API's host", async () => {
    const { ask } = open();
    const guess = { headers: { authorization: "Bearer wrong" } };
    for (let sent = 0; sent < 5; sent += 1) {
      await ask(`${CONSOLE}/edge/limits/user:ada`, guess);
      await ask(`${API}/edge/limits/user:ada`, guess);
    }
    expect((await ask(`${CONSOLE}/edge/limits/user:ada`, guess)).status).toBe(429);
  });

  test("without the files' binding the page is a 404", async () => {
    expect((await open({ ASSETS: undefined }).ask(`${CONSOLE}/edge/console`)).status).toBe(404);
  });
});

/** Paths that some reader takes for one of the console's. */
const SPELLINGS = (file: string) => [
  file,
  file.replace("console", "%63onsole"),
  file.replace("/edge", "/%65dge"),
  file.replace("/edge/", "/edge//"),
  `/${file}`,
  file.replace("/edge/", "/edge/./"),
  file.replace("/edge/", "/edge/%2e/"),
  file.replace("/edge/", "/edge/x/%2e%2e/"),
  file.replace("console", "console/../console"),
  file.replace("/edge/", "/edge%2f"),
  file.replace("/edge/", "\\edge\\"),
  file.replace("/edge/", "/edge%5c"),
  file.replace("/edge/console", "/EDGE/Console"),
  file.replace("console", "conſole"),
  file.replace("console", "console;v=1"),
  file.replace("console", "console."),
  `${file}/`,
  `${file}?x=1`,
  `${file}%20`,
];

describe.each<[where: string, vars: Record<string, unknown>, hosts: string[]]>([
  [
    "on the API's host",
    {},
    [
      API,
      "https://API.example:8443",
      `${API}.`,
      "https://edge-console.example.evil",
      "http://x.edge-console.example",
    ],
  ],
  ["where there is no CONSOLE_HOST", { CONSOLE_HOST: "" }, [CONSOLE, API]],
])("%s", (_where, vars, hosts) => {
  test.each(["/edge/console", "/edge/console/", "/edge/console/index.html", "/edge/console/app.js"])(
    "%s is a 404 problem in every spelling, and no file is fetched",
    async (file) => {
      for (const EDGE_MODE of ["enforce", "bypass"]) {
        const { ask, sent, fetched } = open({ ...vars, EDGE_MODE });
        for (const host of hosts) {
          for (const path of SPELLINGS(file)) {
            for (const headers of [{}, bearer, { host: "edge-console.example" }]) {
              const response = await ask(`${host}${path}`, { headers });
              const { code } = await response.json<{ code: string }>();
              expect([response.status, code, sent, fetched], `${host}${path} ${EDGE_MODE}`).toEqual([
                ...[404, "NOT_FOUND", [], []],
              ]);
            }
          }
        }
      }
    },
  );
});
