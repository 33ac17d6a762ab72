import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { FaultProxy } from "../chaos/proxy.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { type SessionDatabase, startSessionDatabase } from "../support/edge/session-database.ts";
import { until } from "../support/until.ts";

const ROUTES = [{ path: "/v1/user/*", access: "session" }];

/** The edge with a `SESSION_DB`, its calls to it, and a switch that makes them fail. */
async function open(vars: Record<string, string | boolean | number> = {}) {
  const database = await startSessionDatabase();
  const { proxy, binding } = await database.connect();
  const harness = await openHarness({
    vars: { ROUTES, ...vars },
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

/** Repeats a question until the answer fits. */
async function answerThat<Answer>(
  fits: (answer: Answer) => unknown,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const answers: Answer[] = [];
  await until(async () => {
    answers[0] = await ask();
    return fits(answers[0]);
  }, `${fits} of the answer to ${ask}`);
  return answers[0] as Answer;
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
    await until(() => calls.length > 0, "the database is told");
    // The isolate compares Redis with the database once, after a response.
    expect(await status(token)).toBe(200);
    await until(() => calls.some((sql) => sql.includes("session_journal")), "the two are compared");
    await harness.edge.idle();
    calls = [];
    record();
    const began = performance.now();
    for (let i = 0; i < 40; i += 1) expect(await status(token)).toBe(200);
    // On a busy machine the journal's turn may come again, after a response, each nine seconds.
    expect(calls.filter((sql) => !sql.includes("session_journal"))).toEqual([]);
    expect(calls.length).toBeLessThan(3 + (performance.now() - began) / 9000);

    expect((await as(token, "DELETE", "/auth/sessions/current")).status).toBe(200);
    const ends = await answerThat(
      (rows) => rows.length > 0,
      () => database.query<{ id: string }>("SELECT id FROM session_tombstones"),
    );
    expect(ends).toHaveLength(1);
  });

  it("in an outage an end is answered with 200 and holds in a new isolate, and nothing that starts is lost", async () => {
    const before = [await create("user_2"), await create("user_3")];
    await answerThat(
      (rows) => rows.length >= 2,
      () => database.query("SELECT id FROM session_records"),
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
    await until(async () => {
      await status(living[0] ?? "");
      return (await health()).services.session_storage === "redis";
    }, "sessions are in Redis again");
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
    const becomes = (expected: unknown[]) =>
      until(async () => String(await facts()) === String(expected), `/health says ${expected}`);
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
    harness = await openHarness({ vars: { ROUTES }, sessionDatabase: binding });
  });
  afterAll(async () => {
    await harness?.stop();
    await database?.stop();
  });

  it("fails no request, and /health and the log say so", async () => {
    const { status: made, token } = await create("user_1");
    expect(made).toBe(201);
    for (let i = 0; i < 5; i += 1) expect(await status(token)).toBe(200);
    const seen = await answerThat(({ system }) => system.database?.status === "unavailable", health);
    expect(seen.services.session_storage).toBe("redis");
    await harness.edge.idle();
    const lost = harness.edge.log.find(({ event }) => event === "session.database_lost");
    expect(lost).toMatchObject({ reason: "schema" });
  });
});
