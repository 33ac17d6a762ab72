import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyChecks } from "../../src/tools/verify/checks.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { until } from "../support/until.ts";

const ROUTES = [
  {
    path: "/v1/emissions/units",
    limits: [{ name: "verify", limit: 20, window: "1 d", algorithm: "fixed-window" }],
    cache: { ttl: 60, scope: "shared" },
  },
  { path: "/v1/echo/five", limits: [{ name: "five", limit: 5, window: "1 h", algorithm: "sliding-log" }] },
  {
    path: "/v1/echo/window",
    limits: [{ name: "window", limit: 1, window: "2 s", algorithm: "sliding-log" }],
  },
  { path: "/v1/emissions/*", cache: { ttl: 60, scope: "shared" } },
];

/** The Python service's four checks, with stricter assertions. */
describe("the original's four checks", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await openHarness({ vars: { ROUTES } });
  });
  afterAll(() => harness.stop());
  const service = () => ({ authorization: `Bearer ${harness.secrets.service}` });
  const create = async (body: object) => {
    const response = await harness.edge.fetch("/auth/sessions", {
      method: "POST",
      headers: service(),
      body: JSON.stringify(body),
    });
    return {
      status: response.status,
      body: (await response.json()) as { session: Record<string, unknown>; token: string },
    };
  };

  it("npm run verify passes all four against this edge", async () => {
    for (const check of verifyChecks) {
      const outcome = await check.run({
        url: harness.edge.url,
        serviceToken: harness.secrets.service,
        limitedPath: "/v1/emissions/units",
        cachedPath: "/v1/emissions/factors",
        authBasePath: "/auth",
        healthPath: "/health",
      });
      expect(outcome, check.name).toMatchObject({ kind: "passed" });
    }
  });

  describe("rate limiting", () => {
    it("admits exactly 5 of 100 in one burst, and says truly when the next may come", async () => {
      const responses = await Promise.all(
        Array.from({ length: 100 }, () => harness.edge.fetch("/v1/echo/five", { address: "198.51.100.1" })),
      );
      const admitted = responses.filter((response) => response.status === 200);
      expect(admitted).toHaveLength(5);
      const refused = responses.find((response) => response.status === 429);
      const wait = Number(refused?.headers.get("retry-after"));
      expect(wait).toBeGreaterThan(3000);
      expect(wait).toBeLessThanOrEqual(3600);
      expect(await refused?.json()).toMatchObject({
        error: "Rate limit exceeded",
        message: `Too many requests. Try again in ${wait} seconds.`,
        code: "RATE_LIMIT_EXCEEDED",
        status: 429,
        retry_after: wait,
      });
    });

    it("counts each caller for itself, and frees a window's units when they are over", async () => {
      const ask = async (address: string) =>
        (await harness.edge.fetch("/v1/echo/window", { address })).status;
      // Ten at once: on a machine so slow that some come in another window, others do not.
      const burst = await Promise.all(Array.from({ length: 10 }, () => ask("198.51.100.2")));
      expect(new Set(burst)).toEqual(new Set([200, 429]));
      expect(await ask("198.51.100.3"), "another address").toBe(200);
      await until(async () => (await ask("198.51.100.2")) === 200, "the window of 2 s has passed");
    });

    it("is not walked around by X-Forwarded-For, the path's spelling, or keys that nobody knows", async () => {
      const refused: boolean[] = [];
      for (let i = 0; i < 7; i += 1) {
        const response = await harness.edge.fetch(i % 2 ? "/v1/echo/five/" : "/v1/%65cho/five", {
          address: "198.51.100.4",
          headers: { "x-forwarded-for": `10.0.0.${i}`, "x-api-key": `made-up-key-${i}` },
        });
        refused.push(response.status === 429);
      }
      expect(refused).toEqual([false, false, false, false, false, true, true]);
    });
  });

  describe("sessions", () => {
    it("have the original's shape, are kept from strangers, and stay dead", async () => {
      const { status, body } = await create({
        user_id: "user_123",
        user_data: { name: "Ada" },
        device_info: { browser: "Firefox" },
        ip_address: "192.168.1.1",
        tier: "premium",
        ttl: 86_400,
      });
      expect(status).toBe(201);
      const { session, token } = body;
      expect(Object.keys(session).sort()).toEqual([
        "created_at",
        "device_info",
        "expires_at",
        "ip_address",
        "last_active",
        "session_id",
        "user_id",
      ]);
      expect(session).toMatchObject({
        user_id: "user_123",
        device_info: { browser: "Firefox" },
        ip_address: "192.168.1.1",
      });
      expect(session.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
      expect(Date.parse(String(session.expires_at)) - Date.parse(String(session.created_at))).toBe(
        86_400_000,
      );
      expect(token).toMatch(/^es1\./);

      const path = `/auth/sessions/redis/${String(session.session_id)}`;
      const own = { authorization: `Bearer ${token}` };
      const read = await harness.edge.fetch(path, { headers: own });
      expect(await read.json()).toEqual({ status: "success", session });
      expect(read.headers.get("cache-control")).toContain("no-store");
      const other = { authorization: `Bearer ${await harness.token("user_456")}` };
      expect((await harness.edge.fetch(path)).status, "nobody").toBe(401);
      expect((await harness.edge.fetch(path, { headers: other })).status, "another user").toBe(404);
      expect((await harness.edge.fetch(path, { method: "DELETE", headers: other })).status).toBe(404);
      expect((await harness.edge.fetch(path, { headers: service() })).status, "a server").toBe(200);

      const deleted = await harness.edge.fetch(path, { method: "DELETE", headers: own });
      expect(await deleted.json()).toEqual({ status: "success", message: "Session deleted" });
      expect(
        (await harness.edge.fetch(path, { method: "DELETE", headers: service() })).status,
        "a second delete",
      ).toBe(404);
      expect((await harness.edge.fetch(path, { headers: service() })).status, "a get after it").toBe(404);
      expect((await harness.edge.fetch("/auth/sessions", { headers: own })).status, "the token is dead").toBe(
        401,
      );
    });

    it("refuse what is no session, and lose nothing", async () => {
      const cases: [body: string, status: number][] = [
        ["{", 422],
        ["{}", 422],
        [JSON.stringify({ user_id: "" }), 422],
        [JSON.stringify({ user_id: "u", ttl: 1.5 }), 422],
        [JSON.stringify({ user_id: "u", unknown: 1 }), 422],
        [JSON.stringify({ user_id: "u", user_data: "x".repeat(17_000) }), 413],
      ];
      for (const [body, status] of cases) {
        const response = await harness.edge.fetch("/auth/sessions", {
          method: "POST",
          headers: service(),
          body,
        });
        expect(response.status, body.slice(0, 40)).toBe(status);
        expect(response.headers.get("content-type")).toBe("application/problem+json");
      }
      expect(
        (await harness.edge.fetch("/auth/sessions", { method: "POST", body: "{}" })).status,
        "no token",
      ).toBe(401);
    });
  });

  describe("cached responses", () => {
    it("depend on query and Vary, not on who asks nor on what Cloudflare adds", async () => {
      const ask = async (query: string, headers: Record<string, string> = {}) => {
        const response = await harness.edge.fetch(`/v1/emissions/factors${query}`, { headers });
        return { said: response.headers.get("x-cache"), body: await response.text() };
      };
      expect((await ask("?a=1")).said).toBe("MISS");
      expect((await ask("?a=1", { "cf-ray": "123", "user-agent": "x", "x-custom": "y" })).said).toBe("HIT");
      expect(
        (await ask("?a=1", { authorization: "Bearer someone" })).said,
        "a shared scope does not ask who",
      ).toBe("HIT");
      expect((await ask("?a=2")).said).toBe("MISS");
      const indonesian = await ask("?a=1", { "accept-language": "id" });
      expect(indonesian.said, "another variant").toBe("MISS");
      expect(indonesian.body).toContain("Listrik");
      expect((await ask("?a=1", { "accept-language": "id" })).body).toBe(indonesian.body);
      expect((await ask("?a=1")).body).not.toContain("Listrik");
    });

    it("one purge takes one URL with all its variants, and no other", async () => {
      const ask = async (path: string, headers: Record<string, string> = {}) =>
        (await harness.edge.fetch(path, { headers })).headers.get("x-cache");
      const id = { "accept-language": "id" };
      for (const path of ["/v1/emissions/factors?p=1", "/v1/emissions/factors?p=2"]) {
        await ask(path);
        await ask(path, id);
      }
      const purge = (body: unknown, token = harness.secrets.admin) =>
        harness.edge.fetch("/edge/cache/purge", {
          method: "POST",
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify(body),
        });
      expect((await purge({ files: ["/v1/emissions/factors?p=1"] }, "wrong-token-of-somebody")).status).toBe(
        401,
      );
      expect((await purge({})).status).toBe(400);
      const done = await purge({ files: [`${harness.edge.url}/v1/emissions/factors?p=1`] });
      expect(await done.json()).toMatchObject({ success: true, reach: "everywhere" });
      expect(await ask("/v1/emissions/factors?p=1")).toBe("MISS");
      expect(await ask("/v1/emissions/factors?p=1", id)).toBe("MISS");
      expect(await ask("/v1/emissions/factors?p=2")).toBe("HIT");
    });

    it("survive the isolate: a fresh one finds them in Redis, byte for byte", async () => {
      const ask = async () => {
        const response = await harness.edge.fetch("/v1/emissions/factors?restart");
        return { said: response.headers.get("x-cache"), body: await response.text() };
      };
      const first = await ask();
      await harness.counting(async () => {});
      await harness.edge.restart();
      const second = await ask();
      expect(second).toEqual({ said: "HIT", body: first.body });
    });
  });
});
