import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { FaultProxy } from "../chaos/proxy.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { type SessionDatabase, startSessionDatabase } from "../support/edge/session-database.ts";

const ROUTES = [{ path: "/v1/user/*", access: "session" }];

/** The edge with a `SESSION_DB`, its calls to it, and a switch that makes them fail. */
async function open(vars: Record<string, string | boolean | number> = {}) {
  const database = await startSessionDatabase();
  const { proxy, binding } = await database.connect();
  const harness = await openHarness({
    vars: { ROUTES, STORE_DEADLINE_MS: 1000, ...vars },
    sessionDatabase: binding,
  });
  return { database, proxy, harness };
}

type Health = {
  status: string;
  system: { database?: { status: string } };
  services: { session_storage: string };
};

function client(harness: () => Harness) {
  const as = (token: string, method: string, path: string) =>
    harness().edge.fetch(path, { method, headers: { authorization: `Bearer ${token}` } });
  return {
    as,
    status: async (token: string) => (await as(token, "GET", "/v1/user/profile")).status,
    async create(user: string, userData: unknown = {}) {
      const response = await harness().edge.fetch("/auth/sessions", {
        method: "POST",
        headers: {
          authorization: `Bearer ${harness().secrets.service}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ user_id: user, user_data: userData }),
      });
      const { token } = (await response.json()) as { token: string };
      return { status: response.status, token };
    },
    health: async () => (await (await harness().edge.fetch("/health")).json()) as Health,
  };
}

/** Repeats a question until the answer fits, for up to 30 s. */
async function until<Answer>(ask: () => Promise<Answer>, fits: (answer: Answer) => boolean): Promise<Answer> {
  for (let i = 0; ; i += 1) {
    const answer = await ask();
    if (fits(answer) || i === 300) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe.runIf(inject("redisKind") === "redis-server")("sessions in Redis and in SESSION_DB", () => {
  let database: SessionDatabase;
  let proxy: FaultProxy;
  let harness: Harness;
  const { as, status, create, health } = client(() => harness);
  /** The SQL of each call to the database. */
  let calls: string[] = [];

  beforeAll(async () => {
    ({ database, proxy, harness } = await open());
  });
  afterAll(async () => {
    await harness?.stop();
    await database?.stop();
  });
  beforeEach(() => {
    calls = [];
    record();
  });

  function record(): void {
    proxy.lift(async (call) => {
      calls.push(call.body);
      call.reply(await call.forward());
    });
  }
  const fail = () =>
    proxy.lift((call) =>
      call.reply({ status: 500, type: "application/json", body: '{"success":false,"error":"overloaded"}' }),
    );

  it("a request that only uses its session calls the database never, a start and an end once", async () => {
    const { token } = await create("user_1");
    await until(
      async () => calls.length,
      (count) => count > 0,
    );
    // The isolate compares Redis with the database once, after a response.
    expect(await status(token)).toBe(200);
    await until(async () => calls.some((sql) => sql.includes("session_journal")), Boolean);
    await harness.edge.idle();
    calls = [];
    record();
    for (let i = 0; i < 40; i += 1) expect(await status(token)).toBe(200);
    // On a busy machine the journal's turn may come again, after a response.
    expect(calls.filter((sql) => !sql.includes("session_journal"))).toEqual([]);
    expect(calls.length).toBeLessThan(3);

    expect((await as(token, "DELETE", "/auth/sessions/current")).status).toBe(200);
    const ends = await until(
      async () => database.query<{ id: string }>("SELECT id FROM session_tombstones"),
      (rows) => rows.length > 0,
    );
    expect(ends).toHaveLength(1);
  });

  it("in an outage an end is answered with 200 and holds in a new isolate, and nothing that starts is lost", async () => {
    const before = [await create("user_2"), await create("user_3")];
    await until(
      async () => database.query("SELECT id FROM session_records"),
      (rows) => rows.length >= 2,
    );
    await harness.upstash.redis.stop();
    const during = [await create("user_4", { text: "x".repeat(15_000) }), await create("user_5")];
    expect(during.map((made) => made.status)).toEqual([201, 201]);
    // The token carries no data: the database has them.
    expect(during.map((made) => made.token.split(".").length)).toEqual([3, 3]);
    const [ended, living] = [
      [before[0]?.token ?? "", during[0]?.token ?? ""],
      [before[1]?.token ?? "", during[1]?.token ?? ""],
    ];
    for (const token of living) expect(await status(token)).toBe(200);
    for (const token of ended) {
      const response = await as(token, "DELETE", "/auth/sessions/current");
      expect([response.status, ((await response.json()) as { status: string }).status]).toEqual([
        200,
        "success",
      ]);
    }
    await harness.edge.restart();
    for (const token of ended) expect(await status(token)).toBe(401);
    for (const token of living) expect(await status(token)).toBe(200);

    // What Redis held is gone.
    await harness.upstash.redis.start({ keepData: false });
    await until(
      async () => [await status(living[0] ?? ""), (await health()).services.session_storage],
      ([, storage]) => storage === "redis",
    );
    for (const token of ended) expect(await status(token)).toBe(401);
    for (const token of living) expect(await status(token)).toBe(200);
  });

  it("/health says where sessions are", async () => {
    const { token } = await create("user_6");
    const facts = async () => {
      await status(token);
      const { status: state, system, services } = await health();
      return [services.session_storage, state, system.database?.status];
    };
    const becomes = async (expected: unknown[]) =>
      expect(await until(facts, (seen) => String(seen) === String(expected))).toEqual(expected);
    await becomes(["redis", "healthy", "healthy"]);
    await harness.upstash.redis.stop();
    await becomes(["database", "degraded", "healthy"]);
    fail();
    await becomes(["memory", "degraded", "unavailable"]);
    await harness.upstash.redis.start();
    await becomes(["redis", "degraded", "unavailable"]);
    record();
    await becomes(["redis", "healthy", "healthy"]);
  });
});

describe("sessions in SESSION_DB alone, with USE_REDIS_SESSIONS=false", () => {
  let database: SessionDatabase;
  let harness: Harness;
  const { as, status, create, health } = client(() => harness);
  beforeAll(async () => {
    ({ database, harness } = await open({ USE_REDIS_SESSIONS: false }));
  });
  afterAll(async () => {
    await harness?.stop();
    await database?.stop();
  });

  it("live and end in every isolate, and Redis is asked for none", async () => {
    const [kept, ended] = [await create("user_1", { text: "x".repeat(15_000) }), await create("user_1")];
    expect((await as(ended.token, "DELETE", "/auth/sessions/current")).status).toBe(200);
    await harness.edge.restart();
    const { calls } = await harness.counting(async () => {
      expect(await status(kept.token)).toBe(200);
      expect(await status(ended.token)).toBe(401);
    });
    expect(JSON.stringify(calls)).not.toContain("sessions");
    expect((await health()).services.session_storage).toBe("database");
    const listed = await as(kept.token, "GET", "/auth/sessions");
    expect(((await listed.json()) as { sessions: unknown[] }).sessions).toHaveLength(1);
  });
});

describe("a SESSION_DB without the tables of the sessions", () => {
  let database: SessionDatabase;
  let harness: Harness;
  const { status, create, health } = client(() => harness);
  beforeAll(async () => {
    database = await startSessionDatabase({ migrated: false });
    const { binding } = await database.connect();
    harness = await openHarness({ vars: { ROUTES, STORE_DEADLINE_MS: 1000 }, sessionDatabase: binding });
  });
  afterAll(async () => {
    await harness?.stop();
    await database?.stop();
  });

  it("fails no request, and /health and the log say so", async () => {
    const { status: made, token } = await create("user_1");
    expect(made).toBe(201);
    for (let i = 0; i < 5; i += 1) expect(await status(token)).toBe(200);
    const seen = await until(health, ({ system }) => system.database?.status === "unavailable");
    expect(seen.system.database?.status).toBe("unavailable");
    expect(seen.services.session_storage).toBe("redis");
    const lost = await until(
      async () => harness.edge.log.find(({ event }) => event === "session.database_lost"),
      Boolean,
    );
    expect(lost).toMatchObject({ reason: "schema" });
  });
});
