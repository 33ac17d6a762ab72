import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Hono } from "hono";
import { hc } from "hono/client";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as Client from "../../src/client/index.ts";
import { createClient, edgeProblem } from "../../src/client/index.ts";
import { hasChromium, launchChromium } from "../support/chromium.ts";
import { bundleClient } from "../support/client-bundle.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";

/** What the pages' module has. */
declare global {
  var client: typeof Client;
}

let pages: Server;
let harness: Harness;
let code: string;
let gzippedBytes: number;
let inputs: string[];
beforeAll(async () => {
  ({ code, gzippedBytes, inputs } = await bundleClient());
  pages = createServer((request, response) => {
    const script = request.url === "/client.js";
    response.setHeader("content-type", script ? "text/javascript" : "text/html");
    response.end(
      script
        ? code
        : '<!doctype html><title>a page</title><script type="module">import * as client from "/client.js"; globalThis.client = client;</script>',
    );
  });
  await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
  harness = await openHarness({
    vars: {
      CORS_ALLOWED_ORIGINS: `http://127.0.0.1:${(pages.address() as AddressInfo).port}`,
      SESSION_OFFLINE_GRACE_SECONDS: 900,
      ROUTES: [
        { path: "/v1/echo/few", limits: [{ name: "few", limit: 1, window: "1 h" }] },
        {
          path: "/v1/echo/soon",
          limits: [{ name: "soon", limit: 1, window: "1 s", algorithm: "fixed-window" }],
        },
        { path: "/v1/user/*", access: "session" },
      ],
    },
  });
});
afterAll(async () => {
  await harness?.stop();
  pages?.close();
});

it("is at most 3.3 KB gzipped, and depends on nothing", () => {
  expect(gzippedBytes).toBeLessThanOrEqual(3300);
  expect(inputs.filter((path) => !path.startsWith("src/"))).toEqual([]);
});

describe.skipIf(!hasChromium)("in Chromium, at a page of another origin", () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium();
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}`);
    await page.waitForFunction(() => "client" in globalThis);
  });
  afterAll(() => browser?.close());

  it("keeps, sends, rotates and ends a bearer session", async () => {
    const [token, other] = [await harness.token("ada"), await harness.token("ada")];
    const seen = await page.evaluate(
      async ({ baseUrl, token }) => {
        const told: (string | null)[] = [];
        const { createClient, edgeProblem } = globalThis.client;
        const api = createClient({ baseUrl, token, onToken: (each) => void told.push(each) });
        // The browser may keep the profile for a minute.
        const init = { cache: "no-store" } as const;
        const profile = async () => (await api.fetch("/v1/user/profile", init)).status;
        const before = await profile();
        const { sessions, complete } = await api.sessions.list();
        const rotated = await api.sessions.rotate();
        const old = createClient({ baseUrl, token });
        const oldAnswer = await old.fetch("/v1/user/profile", init);
        return {
          before,
          listed: sessions.map(({ user_id, current }) => ({ user_id, current })),
          complete,
          rotated: rotated.session_id.startsWith(`${sessions.find((each) => each.current)?.session_id}~`),
          old: [oldAnswer.status, (await edgeProblem(oldAnswer))?.code, old.token],
          after: await profile(),
          others: await api.sessions.endOthers(),
          still: await profile(),
          missing: await api.sessions.end("f".repeat(40)).catch((error: Client.EdgeError) => error.code),
          signedOut: await api.sessions.signOut(),
          last: await profile(),
          told: told.map((each) => each?.slice(0, 4) ?? null),
        };
      },
      { baseUrl: harness.edge.url, token },
    );
    expect(seen).toEqual({
      before: 200,
      listed: expect.arrayContaining([
        { user_id: "ada", current: true },
        { user_id: "ada", current: false },
      ]) as unknown,
      complete: true,
      rotated: true,
      old: [401, "SESSION_INVALID", null],
      after: 200,
      others: { kind: "done", deleted: 1 },
      still: 200,
      missing: "SESSION_NOT_FOUND",
      signedOut: { kind: "done" },
      last: 401,
      told: ["es1.", null],
    });
    const refused = await harness.edge.fetch("/v1/user/profile", {
      headers: { authorization: `Bearer ${other}` },
    });
    expect(refused.status).toBe(401);
  });

  it("sends the session's cookie where it is told to, at the paths of sessions too, and nothing else says otherwise", async () => {
    const cookie = { name: "session", value: await harness.token("ada"), sameSite: "Lax" } as const;
    await page.context().addCookies([{ ...cookie, url: harness.edge.url, httpOnly: true }]);
    const seen = await page.evaluate(async (baseUrl) => {
      const { createClient } = globalThis.client;
      const path = "/v1/user/profile";
      const asked = async (api: Client.EdgeClient) => {
        const cases: [RequestInfo | URL, object?][] = [
          [path],
          [new URL(path, baseUrl), { cache: "no-store" }],
          [path, { credentials: "omit" }],
          [path, { credentials: "include" }],
          [new Request(new URL(path, baseUrl))],
        ];
        const statuses: number[] = [];
        for (const [input, init] of cases) statuses.push((await api.fetch(input, init)).status);
        const listed = await api.sessions.list().then(({ sessions }) => sessions.length, String);
        return [...statuses, listed];
      };
      const api = createClient({ baseUrl, credentials: "include" });
      return {
        include: await asked(api),
        default: await asked(createClient({ baseUrl })),
        signedOut: await api.sessions.signOut(),
        after: (await api.fetch(path)).status,
      };
    }, harness.edge.url);
    await page.context().clearCookies();
    expect(seen).toEqual({
      include: [200, 200, 401, 200, 401, 1],
      default: [401, 401, 401, 200, 401, "EdgeError: SESSION_REQUIRED: Sign in first."],
      signedOut: { kind: "done" },
      after: 401,
    });
  });

  it("reads the limits of an answer, tells the edge's refusal, and waits it out where asked", async () => {
    const seen = await page.evaluate(async (baseUrl) => {
      const { createClient, edgeProblem, rateLimits } = globalThis.client;
      const api = createClient({ baseUrl });
      const first = await api.fetch("/v1/echo/few");
      const second = await api.fetch("/v1/echo/few");
      const patient = createClient({ baseUrl, waitSeconds: 2 });
      const waited = [];
      for (let i = 0; i < 3; i += 1)
        waited.push((await patient.fetch("/v1/echo/soon", { method: "POST" })).status);
      return {
        first: rateLimits(first.headers).map(({ name, limit, remaining }) => ({ name, limit, remaining })),
        problem: await edgeProblem(second),
        waited,
      };
    }, harness.edge.url);
    expect(seen.first).toEqual([{ name: "few", limit: 1, remaining: 0 }]);
    expect(seen.problem).toMatchObject({ code: "RATE_LIMIT_EXCEEDED", "violated-policies": ["few"] });
    expect(seen.waited).toEqual([200, 200, 200]);
  });

  it("tells that an ending is pending while the store is lost", async () => {
    const token = await harness.token("grace");
    const confirmed = await harness.edge.fetch("/v1/user/profile", {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(confirmed.status).toBe(200);
    await harness.upstash.stopEndpoint();
    const ended = await page.evaluate(
      async ({ baseUrl, token }) => {
        const api = globalThis.client.createClient({ baseUrl, token });
        return [await api.sessions.signOut(), api.token];
      },
      { baseUrl: harness.edge.url, token },
    );
    await harness.upstash.startEndpoint();
    expect(ended).toEqual([{ kind: "pending" }, null]);
  });
});

it("is the fetch of hono's client", async () => {
  const app = new Hono().get("/v1/user/profile", (c) => c.json({ user_id: "" }));
  const api = createClient({ baseUrl: harness.edge.url, token: await harness.token("hopper") });
  const typed = hc<typeof app>(harness.edge.url, { fetch: api.fetch });
  const answer = await typed.v1.user.profile.$get();
  const body: { user_id: string } = await answer.json();
  expect(body.user_id).toBe("hopper");
  api.setToken(null);
  const refused = await typed.v1.user.profile.$get();
  expect((await edgeProblem(refused))?.code).toBe("SESSION_REQUIRED");
});
