import { beforeAll, describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { dice } from "../../support/dice.ts";
import { ADMIN_TOKEN, pairedEdges } from "../../support/edge/paired-edges.ts";

const LIMIT = { name: "hour", limit: 1000, window: "1 h", lease: 50 } as const;
const ROUTES: RouteInput[] = [
  { path: "/free/*", cache: { ttl: 60, scope: "shared" } },
  { path: "/few/*", limits: [{ ...LIMIT, name: "few", limit: 40, lease: 4 }], cache: { ttl: 600 } },
  { path: "/caller/*", cache: { ttl: 60, scope: "caller" } },
  { path: "/eager/*", limits: [LIMIT], cache: { ttl: 60, scope: "shared" }, originFetch: "eager" },
  { path: "/unleased/*", limits: [{ name: "each", limit: 1000, window: "1 h" }], cache: { ttl: 60 } },
  { path: "/signed-in/*", access: "session", cache: { ttl: 60, scope: "shared" } },
  { path: "/*", limits: [LIMIT], cache: { ttl: 60, scope: "shared" } },
];
const ENV = {
  CORS_ALLOWED_ORIGINS: "https://app.example",
  METRICS_TOKEN: "metrics-token-of-this-test-only-01",
  SESSION_SECRET: "session-secret-of-this-test-only-0123",
};

/** The path says how the answer may be stored. */
function answer({ url, method, headers }: { url: URL; method: string; headers: Headers }, count: number) {
  const vary = url.pathname.includes("vary") ? "accept-language" : null;
  const body = `${method} ${url.pathname} ${url.search} ${headers.get("accept-language")} ${count}`;
  return new Response(method === "HEAD" ? null : body, {
    status: url.pathname.includes("missing") ? 404 : 200,
    headers: {
      "cache-control": url.pathname.includes("brief") ? "max-age=2, stale-while-revalidate=5" : "max-age=60",
      "content-length": String(body.length),
      "content-type": "text/plain",
      etag: `"${url.pathname.length}"`,
      "cache-tag": "all, some",
      ...(vary && { vary }),
    },
  });
}

const edges = () => pairedEdges({ routes: ROUTES, env: ENV, answer });
type Pair = ReturnType<typeof edges>;

/** Asks both, which must say the same. */
async function same(pair: Pair, path: string, init: Parameters<Pair["ask"]>[1] = {}) {
  const [one, other] = await pair.ask(path, init);
  expect(one, `${init.method ?? "GET"} ${path} ${JSON.stringify(init.headers ?? {})}`).toEqual(other);
  return one;
}

const word = ({ fields }: { fields: [string, string][] }) => new Map(fields).get("x-cache");

const purge = (body: object) => ({
  method: "POST",
  headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** Redis is told each script once; the call that it costs is whose request comes first. */
beforeAll(async () => {
  const pair = edges();
  for (const path of ["/a", "/few/a", "/unleased/a", "/vary/a", "/caller/a"]) {
    for (const method of ["GET", "GET", "DELETE"]) await pair.ask(path, { method });
    await pair.ask(path, { headers: { authorization: "Bearer somebody-0123456789" } });
  }
  await pair.ask("/edge/cache/purge", purge({ tags: ["some"] }));
  pair.advance(6000);
  await pair.ask("/a");
});

describe("a request that repeats another", () => {
  it.each(["/a?q=1", "/free/a", "/a/b/", "/a%20b?x=%41", "/few/a"])(
    "to %s is answered without all steps, as with them",
    async (path) => {
      const pair = edges();
      await same(pair, path);
      expect(word(await same(pair, path))).toBe("HIT");
      for (let n = 1; n <= 3; n += 1) {
        pair.advance(400);
        expect(word(await same(pair, path))).toBe("HIT");
      }
      expect(pair.repeated()).toBe(path.startsWith("/few") ? 2 : 3);
    },
  );

  it.each([
    ["a caller's route", "/caller/a", {}],
    ["a limit without a lease", "/unleased/a", {}],
    ["an eager route", "/eager/a", {}],
    ["an answer that varies", "/vary/a", {}],
    ["an answer that is no 200", "/missing/a", {}],
    ["a credential in the query", "/a?api_key=key-of-ada-0123456789", {}],
    ["a credential that only the origin reads, in the query", "/a?access_token=x", {}],
    ["a cookie", "/a", { cookie: "a=1" }],
    ["a field that nobody knows", "/a", { "x-client": "1" }],
    ["no address", "/a", { "cf-connecting-ip": "" }],
    ["a text for an address that is too long", "/a", { "cf-connecting-ip": "1".repeat(60) }],
    ["the console's path", "/edge/console", {}],
    ["the edge's own path", "/health", {}],
  ])("takes all steps on %s", async (_, path, headers) => {
    const pair = edges();
    for (let n = 0; n < 5; n += 1) await same(pair, path, { headers });
    expect(pair.repeated()).toBe(0);
  });

  it.each<[what: string, init: Parameters<Pair["ask"]>[1]]>([
    ["another method", { method: "HEAD" }],
    ["OPTIONS", { method: "OPTIONS" }],
    ["a write, which makes the entry invalid", { method: "POST", body: "x" }],
    ["an address that was not seen", { address: "198.51.100.9" }],
    ["an IPv6 address", { address: "2001:db8::1" }],
    ["a session", { headers: { authorization: "Bearer es1.forged.token" } }],
    ["a key", { headers: { "x-api-key": "key-of-somebody-0123456789" } }],
    ["a key in another spelling", { headers: { X_API_Key: "key-of-somebody-0123456789" } }],
    ["a cookie", { headers: { cookie: "sid=1" } }],
    ["If-None-Match", { headers: { "if-none-match": '"2"' } }],
    ["If-Modified-Since", { headers: { "if-modified-since": "Thu, 15 Jan 2027 12:00:00 GMT" } }],
    ["If-Match", { headers: { "if-match": '"2"' } }],
    ["Range", { headers: { range: "bytes=0-3" } }],
    ["no-cache", { headers: { "cache-control": "no-cache" } }],
    ["max-age=0", { headers: { "cache-control": "max-age=0" } }],
    ["only-if-cached", { headers: { "cache-control": "only-if-cached" } }],
    ["Pragma", { headers: { pragma: "no-cache" } }],
    ["a token for Server-Timing", { headers: { "x-edge-metrics-token": ENV.METRICS_TOKEN } }],
    ["Upgrade", { headers: { upgrade: "websocket" } }],
    ["a field that nobody knows", { headers: { "x-tenant": "a" } }],
  ])("with %s takes all steps, and the next is what it would be with them", async (_, init) => {
    const pair = edges();
    for (let n = 0; n < 3; n += 1) await same(pair, "/a");
    const before = pair.repeated();
    await same(pair, "/a", init);
    expect(pair.repeated(), "it took all steps").toBe(before);
    for (let n = 0; n < 3; n += 1) await same(pair, "/a");
  });

  it.each([
    ["origin", "https://app.example"],
    ["origin", "https://stranger.example"],
    ["origin", "null"],
    ["accept", "text/html"],
    ["accept-encoding", "gzip, br;q=0"],
    ["accept-language", "de"],
    ["sec-fetch-site", "cross-site"],
    ["x-forwarded-proto", "http"],
    ["x-forwarded-for", "198.51.100.1"],
    ["x-real-ip", "198.51.100.1"],
    ["cf-visitor", '{"scheme":"http"}'],
    ["cf-ray", "8f3a2b1c0d9e8f7a-FRA"],
    ["referer", "https://app.example/a?token=x"],
  ])("may have the field %s: %s", async (name, value) => {
    const pair = edges();
    for (let n = 0; n < 3; n += 1) await same(pair, "/a");
    const before = pair.repeated();
    await same(pair, "/a", { headers: { [name]: value } });
    await same(pair, "/a");
    expect(pair.repeated() - before).toBe(2);
  });

  it("takes all steps where CREDENTIAL_FIELDS names one of its fields", async () => {
    const pair = pairedEdges({ routes: ROUTES, env: { ...ENV, CREDENTIAL_FIELDS: "x-real-ip" }, answer });
    for (let n = 0; n < 4; n += 1) await same(pair, "/a", { headers: { "x-real-ip": "198.51.100.1" } });
    expect(pair.repeated()).toBe(0);
  });

  it.each<[what: string, env: Record<string, string>]>([
    ["EDGE_MODE=observe", { EDGE_MODE: "observe" }],
    ["EDGE_MODE=bypass", { EDGE_MODE: "bypass" }],
  ])("takes all steps under %s", async (_, env) => {
    const pair = pairedEdges({ routes: ROUTES, env: { ...ENV, ...env }, answer });
    for (let n = 0; n < 4; n += 1) await same(pair, "/a");
    expect(pair.repeated()).toBe(0);
  });

  it.each<[what: string, change: (pair: Pair) => Promise<unknown>]>([
    [
      "a purge of its URL",
      (pair) => same(pair, "/edge/cache/purge", purge({ files: ["https://edge.example/a"] })),
    ],
    ["a purge of its tag", (pair) => same(pair, "/edge/cache/purge", purge({ tags: ["some"] }))],
    ["a soft purge", (pair) => same(pair, "/edge/cache/purge", purge({ tags: ["all"], soft: true }))],
    ["a write to its URL", (pair) => same(pair, "/a", { method: "PUT", body: "x" })],
    ["the end of its lifetime", async (pair) => pair.advance(61_000)],
    ["the time after which the purges are read again", async (pair) => pair.advance(5001)],
    ["a restart", async (pair) => pair.restart()],
    ["the loss of the store", async (pair) => pair.down(true)],
    [
      "the loss of the store, for longer than a lease may be spent",
      async (pair) => {
        pair.down(true);
        pair.advance(6000);
      },
    ],
    ["the end of its window", async (pair) => pair.advance(3_600_000)],
  ])("is right after %s", async (_, change) => {
    const pair = edges();
    for (let n = 0; n < 3; n += 1) await same(pair, "/a");
    expect(pair.repeated()).toBe(1);
    await change(pair);
    for (let n = 0; n < 4; n += 1) await same(pair, "/a");
  });

  it("is counted: the limit refuses the same request with and without it", async () => {
    const pair = edges();
    const statuses: number[] = [];
    for (let n = 0; n < 42; n += 1) statuses.push((await same(pair, "/few/a")).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(40);
    expect(statuses.at(-1)).toBe(429);
    expect(pair.repeated()).toBeGreaterThan(20);
  });
});

describe("a thousand requests at random", () => {
  it.each([1, 2, 3])(
    "have the same answers with and without all steps, seed %i",
    { timeout: 120_000 },
    async (seed) => {
      const pair = edges();
      const { pick: choose } = dice(seed);
      const paths = [
        "/a",
        "/a",
        "/a",
        "/a?x=1",
        "/free/b",
        "/free/brief",
        "/few/c",
        "/vary/d",
        "/caller/e",
        "/missing/f",
        "/eager/g",
      ];
      for (let n = 0; n < 500; n += 1) {
        const what = choose([
          ...Array.from({ length: 30 }, () => "ask"),
          "odd",
          "odd",
          "time",
          "time",
          ...RARE,
        ]);
        const path = choose(paths);
        const address = choose(["192.0.2.7", "192.0.2.7", "2001:db8:1::5"]);
        if (what === "ask") await same(pair, path, { address });
        else if (what === "odd") await same(pair, path, { address, ...choose(ODD) });
        else if (what === "time") pair.advance(choose([1, 300, 900, 3000, 20_000]));
        else if (what === "write") await same(pair, path, { method: "DELETE", address });
        else if (what === "purge")
          await same(
            pair,
            "/edge/cache/purge",
            purge(choose([{ tags: ["some"] }, { tags: ["all"], soft: true }])),
          );
        else pair.down(what === "down" && choose([true, false]));
      }
      expect(pair.repeated(), "it bites").toBeGreaterThan(20);
    },
  );
});

const RARE = ["write", "purge", "down", "up"];

const ODD: RequestInit[] = [
  { method: "HEAD" },
  { headers: { cookie: "a=1" } },
  { headers: { "cache-control": "no-cache" } },
  { headers: { "if-none-match": '"2"' } },
  { headers: { range: "bytes=1-2" } },
  { headers: { "accept-language": "de" } },
  { headers: { origin: "https://app.example" } },
  { headers: { "x-tenant": "1" } },
];
