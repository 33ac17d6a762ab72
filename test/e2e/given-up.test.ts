import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildWorker } from "../support/edge/build.ts";
import { until } from "../support/until.ts";

const ROUTES = [
  { path: "/limited/*", limits: [{ name: "burst", limit: 1000, window: "1 h" }] },
  { path: "/cached/*", cache: { ttl: 600, scope: "shared" } },
  { path: "/eager/*", cache: { ttl: 600, scope: "shared" }, originFetch: "eager" },
];

const ADMIN_TOKEN = "an-admin-token-of-this-test-alone-4711";

/** A server whose answer to a request never comes, or stands still in its body. */
async function hanging() {
  /** Requests that were never answered and whose connection is still there. */
  const open = new Set<string>();
  let asked = 0;
  let most = 0;
  const server: Server = createServer((request, response) => {
    asked += 1;
    const name = `${request.method} ${request.url}`;
    request.resume();
    open.add(name);
    most = Math.max(most, open.size);
    response.on("close", () => open.delete(name));
    if (request.url?.endsWith("/body")) response.writeHead(200, { "content-length": 6 }).write("ans");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    open,
    /** Most of them at one time. */
    most: () => most,
    get asked() {
      return asked;
    },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let origin: Awaited<ReturnType<typeof hanging>>;
let store: typeof origin;
let runtime: Miniflare;
let url: string;

beforeAll(async () => {
  [origin, store] = await Promise.all([hanging(), hanging()]);
  runtime = new Miniflare({
    host: "127.0.0.1",
    modules: [{ type: "ESModule", path: "edge.js", contents: await readFile(await buildWorker(), "utf8") }],
    compatibilityDate: "2026-04-24",
    compatibilityFlags: ["nodejs_compat", "no_nodejs_global_timers"],
    handleStructuredLogs() {},
    bindings: {
      ROUTES: ROUTES as unknown as string,
      ORIGIN_URL: origin.url,
      ORIGIN_DEADLINE_MS: 500,
      UPSTASH_REDIS_REST_URL: store.url,
      UPSTASH_REDIS_REST_TOKEN: "a-token-of-this-test-alone",
      STORE_DEADLINE_MS: 100,
      ADMIN_TOKEN,
    },
  });
  url = String(await runtime.ready).replace(/\/$/, "");
});
afterAll(async () => {
  await runtime?.dispose();
  await origin?.stop();
  await store?.stop();
});

it.each<[method: string, path: string]>([
  ["GET", "/limited/fields"],
  ["POST", "/limited/fields"],
  ["GET", "/cached/fields"],
  ["GET", "/cached/body"],
  ["DELETE", "/cached/fields"],
  ["GET", "/eager/fields"],
])("what a request has given up ends with it, without a signal: %s %s", async (method, path) => {
  const before = origin.asked;
  const body = method === "POST" ? { body: "{}" } : {};
  const response = await fetch(url + path, {
    method,
    ...body,
    headers: { "cf-connecting-ip": "203.0.113.1" },
  });
  await response.text();
  expect(response.status).toBe(504);
  expect(origin.asked).toBeGreaterThan(before);
  await until(() => origin.open.size === 0, "the origin's connection is closed");
  await until(() => store.open.size === 0, "the store's connection is closed");
});

// A Worker may wait for six answers at once: those that are late would keep the others waiting until the invocation's end.
it("warming gives up each request by itself", async () => {
  const paths = Array.from({ length: 12 }, (_, n) => `/cached/${n}`);
  const response = await fetch(`${url}/edge/cache/warm`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ paths }),
  });
  let text = "";
  for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
  expect(text).toContain('"failed":12');
  expect(origin.most()).toBeGreaterThanOrEqual(6);
  expect(origin.most(), "the first six are closed before the last are sent").toBeLessThan(12);
});

it("the store was asked", () => {
  expect(store.asked).toBeGreaterThan(0);
});
