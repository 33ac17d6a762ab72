import { beforeEach, describe, expect, it } from "vitest";
import { JsonText } from "../../../src/runtime/json-text.ts";
import { faultyDatabase, freshDatabase } from "../../support/database.ts";
import { freshPrefix } from "../../support/limits.ts";
import { passing } from "../../support/passing.ts";
import { openSessions, sessionPlatform } from "../../support/sessions.ts";

type Database = ReturnType<typeof faultyDatabase>;
let database: Database;
beforeEach(async () => {
  database = faultyDatabase(await freshDatabase("DB_SESSIONS"));
});

/** Two isolates on one Redis and one database. */
function two(options: Parameters<typeof openSessions>[0] = {}) {
  const shared = {
    prefix: freshPrefix(),
    platform: sessionPlatform(),
    databaseBinding: database.binding,
    ...options,
  };
  return [openSessions(shared), openSessions(shared)] as const;
}
const BIG = new JsonText(JSON.stringify("x".repeat(12_000)));

describe("while Redis is well", () => {
  it("a session that is only used costs the database no call", async () => {
    const [one] = two();
    const { token } = await one.sessions.create({ userId: "u1" });
    await one.sessions.maintenance();
    const calls = database.faults.calls;
    for (let each = 0; each < 5; each += 1) {
      const verdict = await one.present(token);
      expect(verdict).toMatchObject({ kind: "active", source: "redis", calls: 1 });
    }
    expect(database.faults.calls - calls).toBe(0);
  });

  it("what starts, rotates and ends is in the database too", async () => {
    const [one, other] = two();
    const first = await one.sessions.create({ userId: "u1", userData: BIG });
    const second = await one.sessions.create({ userId: "u1" });
    const third = await one.sessions.create({ userId: "u2" });
    const active = await one.present(second.token);
    if (active.kind !== "active") throw new Error("it was just made");
    const rotated = await one.sessions.rotate(active);
    await one.sessions.delete(third.claims.id);
    await one.sessions.maintenance();

    await other.lose();
    for (const [token, kind] of [
      [first.token, "active"],
      [second.token, "over"],
      [rotated?.token ?? "", "active"],
      [third.token, "over"],
    ] as const)
      expect(await other.present(token)).toMatchObject({
        kind,
        ...(kind === "active" && { source: "database" }),
      });
    const verdict = await other.present(first.token);
    expect(verdict.kind === "active" && verdict.record.user_data).toBe(BIG.value);
  });
});

describe("with a maximum of two sessions", () => {
  it("a session that is used is not ended for one that has been silent, which the database cannot tell", async () => {
    const [one, other] = two({ maxPerUser: 2, idleSeconds: 600 });
    const used = await one.sessions.create({ userId: "u1" });
    const silent = await one.sessions.create({ userId: "u1" });
    await one.sessions.maintenance();
    let { token } = used;
    for (let each = 0; each < 5; each += 1) {
      one.platform.advance(300_000);
      const verdict = await one.present(token);
      await verdict.settle();
      if (verdict.kind === "active") token = verdict.renewed ?? token;
    }
    // Its lifetime in Redis has passed, by the test's clock.
    const lapse = one.store.batch();
    void lapse.queue((pipeline) => pipeline.del(one.keys.session(silent.claims.id)));
    await lapse.send();
    await one.sessions.create({ userId: "u1" });
    await one.sessions.maintenance();
    expect(await one.present(token)).toMatchObject({ kind: "active" });
    await other.lose();
    expect(await other.present(token)).toMatchObject({ kind: "active", source: "database" });
  });

  it("the oldest of three ends in an outage too", async () => {
    const [one] = two({ maxPerUser: 2 });
    await one.lose();
    const tokens = [];
    for (let each = 0; each < 3; each += 1) {
      tokens.push((await one.sessions.create({ userId: "u1" })).token);
      one.platform.advance(10);
    }
    const kinds = [];
    for (const token of tokens) kinds.push((await one.present(token)).kind);
    expect(kinds).toEqual(["over", "active", "active"]);
  });
});

it("a session from before SESSION_SECRET was rotated is found and ended under its older name", async () => {
  const [one] = two();
  const made = await one.sessions.create({ userId: "u1" });
  await one.sessions.maintenance();
  const secrets = ["another-secret-of-this-test-only-4567", ...one.secrets];
  const later = openSessions({
    prefix: one.prefix,
    platform: one.platform,
    databaseBinding: database.binding,
    secrets,
  });
  await later.lose();
  expect(await later.present(made.token)).toMatchObject({ kind: "active", source: "database" });
  expect((await later.sessions.service.list("u1")).records).toHaveLength(1);
  expect(await later.sessions.service.revokeAllOf("u1", null)).toMatchObject({ ended: "done" });
  expect(await later.present(made.token)).toMatchObject({ kind: "over" });
  await one.lose();
  expect(await one.present(made.token), "in an isolate with the old secret alone").toMatchObject({
    kind: "over",
  });
});

it("no row has a user's id for a name, nor a token", async () => {
  const [one] = two();
  const made = await one.sessions.create({ userId: "user-to-hide" });
  await one.lose();
  await one.sessions.service.revokeAllOf("user-to-hide", made.claims.id);
  const rows = [];
  for (const text of [
    "SELECT id, user FROM session_records",
    "SELECT * FROM session_tombstones",
    "SELECT * FROM session_marks",
    "SELECT * FROM session_journal",
  ])
    rows.push((await database.binding.prepare(text).all()).results);
  expect(rows.flat().length).toBeGreaterThan(1);
  expect(JSON.stringify(rows)).not.toMatch(/user-to-hide|es1\./);
});

describe("while Redis is lost", () => {
  it("a session starts with all its data, and another isolate knows it, long after the grace too", async () => {
    const [one, other] = two();
    await one.lose();
    await other.lose();
    const made = await one.sessions.create({ userId: "u1", userData: BIG });
    expect(made).toMatchObject({ durable: true, claims: { offline: true, userData: null } });
    one.platform.advance(3600 * 1000);
    const verdict = await other.present(made.token);
    expect(verdict).toMatchObject({ kind: "active", source: "database" });
    expect(verdict.kind === "active" && verdict.record.user_data).toBe(BIG.value);
  });

  it.each([
    ["one", (one: ReturnType<typeof two>[0], id: string) => one.sessions.delete(id)],
    [
      "a user's",
      async (one: ReturnType<typeof two>[0]) => (await one.sessions.service.revokeAllOf("u1", null)).ended,
    ],
    ["everyone's", (one: ReturnType<typeof two>[0]) => one.sessions.service.revokeEveryone()],
  ])("ending %s is done at once, and holds in another isolate", async (_, end) => {
    const [one, other] = two();
    const made = await one.sessions.create({ userId: "u1" });
    await one.sessions.maintenance();
    await one.lose();
    await other.lose();
    expect(await other.present(made.token)).toMatchObject({ kind: "active", source: "database" });
    expect(await end(one, made.claims.id)).toBe("done");
    expect(await other.present(made.token)).toMatchObject({ kind: "over", because: "revoked" });
  });

  it("a session gets a new id, once", async () => {
    const [one, other] = two();
    const made = await one.sessions.create({ userId: "u1", userData: BIG });
    await one.sessions.maintenance();
    await one.lose();
    await other.lose();
    const [here, there] = [await one.present(made.token), await other.present(made.token)];
    if (here.kind !== "active" || there.kind !== "active") throw new Error("it lives");
    const rotated = await one.sessions.rotate(here);
    expect(rotated).toMatchObject({ durable: true });
    expect(await other.sessions.rotate(there)).toBeNull();
    expect(await other.present(made.token)).toMatchObject({ kind: "over" });
    const next = await other.present(rotated?.token ?? "");
    expect(next.kind === "active" && next.record.user_data).toBe(BIG.value);
  });

  it.each(["cut", "hangs"] as const)(
    "and the database too (%s), everything is as without it",
    async (how) => {
      const [one] = two();
      const made = await one.sessions.create({ userId: "u1" });
      await one.sessions.maintenance();
      await one.lose();
      database.faults[how] = true;
      const presented = one.present(made.token);
      expect(await passing(one.platform, presented, { stepMs: 1200 })).toMatchObject({ kind: "active" });
      const ending = one.sessions.delete(made.claims.id);
      expect(await passing(one.platform, ending, { stepMs: 1200 })).toBe("pending");
    },
  );
});

describe("where sessions live in the database alone", () => {
  it("they are used, touched, rotated and ended there, and no call to Redis is for them", async () => {
    const [one, other] = two({ useRedis: false });
    const made = await one.sessions.create({ userId: "u1", userData: BIG });
    expect(made).toMatchObject({ durable: true, claims: { offline: false } });
    const verdict = await other.present(made.token);
    expect(verdict).toMatchObject({ kind: "active", source: "database", calls: 0 });
    one.platform.advance(120_000);
    await (await other.present(made.token)).settle();
    const found = await one.sessions.get(made.claims.id);
    expect(found.kind === "found" && Date.parse(found.record.last_active)).toBe(one.platform.now());
    expect(await other.sessions.service.list("u1")).toMatchObject({ complete: true, records: [{}] });
    const active = await other.present(made.token);
    if (active.kind !== "active") throw new Error("it lives");
    const rotated = await other.sessions.rotate(active);
    expect(await one.present(made.token)).toMatchObject({ kind: "over" });
    expect(await one.present(rotated?.token ?? "")).toMatchObject({ kind: "active" });
    expect(await other.sessions.delete(rotated?.claims.id ?? "")).toBe("done");
    expect(await one.present(rotated?.token ?? "")).toMatchObject({ kind: "over" });
    expect(one.wire.calls + other.wire.calls).toBe(0);
  });

  it("a session that was silent for too long is over", async () => {
    const [one] = two({ useRedis: false, idleSeconds: 600 });
    const { token } = await one.sessions.create({ userId: "u1" });
    one.platform.advance(700_000);
    expect(await one.present(token)).toMatchObject({ kind: "over", because: "idle" });
  });
});

describe("a database that cannot be used", () => {
  it.each([
    ["has no tables", async () => void (await freshDatabase("DB_SESSIONS", false))],
    [
      "has a newer schema",
      async () => {
        const fresh = await freshDatabase("DB_SESSIONS");
        await fresh.prepare("UPDATE session_schema SET version = 2").run();
      },
    ],
    [
      "has an older schema, whose version nobody can read",
      async () => {
        const fresh = await freshDatabase("DB_SESSIONS");
        await fresh.prepare("DELETE FROM session_schema").run();
      },
    ],
  ])("because it %s counts as lost, is said once, and nothing is written", async (_, spoil) => {
    await spoil();
    const [one] = two();
    const { token } = await one.sessions.create({ userId: "u1" });
    for (let each = 0; each < 3; each += 1) {
      const verdict = await one.present(token);
      expect(verdict).toMatchObject({ kind: "active", source: "redis" });
      await verdict.settle();
    }
    const lost = one.lines.filter(({ event }) => event === "session.database_lost");
    expect(lost).toMatchObject([{ reason: "schema" }]);
    expect(await one.sessions.databaseState()).toBe("unavailable");
  });

  it.each([
    ["a text that is no record", "not JSON"],
    ["the record of another session", '{"session_id":"B"}'],
  ])("has an edited row, %s: it is a miss", async (_, text) => {
    const [one] = two({ useRedis: false });
    const { token } = await one.sessions.create({ userId: "u1" });
    const fresh = database.binding;
    await fresh.prepare("UPDATE session_records SET text = ?").bind(text).run();
    expect(await one.present(token)).toMatchObject({ kind: "over" });
  });
});

describe("what Redis has ended beyond the maximum", () => {
  it.each([
    [1, 2],
    [2, 3],
    [2, 5],
    [3, 4],
    [5, 9],
  ])("is over in the database too: of at most %d, %d were started", async (maxPerUser, started) => {
    const [one, other] = two({ maxPerUser, idleSeconds: 600 });
    const tokens: string[] = [];
    for (let each = 0; each < started; each += 1) {
      // All are in use: the database has heard of none of that.
      for (let minutes = 0; minutes < 12; minutes += 4) {
        one.platform.advance(240_000);
        for (const [index, token] of tokens.entries()) {
          const verdict = await one.present(token);
          await verdict.settle();
          if (verdict.kind === "active") tokens[index] = verdict.renewed ?? token;
        }
      }
      tokens.push((await one.sessions.create({ userId: "u1" })).token);
      await one.sessions.maintenance();
    }
    const over = started - maxPerUser;
    const expected = tokens.map((_, index) => (index < over ? "over" : "active"));
    const kinds = async (isolate: typeof one) => {
      const found = [];
      for (const token of tokens) found.push((await isolate.present(token)).kind);
      return found;
    };
    expect(await kinds(one)).toEqual(expected);
    await other.lose();
    expect(await kinds(other)).toEqual(expected);
  });
});

describe("where neither could be told", () => {
  it.each([
    ["the database alone has sessions", false],
    ["Redis has them too", true],
  ])("a session is written down where it is met, its isolate being gone: %s", async (_, useRedis) => {
    const [gone, other] = two({ useRedis });
    await gone.lose();
    database.faults.cut = true;
    const made = await gone.sessions.create({ userId: "u1", userData: { a: 1 } });
    expect(made.durable).toBe(false);
    database.faults.cut = false;
    await other.lose();
    const verdict = await other.present(made.token);
    expect(verdict).toMatchObject({ kind: "active", source: "database" });
    await verdict.settle();
    await other.sessions.maintenance();
    const { records } = await other.sessions.service.list("u1");
    expect(records.map(({ record }) => record.user_data)).toEqual([{ a: 1 }]);
    expect(await other.sessions.delete(made.claims.id)).toBe("done");
    expect(await other.present(made.token)).toMatchObject({ kind: "over" });
  });

  it("an ending says so where there is no room for it", async () => {
    const [one] = two({ useRedis: false, entries: 3 });
    database.faults.cut = true;
    const ids = [];
    for (let each = 0; each < 8; each += 1)
      ids.push((await one.sessions.create({ userId: `u${each}` })).claims.id);
    const ended = [];
    for (const id of ids.slice(-5)) ended.push(await one.sessions.service.revoke(id, null));
    expect(ended, "sessions that start take no room of it").toEqual([
      "pending",
      "pending",
      "pending",
      "unkept",
      "unkept",
    ]);
    expect(await one.sessions.service.revokeEveryone()).toBe("pending");
  });
});
