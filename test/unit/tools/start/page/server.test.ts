import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Page, startPage } from "../../../../../src/tools/start/page/server.ts";

const HOSTILE = '</script><img src=x onerror="document.title=1">\r\n\r\nevent: about\ndata: {}';
let page: Page;
const ran: number[] = [];
beforeAll(async () => {
  page = await startPage({
    port: 0,
    state: () => ({
      about: { edge: "http://localhost:1", origin: "http://localhost:2", store: "none", console: null },
      routes: [],
      tour: [{ says: "one", shell: "true" }],
      problem: HOSTILE,
    }),
    requests: () => [{ id: "a", path: HOSTILE }],
    async runStop(index) {
      ran.push(index);
      return HOSTILE;
    },
  });
});
afterAll(() => page.stop());

/** Sends a request with any Host, which fetch() does not. */
function send(path: string, headers: Record<string, string> = {}, method = "GET") {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const { port } = new URL(page.url);
      request(
        { host: "127.0.0.1", port, path, method, headers: { host: `127.0.0.1:${port}`, ...headers } },
        (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (text: string) => {
            body += text;
            // The stream of events has no end.
            if (body.includes("event: request")) response.destroy();
          });
          response.once("close", () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          );
        },
      )
        .once("error", reject)
        .end();
    },
  );
}

describe("only loopback names are answered", () => {
  it.each([
    ["localhost:8788", 200],
    ["LOCALHOST", 200],
    ["127.0.0.1", 200],
    ["[::1]:8788", 200],
    ["evil.example", 403],
    ["evil.example:8788", 403],
    ["localhost.evil.example", 403],
    ["127.0.0.1.evil.example", 403],
    ["localhost:8788@evil.example", 403],
    ["192.168.0.2:8788", 403],
  ])("Host: %s → %i", async (host, status) => {
    for (const path of ["/", "/events", "/page.js"]) expect((await send(path, { host })).status).toBe(status);
    expect((await send("/tour/0", { host }, "POST")).status).toBe(status);
  });
});

describe("a step of the tour is run for this page only", () => {
  it.each([
    [{}, 200],
    [{ "sec-fetch-site": "same-origin" }, 200],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ "sec-fetch-site": "none" }, 403],
    [{ origin: "https://evil.example" }, 403],
    [{ origin: "null" }, 403],
  ])("%j → %i", async (headers, status) => {
    ran.length = 0;
    expect((await send("/tour/0", headers, "POST")).status).toBe(status);
    expect(ran).toEqual(status === 200 ? [0] : []);
  });

  it.each([
    ["/tour/1", "POST", 404],
    ["/tour/-1", "POST", 405],
    ["/tour/0", "GET", 405],
    ["/tour/0/..", "POST", 405],
  ])("%s by %s → %i", async (path, method, status) => {
    ran.length = 0;
    expect((await send(path, {}, method)).status).toBe(status);
    expect(ran).toEqual([]);
  });
});

it.each(["/", "/page.js", "/page.css", "/events", "/none", "/../server.ts", "/%2e%2e/server.ts"])(
  "%s has a policy that admits the page's own files alone, and is text where it is none of them",
  async (path) => {
    const { status, headers } = await send(path);
    expect(headers["content-security-policy"]).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'/,
    );
    expect(headers["content-security-policy"]).not.toContain("unsafe");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
    expect(headers["access-control-allow-origin"]).toBeUndefined();
    if (status !== 200) expect(headers["content-type"]).toMatch(/^text\/plain/);
  },
);

it("what a request brings cannot end an event or begin another", async () => {
  const { body } = await send("/events");
  const events = body.split("\n\n").filter(Boolean);
  expect(events.map((event) => /^event: (\w+)\ndata: .*$/.exec(event)?.[1])).toEqual([
    "about",
    "routes",
    "tour",
    "problem",
    "request",
  ]);
});

it("what a step prints is text", async () => {
  const { headers, body } = await send("/tour/0", {}, "POST");
  expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
  expect(body).toContain(HOSTILE);
});

it("a port that is taken is an error", async () => {
  const options = {
    state: () => ({
      about: { edge: "", origin: "", store: "", console: null },
      routes: [],
      tour: [],
      problem: null,
    }),
  };
  await expect(
    startPage({
      port: Number(new URL(page.url).port),
      requests: () => [],
      runStop: async () => "",
      ...options,
    }),
  ).rejects.toThrow(/EADDRINUSE/);
});
