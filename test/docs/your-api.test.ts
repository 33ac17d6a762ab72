import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { hasChromium, launchChromium } from "../support/chromium.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { type Edge, startEdge } from "../support/edge/start.ts";
import { saying, type TestServer } from "../support/servers.ts";
import { type Api, startExpressApi } from "./express-api.ts";
import { hasPython, startFastApi } from "./fastapi-api.ts";
import { generated } from "./generated.ts";
import { blocksOf } from "./markdown.ts";

const TOKEN = randomBytes(24).toString("base64url");
const lines = (mark: string) =>
  blocksOf("docs/your-api.md").find(({ text }) => text.includes(mark))?.text ?? "";

const ROUTES = [
  {
    path: "/login",
    methods: ["POST"],
    session: "start",
    limits: [{ name: "login", limit: 50, window: "5 m", by: "address" }],
  },
  {
    path: "/items",
    methods: ["GET"],
    limits: [{ name: "list", limit: 4, window: "1 h" }],
    cache: { ttl: 60, scope: "shared" },
  },
  { path: "/me", access: "session" },
];

const json = (body: object) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const ada = { user: "ada", password: "correct horse" };

/** Signs in as a browser does, and gives the cookie. */
async function signIn(edge: Edge, user: string): Promise<string> {
  const answer = await edge.fetch("/login", json({ ...ada, user }));
  expect(answer.status).toBe(200);
  expect(answer.headers.has("x-edge-session")).toBe(false);
  return answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

describe("docs/your-api.md: Express", () => {
  let api: Api;
  let harness: Harness;
  let page: TestServer;
  beforeAll(async () => {
    api = await startExpressApi(TOKEN);
    page = await saying(200, "<!doctype html><title>a page</title>", { "content-type": "text/html" });
    harness = await openHarness({
      vars: { ORIGIN_URL: api.url, ORIGIN_TOKEN: TOKEN, ROUTES, CORS_ALLOWED_ORIGINS: page.url },
    });
  });
  afterAll(async () => {
    await harness?.stop();
    await api?.stop();
    await page?.stop();
  });

  it("refuses who goes around the edge, a WebSocket too", async () => {
    for (const headers of [{}, { "x-edge-token": "another", "x-user-id": "ada" }])
      expect((await fetch(`${api.url}/me`, { headers })).status).toBe(403);
    await expect(socketTo(api.url)).rejects.toThrow("403");
  });

  it("gets a session at login, and learns who asks", async () => {
    const wrong = await harness.edge.fetch("/login", json({ user: "ada", password: "wrong" }));
    expect([wrong.status, wrong.headers.getSetCookie()]).toEqual([401, []]);
    for (const user of ["ada", "Ärger 日本", "a/b%2F"]) {
      const cookie = await signIn(harness.edge, user);
      const me = await harness.edge.fetch("/me", { headers: { cookie }, address: "198.51.100.9" });
      expect(await me.json()).toEqual({ user, ip: "198.51.100.9" });
    }
    expect((await harness.edge.fetch("/me")).status).toBe(401);
  });

  it("has a list that is cached by its query, and limited", async () => {
    const statuses: unknown[] = [];
    for (const q of ["a", "a", "b", "a", "a"]) {
      const answer = await harness.edge.fetch(`/items?q=${q}`, { address: "198.51.100.1" });
      statuses.push([answer.status, answer.headers.get("x-cache"), answer.headers.get("x-total-count")]);
    }
    expect(statuses).toEqual([
      [200, "MISS", "3"],
      [200, "HIT", "3"],
      [200, "MISS", "3"],
      [200, "HIT", "3"],
      [429, null, null],
    ]);
  });

  it("gets an upload of 5 MB whole", async () => {
    const body = randomBytes(5_000_000);
    const answer = await harness.edge.fetch("/upload", { method: "POST", body });
    expect(await answer.json()).toEqual({
      size: body.length,
      sha256: createHash("sha256").update(body).digest("hex"),
    });
  });

  it("answers 304 to who has the page", async () => {
    const first = await harness.edge.fetch("/page");
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/"/);
    const second = await harness.edge.fetch("/page", {
      headers: { "if-none-match": etag, "cache-control": "max-age=0" },
    });
    expect([second.status, await second.text()]).toEqual([304, ""]);
  });

  it("sends events as they happen", async () => {
    const answer = await harness.edge.fetch("/events");
    expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream/);
    let text = "";
    for await (const chunk of answer.body ?? []) {
      text += new TextDecoder().decode(chunk as Uint8Array);
      if (text.includes("data: 3")) break;
    }
    expect(text).toContain("data: 1\n\ndata: 2\n\ndata: 3");
  });

  it("speaks over a WebSocket", async () => {
    expect(await socketTo(harness.edge.url)).toBe("echo hello");
  });

  it.skipIf(!hasChromium)("serves a page of another origin, in Chromium", async () => {
    const browser = await launchChromium();
    try {
      const tab = await browser.newPage();
      await tab.goto(page.url);
      const seen = await tab.evaluate(
        async ({ edge, login }) => {
          const init = { credentials: "include", headers: {} };
          const signedIn = await fetch(`${edge}/login`, { ...init, ...login });
          const me = (await (await fetch(`${edge}/me`, init)).json()) as { user: string };
          const first = await fetch(`${edge}/items?q=page`, init);
          let last = first;
          // Each asks for another page: the browser would answer the same one from its own cache.
          for (let i = 0; i < 9 && last.status !== 429; i += 1)
            last = await fetch(`${edge}/items?q=${i}`, init);
          return {
            signedIn: signedIn.status,
            user: me.user,
            total: first.headers.get("x-total-count"),
            status: last.status,
            retryAfter: last.headers.get("retry-after"),
          };
        },
        { edge: harness.edge.url, login: json({ ...ada, user: "grace" }) },
      );
      expect(seen).toMatchObject({ signedIn: 200, user: "grace", total: "3", status: 429 });
      expect(Number(seen.retryAfter)).toBeGreaterThan(0);
    } finally {
      await browser.close();
    }
  });
});

/** What the socket says to "hello". @throws Error with the status where the upgrade is refused. */
function socketTo(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/socket`);
    socket.on("open", () => socket.send("hello"));
    socket.on("error", reject);
    socket.on("message", (text) => {
      socket.close();
      resolve(String(text));
    });
  });
}

describe("docs/your-api.md: Hono", () => {
  let api: Edge;
  let harness: Harness;
  beforeAll(async () => {
    const entry = await generated("hono-api.ts", lines('from "hono"'));
    api = await startEdge({ entry, vars: { ORIGIN_TOKEN: TOKEN } });
    harness = await openHarness({ vars: { ORIGIN_URL: api.url, ORIGIN_TOKEN: TOKEN, ROUTES } });
  });
  afterAll(async () => {
    await harness?.stop();
    await api?.stop();
  });

  it("refuses who goes around the edge, and learns who asks", async () => {
    expect(
      (await fetch(`${api.url}/me`, { headers: { "x-edge-token": "x", "x-user-id": "ada" } })).status,
    ).toBe(403);
    expect((await fetch(`${api.url}/me`)).status).toBe(403);
    const cookie = await signIn(harness.edge, "Ärger 日本");
    expect(await (await harness.edge.fetch("/me", { headers: { cookie } })).json()).toEqual({
      user: "Ärger 日本",
    });
  });
});

describe.skipIf(!hasPython)("docs/your-api.md: FastAPI", () => {
  let api: Api;
  let harness: Harness;
  beforeAll(async () => {
    api = await startFastApi(TOKEN);
    harness = await openHarness({ vars: { ORIGIN_URL: api.url, ORIGIN_TOKEN: TOKEN, ROUTES } });
  });
  afterAll(async () => {
    await harness?.stop();
    await api?.stop();
  });

  it("refuses who goes around the edge", async () => {
    for (const headers of [{}, { "x-edge-token": "" }, { "x-edge-token": "another", "x-user-id": "ada" }])
      expect((await fetch(`${api.url}/me`, { headers })).status).toBe(403);
  });

  it("gets a session at login, and learns who asks", async () => {
    const wrong = await harness.edge.fetch("/login", json({ user: "ada", password: "wrong" }));
    expect([wrong.status, wrong.headers.getSetCookie()]).toEqual([401, []]);
    for (const user of ["ada", "Ärger 日本", "a/b%2F", "a+b"]) {
      const cookie = await signIn(harness.edge, user);
      expect(await (await harness.edge.fetch("/me", { headers: { cookie } })).json()).toEqual({ user });
    }
    expect((await harness.edge.fetch("/me")).status).toBe(401);
  });
});

describe("docs/your-api.md: an API without ORIGIN_TOKEN does not start, since an absent field would match it", () => {
  it("Express", () => expect(startExpressApi("")).rejects.toThrow("ORIGIN_TOKEN is not set"));

  it.skipIf(!hasPython).each([[[]], [["-O"]]])("FastAPI, python3 %j", (options) =>
    expect(startFastApi("", options)).rejects.toThrow("ORIGIN_TOKEN is not set"),
  );
});
