import { describe, expect, it } from "vitest";
import { createHealth } from "../../../src/edge/health.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { healthRoutes } from "../../../src/endpoints/health.ts";
import { createEvents } from "../../../src/events/events.ts";
import type { DatabaseState } from "../../../src/session/session-database.ts";
import { defineScript } from "../../../src/store/script.ts";
import { Store } from "../../../src/store/store.ts";
import { testPlatform } from "../../support/platform.ts";

function harness(
  env: Record<string, unknown> = {},
  withStore = true,
  databaseState?: () => Promise<DatabaseState | null>,
) {
  const wire = { down: false, asked: 0, takesMs: 0, refuses: "" };
  const platform = testPlatform({
    fetch: async (_, init) => {
      wire.asked += 1;
      if (wire.down) throw new TypeError("down");
      platform.advance(wire.takesMs);
      const commands = JSON.parse(String(init?.body)) as unknown[][];
      const refused = ([name]: unknown[]) => wire.refuses !== "" && !/^ping$/i.test(String(name));
      return Response.json(
        commands.map((each) => (refused(each) ? { error: wire.refuses } : { result: "PONG" })),
      );
    },
  });
  const connection = withStore
    ? { UPSTASH_REDIS_REST_URL: "https://eu.example.upstash.io", UPSTASH_REDIS_REST_TOKEN: "t0ken" }
    : {};
  const config = loadConfig({ ORIGIN_URL: "https://api.example", ...connection, ...env }, []);
  const events = createEvents({ platform, write: () => {} });
  const store = new Store({ connection: config.store, platform, events });
  const health = createHealth({ config, store, platform, ...(databaseState && { databaseState }) });
  return { wire, platform, store, health };
}
const everywhere = (where: string) => ({
  rate_limiting: where,
  session_storage: where,
  response_cache: where,
});

describe("health", () => {
  it("reports redis when Redis answers, and pings it at most every 5 s", async () => {
    const { health, wire, platform } = harness();
    expect(await health()).toMatchObject({
      status: "healthy",
      system: { redis: { status: "healthy", available: true } },
      services: everywhere("redis"),
    });
    for (let i = 0; i < 100; i += 1) await health();
    expect(wire.asked).toBe(1);
    platform.advance(5000);
    await health();
    expect(wire.asked).toBe(2);
  });

  it("says how far away Redis is, once 16 requests have waited for it", async () => {
    const { health, store, wire } = harness();
    const ask = async (takesMs: number) => {
      wire.takesMs = takesMs;
      const batch = store.batch(() => {});
      void batch.queue((pipeline) => pipeline.get("x"));
      await batch.send();
    };
    for (let n = 0; n < 15; n += 1) await ask(20);
    expect((await health()).system.redis).not.toHaveProperty("median_ms");
    await ask(20);
    expect((await health()).system.redis).toEqual({
      status: "healthy",
      available: true,
      message: "Redis answers",
      median_ms: 20,
    });
    for (let n = 0; n < 9; n += 1) await ask(180);
    expect((await health()).system.redis).toMatchObject({ status: "healthy", median_ms: 180 });
    expect((await health()).system.redis.message).toMatch(/far away: choose a placement/);
  });

  it("says nothing is lost while the first ping is under way, and pings once", async () => {
    const { health, wire } = harness();
    const all = await Promise.all(Array.from({ length: 5 }, () => health()));
    expect(all.map(({ status }) => status)).toEqual(Array(5).fill("healthy"));
    expect(wire.asked).toBe(1);
  });

  it("does not ping when Redis has just answered a request", async () => {
    const { health, wire, store } = harness();
    const batch = store.batch();
    void batch.read("x");
    await batch.send();
    await health();
    expect(wire.asked).toBe(1);
  });

  it("reports memory when Redis does not answer, without a ping while the breaker is open", async () => {
    const { health, wire, platform } = harness();
    wire.down = true;
    for (let i = 0; i < 5; i += 1) {
      expect(await health()).toMatchObject({
        status: "degraded",
        system: { redis: { status: "unavailable", available: false } },
        services: everywhere("memory"),
      });
      platform.advance(5000);
    }
    expect(wire.asked, "three failures open the breaker").toBe(3);
  });

  it.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", "degraded", "memory"],
    [
      "ERR DB capacity quota exceeded. Threshold: 268435456 bytes, Usage: 276006634 bytes",
      "degraded",
      "memory",
    ],
    ["READONLY You can't write against a read only replica.", "degraded", "memory"],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "healthy", "redis"],
  ])(
    "says so for a minute where Redis answers a PING and refuses writes: %s",
    async (refusal, status, place) => {
      const { health, wire, platform, store } = harness();
      const ask = async () => {
        const batch = store.batch();
        void batch.queue((pipeline) => pipeline.set("x", "y")).catch(() => {});
        await batch.send();
      };
      wire.refuses = refusal;
      await ask();
      platform.advance(10_000);
      const facts = await health();
      expect(facts).toMatchObject({ status, system: { redis: { status: "healthy", available: true } } });
      expect(facts.services).toEqual({ ...everywhere("redis"), rate_limiting: place });
      expect(/refuses writes/.test(facts.system.redis.message)).toBe(status === "degraded");
      wire.refuses = "";
      platform.advance(60_000);
      expect(await health()).toMatchObject({ status: "healthy", services: everywhere("redis") });
    },
  );

  it.each([
    ["NOPERM this user has no permissions to run the 'evalsha' command", "degraded", "memory"],
    ["ERR this token is read-only", "degraded", "memory"],
    ["ERR value is not an integer or out of range", "healthy", "redis"],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "healthy", "redis"],
  ])(
    "says what counts where the token may not run a script, or one has failed: %s",
    async (refusal, status, place) => {
      const { health, wire, store } = harness();
      wire.refuses = refusal;
      const batch = store.batch();
      void batch.run(defineScript("return 1"), ["x"], []).catch(() => {});
      await batch.send();
      const facts = await health();
      expect(facts).toMatchObject({ status, system: { redis: { status: "healthy", available: true } } });
      expect(facts.services).toEqual({ ...everywhere("redis"), rate_limiting: place });
      expect(/its token may not write/.test(facts.system.redis.message)).toBe(status === "degraded");
    },
  );

  it.each([
    ["NOPERM this user has no permissions to run the 'mget' command", "degraded", "memory"],
    ["NOPERM No permissions to access a key", "degraded", "memory"],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "healthy", "redis"],
  ])("says what finds nothing where the token may not read: %s", async (refusal, status, place) => {
    const { health, wire, store, platform } = harness();
    wire.refuses = refusal;
    const batch = store.batch();
    void batch.read("x").catch(() => {});
    await batch.send();
    const facts = await health();
    expect(facts).toMatchObject({ status, system: { redis: { status: "healthy", available: true } } });
    expect(facts.services).toEqual({ ...everywhere(place), rate_limiting: "redis" });
    expect(/its token may not write or read/.test(facts.system.redis.message)).toBe(status === "degraded");
    wire.refuses = "";
    platform.advance(60_000);
    expect(await health()).toMatchObject({ status: "healthy", services: everywhere("redis") });
  });

  it("counts what else a token may not do as a refusal of that alone", async () => {
    const { health, wire, store } = harness();
    wire.refuses = "NOPERM this user has no permissions to run the 'hgetall' command";
    const batch = store.batch();
    void batch.queue((pipeline) => pipeline.hgetall("x")).catch(() => {});
    await batch.send();
    expect(await health()).toMatchObject({ status: "healthy", services: everywhere("redis") });
  });

  it("reports not_configured and healthy without a store", async () => {
    const { health, wire } = harness({}, false);
    expect(await health()).toMatchObject({
      status: "healthy",
      system: { redis: { status: "not_configured", available: false } },
      services: everywhere("memory"),
    });
    expect(wire.asked).toBe(0);
  });

  it.each([
    ["a lost store", {}, true, "degraded"],
    ["no origin", { ORIGIN_URL: "" }, false, "degraded"],
    ["a store and an origin", {}, false, "healthy"],
  ])("tells at the top level what is: %s", async (_what, env, down, status) => {
    for (const mode of ["enforce", "observe", "bypass"]) {
      const { health, wire, platform } = harness({ ...env, EDGE_MODE: mode });
      wire.down = down;
      const app = healthRoutes({ health, platform, ready: true, version: "1.2.3" });
      const body = (await (await app.request("/")).json()) as { data: object };
      expect(body).toMatchObject({ status, mode, data: { status, mode } });
    }
  });

  it("reports memory for a capability that the configuration keeps in the isolate", async () => {
    const { health } = harness({ USE_REDIS_SESSIONS: "false" });
    expect((await health()).services).toEqual({ ...everywhere("redis"), session_storage: "memory" });
  });
});

describe("the health paths", () => {
  const app = (ready: boolean, store = true) => {
    const { health, platform } = harness({}, store);
    return healthRoutes({ health, platform, ready, version: "1.2.3" });
  };

  it("answer 200 with or without Redis, with the facts at top level and under data", async () => {
    const response = await app(true, false).request("/");
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const body = (await response.json()) as { system: object; services: object; data: object };
    expect(body).toMatchObject({
      status: "healthy",
      mode: "enforce",
      services: everywhere("memory"),
      data: { status: "healthy", version: "1.2.3", timestamp: "2026-01-15T12:00:30.000Z" },
    });
    expect(body.data).toMatchObject({ system: body.system, services: body.services });
  });

  it("report that the isolate is alive, and whether an origin is configured", async () => {
    expect((await app(false).request("/live")).status).toBe(200);
    expect((await app(true).request("/ready")).status).toBe(200);
    const unready = await app(false).request("/ready");
    expect(unready.status).toBe(503);
    expect(await unready.json()).toMatchObject({ status: "not_ready" });
  });
});

describe("where sessions are stored", () => {
  it.each([
    ["redis", "Redis answers, and the database too", {}, false, "healthy", "healthy"],
    ["redis", "Redis answers, and the database does not", {}, false, "unavailable", "degraded"],
    ["redis", "Redis answers, and another database uses it too", {}, false, "shared", "degraded"],
    ["database", "Redis is lost, which another database used too", {}, true, "shared", "degraded"],
    ["redis", "Redis answers, and there is no database", {}, false, null, "healthy"],
    ["database", "Redis is lost", {}, true, "healthy", "degraded"],
    ["memory", "Redis is lost, and the database too", {}, true, "unavailable", "degraded"],
    ["memory", "Redis is lost, and there is no database", {}, true, null, "degraded"],
    ["database", "sessions are kept off Redis", { USE_REDIS_SESSIONS: "false" }, false, "healthy", "healthy"],
    [
      "memory",
      "so they are, and the database is lost",
      { USE_REDIS_SESSIONS: "false" },
      false,
      "unavailable",
      "degraded",
    ],
  ] as const)("is %s where %s", async (where, _, env, down, state, status) => {
    const { health, wire } = harness(env, true, async () => state);
    wire.down = down;
    const facts = await health();
    expect(facts).toMatchObject({ status, services: { session_storage: where } });
    expect(facts.system.database?.status ?? null).toBe(state);
    if (state !== null) expect(facts.system.database?.available).toBe(state !== "unavailable");
  });
});
