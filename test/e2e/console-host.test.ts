import { readdir, readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";

const CONSOLE = "edge-console.example";
const API = "api.example";

let harness: Harness;
let files: string[];
beforeAll(async () => {
  const found = await readdir("public", { recursive: true, withFileTypes: true });
  files = found
    .filter((each) => each.isFile())
    .map(({ parentPath, name }) => `/${relative("public", join(parentPath, name))}`);
  harness = await openHarness({ assets: true, vars: { CONSOLE_HOST: CONSOLE, API_HOST: API } });
});
afterAll(() => harness.stop());

interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
}

/** A request as it is written: `fetch` would resolve the path and keep the host. */
function ask(host: string, path: string, init: { method?: string; body?: object; token?: boolean } = {}) {
  const { method = "GET", body, token = false } = init;
  const text = body && JSON.stringify(body);
  const headers = {
    host,
    "cf-connecting-ip": "203.0.113.9",
    ...(text && { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) }),
    ...(token && { authorization: `Bearer ${harness.secrets.admin}` }),
  };
  const { hostname, port } = new URL(harness.edge.url);
  return new Promise<Answer>((resolve, reject) => {
    const sent = httpRequest({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0, headers: fields } = response;
        const known = Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]);
        resolve({ status, headers: new Headers(known), body: Buffer.concat(chunks) });
      });
    });
    sent.on("error", reject);
    sent.end(text);
  });
}

describe("the files of public/", () => {
  const spellings = (file: string) => [
    file,
    `/${file}`,
    file.replace("/edge/", "/edge//"),
    file.replace("/edge/", "/edge/%2e/"),
    file.replace("/edge/", "/x/%2e%2e/edge/"),
    file.replace("/edge/", "/%65dge/"),
    file.replace("/edge/", "/edge%2f"),
    file.replace("/edge/", "/EDGE/"),
    file.replace("console", "%63onsole"),
    file.replace("console", "console/../console"),
    file.replace("/index.html", ""),
    file.replace("/index.html", "/"),
    file.replace("/index.html", "/index"),
    `${file}?v=1`,
    `${file}/`,
    `/public${file}`,
  ];

  it("are none on the API's host, in any spelling, but for the description", async () => {
    expect(files).toContain("/edge/console/index.html");
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const content = await readFile(join("public", file));
      const others = [API.toUpperCase(), `${API}.`, `${API}:8443`, `x.${CONSOLE}`];
      for (const host of [API, ...(file.endsWith("/index.html") ? others : [])]) {
        for (const path of new Set(spellings(file))) {
          const { status, headers, body } = await ask(host, path);
          // The one file that is for anybody.
          if (file === "/edge/openapi.json" && status === 200) continue;
          expect(body.equals(content), `${host} ${path}`).toBe(false);
          expect(headers.get("content-security-policy"), `${host} ${path}`).toBeNull();
          if (!file.startsWith("/edge/console/")) continue;
          // With `/public` before it, it is a path of the API's.
          expect(status, `${host} ${path}`).toBe(404);
          if (path.startsWith("/public")) continue;
          expect(JSON.parse(body.toString()), `${host} ${path}`).toMatchObject({ code: "NOT_FOUND" });
        }
      }
    }
  });

  it("are the console on its host, byte for byte, in one spelling", async () => {
    for (const file of files.filter((each) => each.startsWith("/edge/console/"))) {
      const { status, headers, body } = await ask(CONSOLE, file);
      expect([status, body.equals(await readFile(join("public", file)))], file).toEqual([200, true]);
      expect(headers.get("content-security-policy"), file).toMatch(/^default-src 'none'/);
      expect(headers.get("x-content-type-options"), file).toBe("nosniff");
      expect(headers.get("content-type") ?? "", file).toMatch(TYPES[file.replace(/^.*\./, "")] ?? /^/);
      const etag = headers.get("etag") ?? "";
      expect(etag, file).toMatch(/^(W\/)?".+"$/);
    }
    const page = await readFile("public/edge/console/index.html");
    for (const path of ["/edge/console", "/edge/console/"])
      expect((await ask(CONSOLE, path)).body.equals(page), path).toBe(true);
  });

  it("no other path of that host is answered, and none reaches the API", async () => {
    const before = harness.origin.requests.length;
    for (const path of ["/", "/v1/emissions/factors", "/auth/sessions", "/edge/console/../../v1/x", "//v1/x"])
      expect((await ask(CONSOLE, path)).status, path).toBe(404);
    expect((await ask(CONSOLE, "/health/live")).status).toBe(200);
    expect(harness.origin.requests.length).toBe(before);
  });
});

const TYPES: Record<string, RegExp> = {
  html: /^text\/html/,
  js: /^text\/javascript/,
  css: /^text\/css/,
  svg: /^image\/svg\+xml/,
};

describe("from the console's host", () => {
  const cached = async (host: string, path: string) => (await ask(host, path)).headers.get("x-cache");

  it("warming fills what requests to the API's host are answered from, and a purge takes it away", async () => {
    const path = "/v1/emissions/factors?from=console";
    const warm = { method: "POST", token: true, body: { paths: [path] } };
    const { status, body } = await ask(CONSOLE, "/edge/cache/warm", warm);
    expect([status, body.toString()]).toEqual([200, expect.stringContaining('"stored":true')]);
    expect(await cached(API, path)).toBe("HIT");
    expect(await cached("other.example", path), "another host's").toBe("MISS");
    const purge = { method: "POST", token: true, body: { files: [path] } };
    expect((await ask(CONSOLE, "/edge/cache/purge", purge)).status).toBe(200);
    expect(await cached(API, path)).toBe("MISS");
    const other = { ...purge, body: { files: [path], host: "other.example" } };
    expect((await ask(CONSOLE, "/edge/cache/purge", other)).status).toBe(200);
    expect(await cached("other.example", path)).toBe("MISS");
    expect(await cached(API, path)).toBe("HIT");
  });

  it("what it asks for is answered there", async () => {
    for (const path of ["/edge/overview", "/edge/cache/purges", "/edge/limits/user:ada"]) {
      expect((await ask(CONSOLE, path)).status, path).toBe(401);
      const { status, headers } = await ask(CONSOLE, path, { token: true });
      expect([status, headers.get("cache-control")], path).toEqual([200, "no-store"]);
    }
    const lookup = { method: "POST", token: true, body: { path: "/v1/emissions/factors" } };
    const { body } = await ask(CONSOLE, "/edge/routes/lookup", lookup);
    expect(JSON.parse(body.toString())).toMatchObject({ route: expect.stringContaining("/v1/emissions") });
  });
});
