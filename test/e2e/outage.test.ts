import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { until } from "../support/until.ts";

const ROUTES = [
  {
    path: "/v1/emissions/*",
    limits: [{ name: "burst", limit: 100_000, window: "1 h" }],
    cache: { ttl: 600, scope: "shared" },
  },
  { path: "/v1/user/*", access: "session", limits: [{ name: "user", limit: 100_000, window: "1 h" }] },
  {
    path: "/v1/echo/closed",
    onStoreFailure: "closed",
    limits: [{ name: "closed", limit: 1000, window: "1 h" }],
  },
  {
    path: "/v1/echo/counted",
    limits: [{ name: "counted", limit: 10, window: "1 d", algorithm: "fixed-window" }],
  },
];

interface HealthBody {
  system: { redis: { status: string; available: boolean } };
  services: Record<string, string>;
  data: { system: unknown; services: unknown };
}

describe.runIf(inject("redisKind") === "redis-server")(
  "Redis dies in the middle of traffic and comes back",
  () => {
    let harness: Harness;
    let bearer: { authorization: string };
    beforeAll(async () => {
      harness = await openHarness({ vars: { ROUTES } });
      bearer = { authorization: `Bearer ${await harness.token("user_123", "premium")}` };
    });
    afterAll(() => harness.stop());

    const health = async () => (await (await harness.edge.fetch("/health")).json()) as HealthBody;
    const traffic = async (requests: number) => {
      const statuses = new Set<number>();
      for (let i = 0; i < requests; i += 1) {
        const [cached, session] = await Promise.all([
          harness.edge.fetch(`/v1/emissions/factors?n=${i % 3}`),
          harness.edge.fetch("/v1/user/profile", { headers: bearer }),
        ]);
        statuses.add(cached.status).add(session.status);
        await Promise.all([cached.arrayBuffer(), session.arrayBuffer()]);
      }
      return [...statuses];
    };

    it("answers 200 all the way, says memory in between and redis again, without a restart of the Worker", async () => {
      expect(await traffic(5)).toEqual([200]);
      expect(await health()).toMatchObject({
        system: { redis: { status: "healthy", available: true } },
        services: { rate_limiting: "redis", session_storage: "redis", response_cache: "redis" },
      });

      // Redis counts six of ten units. The isolate continues from that count.
      for (let i = 0; i < 6; i += 1) await harness.edge.fetch("/v1/echo/counted");
      const during = traffic(10);
      await harness.upstash.redis.kill();
      expect(await during).toEqual([200]);
      expect(await traffic(10)).toEqual([200]);
      const lost = await health();
      expect(lost).toMatchObject({
        system: { redis: { status: "unavailable", available: false } },
        services: { rate_limiting: "memory", session_storage: "memory", response_cache: "memory" },
      });
      expect(lost.data, "the same facts stand under data").toMatchObject({
        system: lost.system,
        services: lost.services,
      });
      await harness.edge.idle();
      expect(
        harness.edge.log.filter((line) => line.event === "store.lost"),
        "said once",
      ).toHaveLength(1);

      const counted: number[] = [];
      for (let i = 0; i < 6; i += 1) counted.push((await harness.edge.fetch("/v1/echo/counted")).status);
      expect(counted, "four are left of ten, whoever counts").toEqual([200, 200, 200, 200, 429, 429]);
      const closed = await harness.edge.fetch("/v1/echo/closed");
      expect(closed.status, "a route may prefer to be closed").toBe(503);
      expect(Number(closed.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      const created = await harness.edge.fetch("/auth/sessions", {
        method: "POST",
        headers: { authorization: `Bearer ${harness.secrets.service}` },
        body: JSON.stringify({ user_id: "user_of_the_outage" }),
      });
      expect(created.status).toBe(201);
      const { token } = (await created.json()) as { token: string };
      const own = { authorization: `Bearer ${token}` };
      expect((await harness.edge.fetch("/v1/user/profile", { headers: own })).status).toBe(200);

      await harness.upstash.redis.start();
      await until(async () => {
        await harness.edge.fetch("/v1/emissions/factors");
        return (await health()).services.rate_limiting === "redis";
      }, "redis again");
      await harness.edge.idle();
      expect(harness.edge.log.some((line) => line.event === "store.found")).toBe(true);
      expect(
        (await harness.edge.fetch("/v1/user/profile", { headers: own })).status,
        "the outage's session is in Redis",
      ).toBe(200);
      expect(await traffic(3)).toEqual([200, 401]);
    });
  },
);

describe("without any store", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await openHarness({
      vars: { ROUTES, UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" },
    });
  });
  afterAll(() => harness.stop());

  it("the Map does it all, and health says so", async () => {
    const { result, calls } = await harness.counting(async () => {
      const bearer = { authorization: `Bearer ${await harness.token("user_123")}` };
      const first = await harness.edge.fetch("/v1/emissions/factors");
      await first.arrayBuffer();
      return {
        health: await (await harness.edge.fetch("/health")).json(),
        cached: (await harness.edge.fetch("/v1/emissions/factors")).headers.get("x-cache"),
        session: (await harness.edge.fetch("/v1/user/profile", { headers: bearer })).status,
        ended: (await harness.edge.fetch("/auth/sessions/current", { method: "DELETE", headers: bearer }))
          .status,
        after: (await harness.edge.fetch("/v1/user/profile", { headers: bearer })).status,
      };
    });
    expect(result).toMatchObject({
      health: {
        system: { redis: { status: "not_configured", available: false } },
        services: { rate_limiting: "memory", session_storage: "memory", response_cache: "memory" },
      },
      cached: "HIT",
      session: 200,
      ended: 200,
      after: 401,
    });
    expect(calls).toEqual([]);
    expect(
      harness.edge.log.filter((line) => line.event === "store.absent"),
      "one log line says it",
    ).toHaveLength(1);
  });
});
