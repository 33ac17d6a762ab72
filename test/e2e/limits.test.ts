import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";

const day = (name: string, limit: number) => ({ name, limit, window: "1 d", algorithm: "fixed-window" });
const ROUTES = [
  { path: "/v1/keys/check", verifiesKeys: true, limits: [day("keys", 4)] },
  { path: "/v1/echo/tiers", limits: [day("tiers", 2)], tiers: { premium: [day("tiers", 20)] } },
  { path: "/v1/echo/address", limits: [{ ...day("address", 2), by: "address" }] },
  { path: "/v1/echo/shadow", limits: [{ ...day("shadow", 1), shadow: true }] },
  { path: "/v1/echo/cost", limits: [{ ...day("cost", 10), cost: 3 }] },
  { path: "/v1/echo/wait", limits: [{ name: "wait", limit: 2, window: "1 h", algorithm: "sliding-log" }] },
  { path: "/v1/echo/peek", limits: [day("peek", 3), { name: "log", limit: 9, window: "1 h" }] },
  { path: "/v1/user/*", access: "session", limits: [day("user", 50)] },
  { path: "/v1/emissions/*", limits: [day("emissions", 1000)], cache: { ttl: 600, scope: "shared" } },
  { path: "/v1/*", limits: [day("rest", 10_000)] },
];
const JWT_SECRET = "jwt-secret-of-this-test-only-0123456789";
const DENIED = "203.0.113.66";
let harness: Harness;
beforeAll(async () => {
  harness = await openHarness({
    vars: {
      ROUTES,
      JWT_SECRET,
      JWT_TIER_CLAIM: "plan",
      DENY_LIST: `${DENIED}/32, user:banned_user`,
      ALLOW_LIST: "198.51.100.200",
    },
  });
});
afterAll(() => harness.stop());

let addresses = 0;
const freshAddress = () => {
  addresses += 1;
  return `198.51.100.${addresses}`;
};
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
async function ask(path: string, init: RequestInit & { address?: string } = {}) {
  const response = await harness.edge.fetch(path, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}
const statuses = async (times: number, path: string, init: RequestInit & { address?: string } = {}) => {
  const seen: number[] = [];
  for (let i = 0; i < times; i += 1) seen.push((await ask(path, init)).status);
  return seen;
};
const jwt = (user: string, plan?: string) =>
  new SignJWT({ sub: user, ...(plan && { plan }) })
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(JWT_SECRET));

describe("the limit's fields", () => {
  const all = [
    "ratelimit",
    "ratelimit-policy",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
  ];

  it.each([
    ["an answer of the origin", "/v1/emissions/units", 200],
    ["a cached one", "/v1/emissions/units", 200],
    ["one that failed", "/v1/status/500", 500],
    ["one that states a limit of the origin's own", "/v1/status/503", 503],
    ["one that is not there", "/v1/nothing", 404],
    ["a refusal for want of a session", "/v1/user/profile", 401],
  ])("stand on %s, or do not", async (_, path, status) => {
    const { headers, status: got } = await ask(path);
    expect(got).toBe(status);
    const missing = all.filter((name) => !headers.has(name));
    // A request without a session on a route that needs one is refused before anything is counted; and a 503 of the origin
    // is not to be waited out by the edge's reset.
    expect(missing).toEqual(status === 401 || status === 503 ? all : []);
  });

  it("stand on a 429, whose Retry-After is the truth", async () => {
    const address = freshAddress();
    expect(await statuses(2, "/v1/echo/wait", { address })).toEqual([200, 200]);
    const { status, headers, text } = await ask("/v1/echo/wait", { address });
    expect(status).toBe(429);
    expect(all.filter((name) => !headers.has(name))).toEqual([]);
    const wait = Number(headers.get("retry-after"));
    expect(wait).toBeGreaterThan(3000);
    expect(wait).toBeLessThanOrEqual(3600);
    expect(headers.get("content-type")).toBe("application/problem+json");
    const body = JSON.parse(text) as Record<string, unknown>;
    expect(body).toMatchObject({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      status: 429,
      code: "RATE_LIMIT_EXCEEDED",
      error: expect.any(String) as string,
      message: expect.any(String) as string,
      retry_after: wait,
      "violated-policies": ["wait"],
      request_id: headers.get("x-request-id"),
    });
    expect(body, "a frontend retries a 429 that has it").not.toHaveProperty("detail");
  });
});

describe("who is limited", () => {
  it("a verified key wherever it comes from; its tier's limits", async () => {
    const seen: number[] = [];
    for (let i = 0; i < 21; i += 1)
      seen.push(
        ...(await statuses(1, "/v1/echo/tiers", {
          address: freshAddress(),
          headers: bearer(harness.secrets.apiKey),
        })),
      );
    expect(seen.filter((status) => status === 200)).toHaveLength(20);
    expect(seen.at(-1)).toBe(429);
  });

  it("a user, by session or JWT, with the tier that it names", async () => {
    const session = await harness.token("tier_user", "premium");
    expect(await statuses(3, "/v1/echo/tiers", { headers: bearer(session) })).toEqual([200, 200, 200]);
    const left = await ask("/v1/echo/tiers", { headers: bearer(await jwt("tier_user", "premium")) });
    expect(left.headers.get("x-ratelimit-remaining"), "the same user, however they come").toBe("16");
    const plain = await jwt("plain_user");
    expect(await statuses(3, "/v1/echo/tiers", { headers: bearer(plain) })).toEqual([200, 200, 429]);
    expect(
      (await ask("/v1/echo/tiers", { headers: bearer(await jwt("unknown", "gold")) })).headers.get(
        "x-ratelimit-limit",
      ),
    ).toBe("2");
  });

  it("the address, when the key is made up: changing it is no way round", async () => {
    const address = freshAddress();
    const seen: number[] = [];
    for (let i = 0; i < 4; i += 1)
      seen.push(
        ...(await statuses(1, "/v1/echo/tiers", { address, headers: { "x-api-key": `made-up-${i}` } })),
      );
    expect(seen).toEqual([200, 200, 429, 429]);
  });

  it("the address alone, where the limit says so, whoever signs in", async () => {
    const address = freshAddress();
    const seen: number[] = [];
    for (const user of ["a", "b", "c"])
      seen.push(
        ...(await statuses(1, "/v1/echo/address", { address, headers: bearer(await harness.token(user)) })),
      );
    expect(seen).toEqual([200, 200, 429]);
  });

  it("a key that the origin has verified, from then on, until the origin refuses it", async () => {
    const [key = ""] = Object.keys(harness.origin.keys);
    const check = (headers: Record<string, string> = bearer(key)) =>
      ask("/v1/keys/check", { address: freshAddress(), headers });
    const first = await check();
    expect(first.status).toBe(200);
    expect(first.headers.has("x-edge-caller"), "the origin's word to the edge stays here").toBe(false);
    const rest: number[] = [];
    for (let i = 0; i < 5; i += 1) rest.push((await check()).status);
    expect(rest, "one bucket for the key, whatever the address").toEqual([200, 200, 200, 200, 429]);
    // What the origin has said of the key is written after its answer.
    await harness.edge.idle();
    await harness.edge.restart();
    await check();
    expect((await check()).status, "Redis tells another isolate").toBe(429);
    expect((await check({ "x-api-key": "unknown-key" })).status, "what it does not know is its 401").toBe(
      401,
    );
  });

  it("nobody on the allow list, and everybody on the deny list is refused", async () => {
    expect(await statuses(5, "/v1/echo/address", { address: "198.51.100.200" })).toEqual([
      200, 200, 200, 200, 200,
    ]);
    expect((await ask("/v1/emissions/units", { address: DENIED })).status).toBe(403);
    const banned = bearer(await harness.token("banned_user"));
    expect((await ask("/v1/user/profile", { headers: banned })).status).toBe(403);
  });
});

describe("what a request costs", () => {
  it("three units of ten leave room for three requests", async () => {
    const address = freshAddress();
    expect(await statuses(5, "/v1/echo/cost", { address })).toEqual([200, 200, 200, 429, 429]);
  });

  it("is counted and logged, never enforced, in shadow", async () => {
    const address = freshAddress();
    expect(await statuses(3, "/v1/echo/shadow", { address })).toEqual([200, 200, 200]);
    await harness.edge.idle();
    const shadowed = harness.edge.log.filter(
      ({ event, policy, shadow }) => event === "limit.violated" && policy === "shadow" && shadow === true,
    );
    expect(shadowed.length).toBe(2);
  });
});

describe("an operator", () => {
  const admin = () => ({ ...bearer(harness.secrets.admin), "content-type": "application/json" });
  const limitsOf = (text: string) =>
    (JSON.parse(text) as { limits: { name: string; limit: number; remaining: number }[] }).limits.filter(
      ({ name }) => name === "peek" || name === "log",
    );

  it("sees what a user has left without taking any, and gives it back", async () => {
    const headers = bearer(await harness.token("peeked_user"));
    await statuses(3, "/v1/echo/peek", { headers });
    for (let i = 0; i < 2; i += 1) {
      const { text } = await ask("/edge/limits/user:peeked_user", { headers: admin() });
      expect(limitsOf(text)).toMatchObject([
        { name: "peek", limit: 3, remaining: 0 },
        { name: "log", limit: 9, remaining: 6 },
      ]);
      expect(text).not.toContain("peeked_user");
    }
    expect((await ask("/v1/echo/peek", { headers })).status).toBe(429);
    await ask("/edge/limits/user:peeked_user", { method: "DELETE", headers: admin() });
    expect((await ask("/v1/echo/peek", { headers })).status).toBe(200);
  });

  it("looks an address up without writing it into a URL, and resets it", async () => {
    const address = freshAddress();
    await statuses(3, "/v1/echo/peek", { address });
    const lookup = (reset: boolean) =>
      ask("/edge/limits/lookup", {
        method: "POST",
        headers: admin(),
        body: JSON.stringify({ address, reset }),
      });
    expect(limitsOf((await lookup(false)).text)[0]).toMatchObject({ remaining: 0 });
    await lookup(true);
    expect(limitsOf((await lookup(false)).text)[0]).toMatchObject({ remaining: 3 });
  });

  it.each(["user", "user:", "hash:xyz", "hash:*", "*", "key"])(
    "is told how callers are named: %.20s",
    async (caller) => {
      expect((await ask(`/edge/limits/${encodeURIComponent(caller)}`, { headers: admin() })).status).toBe(
        400,
      );
    },
  );

  it("must be one: nobody without the token, and ten wrong ones are enough", async () => {
    const address = freshAddress();
    const tries: number[] = [];
    for (let i = 0; i < 12; i += 1)
      tries.push((await ask("/edge/limits/user:x", { address, headers: bearer(`wrong-${i}`) })).status);
    expect(tries.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401));
    expect(tries.slice(10)).toEqual([429, 429]);
  });
});

describe("bad input", () => {
  it("two API keys at once are refused before anything is counted", async () => {
    const { result, calls } = await harness.counting(() =>
      ask("/v1/echo/tiers", { headers: { ...bearer("one-key"), "x-api-key": "another-key" } }),
    );
    expect(result.status).toBe(400);
    expect(JSON.parse(result.text)).toMatchObject({ code: "AMBIGUOUS_CREDENTIALS" });
    expect(calls).toEqual([]);
  });

  it("a header of 64 KiB ends in an answer, and in no key", async () => {
    // The origin refuses it and resets the connection: its answer's body may break off.
    const { status } = await harness.edge.fetch("/v1/echo/tiers", {
      address: freshAddress(),
      headers: { "x-api-key": "k".repeat(65_536) },
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    const keys = ((await harness.upstash.redis.command("KEYS", "*")) as unknown[]).map(String);
    expect(Math.max(...keys.map(({ length }) => length))).toBeLessThan(200);
  });
});
