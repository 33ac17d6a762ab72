import { beforeEach, describe, expect, inject, it } from "vitest";
import { JsonText } from "../../../src/runtime/json-text.ts";
import { replaceScript } from "../../../src/session/scripts.ts";
import { faultyDatabase, freshDatabase } from "../../support/database.ts";
import { freshPrefix } from "../../support/limits.ts";
import { openSessions, sessionPlatform } from "../../support/sessions.ts";

type Isolate = ReturnType<typeof openSessions>;
let database: ReturnType<typeof faultyDatabase>;
let open: () => Isolate;
let prefix: string;
const platform = sessionPlatform();
beforeEach(async () => {
  database = faultyDatabase(await freshDatabase("DB_CARRY"));
  prefix = freshPrefix();
  open = () => openSessions({ prefix, platform, databaseBinding: database.binding });
});

async function redis<Reply>(...command: (string | number)[]): Promise<Reply> {
  const reply = await fetch(inject("ownerUrl"), {
    method: "POST",
    headers: { authorization: `Bearer ${inject("ownerToken")}` },
    body: JSON.stringify(command),
  });
  return (await reply.json<{ result: Reply }>()).result;
}
const keysOf = (of: string) => redis<string[]>("keys", `${of}:*`);
async function emptyRedis(): Promise<void> {
  for (const key of await keysOf(prefix)) await redis("del", key);
}
async function snapshot(): Promise<() => Promise<void>> {
  const copies = `copy-${prefix}`;
  for (const key of await keysOf(prefix)) await redis("copy", key, `${copies}:${key}`, "replace");
  return async () => {
    await emptyRedis();
    for (const key of await keysOf(copies)) await redis("copy", key, key.slice(copies.length + 1), "replace");
  };
}
/** Until it serves sessions, an isolate carries nothing. */
const serve = (one: Isolate) => one.sessions.get("A".repeat(27));
/** As the requests of some time do. */
async function turns(one: Isolate, count = 12): Promise<void> {
  await serve(one);
  for (let turn = 0; turn < count; turn += 1) {
    one.platform.advance(2500);
    await one.store.maintenance();
    await one.sessions.maintenance();
  }
}
async function find(one: Isolate): Promise<void> {
  one.wire.cut = false;
  await turns(one, 20);
}
const kindOf = async (one: Isolate, token: string) => (await one.present(token)).kind;
const positionNow = async () =>
  Number((await redis<string | null>("get", `${prefix}:s:carried`))?.split(" ")[1] ?? 0);
const BIG = new JsonText(JSON.stringify("x".repeat(8000)));

/**
 * Sessions of before and of an outage, of which some ended in it, by an isolate that is gone then.
 *
 * @param prepare What is done while Redis has all that started before. It returns how Redis comes back.
 */
async function outage(prepare = async (): Promise<() => Promise<void>> => async () => {}) {
  const gone = open();
  const before = [];
  for (let each = 0; each < 6; each += 1)
    before.push(await gone.sessions.create({ userId: `before-${each}`, userData: BIG }));
  await gone.sessions.maintenance();
  const restore = await prepare();
  await gone.lose();
  const during = [];
  for (let each = 0; each < 6; each += 1)
    during.push(await gone.sessions.create({ userId: `during-${each}`, userData: BIG }));
  const over = [before[0], before[1], during[0], during[1]].map((one) => one?.token ?? "");
  for (const one of [before[0], during[0]])
    expect(await gone.sessions.delete(one?.claims.id ?? "")).toBe("done");
  for (const user of ["before-1", "during-1"])
    expect(await gone.sessions.service.revokeAllOf(user, null)).toMatchObject({ ended: "done" });
  const active = await gone.present(before[2]?.token ?? "");
  if (active.kind !== "active") throw new Error("the database has it");
  const rotated = await gone.sessions.rotate(active);
  over.push(before[2]?.token ?? "");
  const alive = [...before.slice(3), ...during.slice(2), rotated].map((one) => one?.token ?? "");
  await restore();
  return { over, alive };
}

async function expectAll(one: Isolate, { over, alive }: { over: string[]; alive: string[] }): Promise<void> {
  for (const token of over) expect(await kindOf(one, token)).toBe("over");
  for (const token of alive) {
    const verdict = await one.present(token);
    expect(verdict.kind).toBe("active");
    expect(verdict.kind === "active" && verdict.record.user_data).toBe(BIG.value);
  }
}

describe.each([
  ["with its data", async () => async () => {}],
  ["empty", async () => emptyRedis],
  ["with an old snapshot", snapshot],
] as const)("when Redis comes back %s", (_, prepare) => {
  it("an isolate that starts then honours no session that ended, and loses none", async () => {
    const sessions = await outage(prepare);
    await expectAll(open(), sessions);
  });

  it("Redis has everything after some requests, without the database", async () => {
    const first = open();
    const kept = await first.sessions.create({ userId: "kept", userData: BIG });
    await turns(first);
    const sessions = await outage(prepare);
    const one = open();
    await turns(one);
    database.faults.cut = true;
    await expectAll(open(), { over: sessions.over, alive: [...sessions.alive, kept.token] });
  });

  it("many isolates carry at once, each cut off somewhere, and nothing is lost or doubled", async () => {
    const sessions = await outage(prepare);
    for (const cutAt of [1, 4, 9, 16, 25, 36]) {
      const many = [open(), open(), open()];
      await Promise.all(many.map(serve));
      let commands = 0;
      for (const each of many)
        each.wire.answer = () => {
          commands += 1;
          if (commands > cutAt) throw new TypeError("cut");
          return undefined;
        };
      await Promise.all(many.map((each) => each.sessions.maintenance()));
    }
    const many = [open(), open(), open()];
    await Promise.all(many.map(serve));
    for (let turn = 0; turn < 6; turn += 1) {
      await Promise.all(many.map((each) => each.sessions.maintenance()));
      platform.advance(2500);
    }
    for (const each of many) await expectAll(each, sessions);
    database.faults.cut = true;
    await expectAll(open(), sessions);
    expect((await open().sessions.service.list("during-3")).records).toHaveLength(1);
  });
});

describe("an isolate that did not lose Redis", () => {
  it("refuses what another ended in the database within 10 s, and goes on without asking it", async () => {
    const [well, cut] = [open(), open()];
    const made = await well.sessions.create({ userId: "u1" });
    const other = await well.sessions.create({ userId: "u2" });
    await turns(well);
    await cut.lose();
    expect(await cut.sessions.delete(made.claims.id)).toBe("done");
    const endedAt = platform.now();
    let refusedAt = Number.POSITIVE_INFINITY;
    while (platform.now() - endedAt < 12_000 && refusedAt === Number.POSITIVE_INFINITY) {
      platform.advance(500);
      const verdict = await well.present(made.token);
      if (verdict.kind === "over") refusedAt = platform.now();
      await verdict.settle();
    }
    expect(refusedAt - endedAt).toBeLessThanOrEqual(10_000);
    await well.sessions.maintenance();
    const { calls } = database.faults;
    expect(await well.present(other.token)).toMatchObject({ kind: "active", source: "redis" });
    expect(database.faults.calls).toBe(calls);
  });

  it("knows a session that another created in the database", async () => {
    const [well, cut] = [open(), open()];
    await turns(well);
    await cut.lose();
    const made = await cut.sessions.create({ userId: "u1", userData: BIG });
    const verdict = await well.present(made.token);
    expect(verdict).toMatchObject({ kind: "active" });
    expect(verdict.kind === "active" && verdict.record.user_data).toBe(BIG.value);
    await verdict.settle();
    await turns(well);
    database.faults.cut = true;
    expect(await kindOf(well, made.token)).toBe("active");
  });

  it("knows it still where it could not write it to Redis", async () => {
    const [well, cut] = [open(), open()];
    await turns(well);
    await cut.lose();
    let { token } = await cut.sessions.create({ userId: "u1", userData: BIG });
    well.wire.full = true;
    for (let each = 0; each < 3; each += 1) {
      const verdict = await well.present(token);
      expect(verdict.kind).toBe("active");
      await verdict.settle();
      if (verdict.kind === "active") token = verdict.renewed ?? token;
      platform.advance(500);
    }
  });

  it("asks the database at most once in 9 s, however many requests come", async () => {
    const well = open();
    const made = await well.sessions.create({ userId: "u1" });
    await turns(well);
    const { calls } = database.faults;
    for (let each = 0; each < 100; each += 1) {
      platform.advance(300);
      await (await well.present(made.token)).settle();
    }
    // Four comparisons and a sweep in 30 s.
    expect(database.faults.calls - calls).toBeLessThanOrEqual(5);
  });
});

describe("an isolate that has lost Redis", () => {
  it("asks the database too until it has carried the journal", async () => {
    const one = open();
    const made = await one.sessions.create({ userId: "u1" });
    await turns(one);
    await one.lose();
    await find(one);
    const { calls } = database.faults;
    expect(await one.present(made.token)).toMatchObject({ kind: "active", source: "redis" });
    expect(database.faults.calls).toBe(calls);
  });

  it("keeps a session alive by use, however short its silence may be", async () => {
    const one = openSessions({ prefix, platform, databaseBinding: database.binding, idleSeconds: 600 });
    const made = await one.sessions.create({ userId: "u1" });
    await turns(one, 2);
    await one.lose();
    let { token } = made;
    for (let each = 0; each < 8; each += 1) {
      platform.advance(300_000);
      const verdict = await one.present(token);
      expect(verdict.kind).toBe("active");
      await verdict.settle();
      if (verdict.kind === "active") token = verdict.renewed ?? token;
    }
    await redis("del", `${prefix}:s:${made.claims.id}`);
    await find(one);
    const verdict = await one.present(token);
    expect(verdict).toMatchObject({ kind: "active", source: "redis" });
  });
});

it("a database in the place of another, and one that went back, are carried from the beginning", async () => {
  const one = open();
  for (let each = 0; each < 5; each += 1) await one.sessions.create({ userId: `u${each}` });
  await turns(one);
  expect(await positionNow()).toBeGreaterThanOrEqual(5);
  await freshDatabase("DB_CARRY");
  const [cut, well] = [open(), open()];
  await cut.lose();
  const made = await cut.sessions.create({ userId: "new", userData: BIG });
  await turns(well);
  expect(await positionNow()).toBeLessThan(5);
  database.faults.cut = true;
  expect(await kindOf(open(), made.token)).toBe("active");
});

it("two databases over one Redis are noticed by the isolates of both", async () => {
  const another = faultyDatabase(await freshDatabase("DB_OTHER"));
  const ours = open();
  const theirs = openSessions({ prefix, platform, databaseBinding: another.binding });
  for (const one of [ours, theirs]) await one.sessions.create({ userId: "u1" });
  for (let each = 0; each < 8; each += 1) for (const one of [ours, theirs]) await turns(one, 2);
  for (const one of [ours, theirs]) {
    expect(await one.sessions.databaseState()).toBe("shared");
    expect(one.lines.filter(({ event }) => event === "session.database_shared")).toHaveLength(1);
  }
  platform.advance(61_000);
  await turns(ours, 2);
  expect(await ours.sessions.databaseState(), "the other has gone").toBe("healthy");
});

it.each([
  [
    "a session whose life was short",
    async (one: Isolate) => one.sessions.create({ userId: "u", ttlSeconds: 60 }),
  ],
  [
    "the end of one",
    async (one: Isolate) => {
      const made = await one.sessions.create({ userId: "u", ttlSeconds: 60 });
      await one.sessions.maintenance();
      await one.sessions.delete(made.claims.id);
    },
  ],
])("a sweep of the newest entry, %s, makes nobody carry again", async (_, write) => {
  const [one, other] = [open(), open()];
  for (let each = 0; each < 60; each += 1) await one.sessions.create({ userId: `u${each}` });
  await turns(one);
  await write(one);
  await turns(one, 4);
  await turns(other, 4);
  const at = await positionNow();
  platform.advance(120_000 + 900_000);
  await turns(one, 4);
  const newest = await database.binding
    .prepare("SELECT max(seq) AS seq FROM session_journal")
    .first<{ seq: number }>();
  expect(newest?.seq, "it was swept").toBeLessThan(at);
  expect(await positionNow()).toBe(at);
  one.wire.commands.length = 0;
  await turns(one, 8);
  expect(one.wire.commands.length, "the position alone is read and written").toBeLessThan(30);
});

it("the position is written only over the one that was read", async () => {
  const { store, keys } = open();
  const advance = async (from: string, to: string) => {
    const batch = store.batch();
    const replaced = batch.run(replaceScript, [keys.sessionsCarried()], [from, to, 60_000]);
    await batch.send();
    return replaced;
  };
  expect(await advance("", "d 1 0")).toBe(1);
  expect(await advance("", "d 2 0"), "Redis has one").toBe(0);
  expect(await advance("d 1 0", "d 3 0")).toBe(1);
  expect(await advance("d 1 0", "d 4 0"), "another isolate was there first").toBe(0);
  expect(await positionNow()).toBe(3);
});

it("an isolate that serves no sessions asks neither store", async () => {
  const one = open();
  await one.sessions.maintenance();
  platform.advance(20_000);
  await one.sessions.maintenance();
  expect(one.wire.calls).toBe(0);
  expect(database.faults.calls).toBe(0);
});

it("a cron trigger carries where no request comes", async () => {
  const sessions = await outage();
  await open().sessions.scheduled();
  database.faults.cut = true;
  await expectAll(open(), sessions);
});

it("an ending of everyone's sessions is carried too", async () => {
  const [cut, other] = [open(), open()];
  const made = await cut.sessions.create({ userId: "u1" });
  await cut.sessions.maintenance();
  await cut.lose();
  expect(await cut.sessions.service.revokeEveryone()).toBe("done");
  await other.sessions.scheduled();
  database.faults.cut = true;
  expect(await kindOf(open(), made.token)).toBe("over");
});

it("what is useless is deleted, some of it at a time", async () => {
  const one = open();
  for (let each = 0; each < 5; each += 1) {
    const made = await one.sessions.create({ userId: "u1", ttlSeconds: 100 });
    if (each < 2) await one.sessions.delete(made.claims.id);
    await one.sessions.maintenance();
  }
  const count = async (table: string) =>
    (await database.binding.prepare(`SELECT count(*) AS n FROM ${table}`).first<{ n: number }>())?.n;
  expect(await count("session_records")).toBe(3);
  platform.advance(31 * 86_400_000);
  await one.sessions.maintenance();
  for (const table of ["session_records", "session_tombstones", "session_journal"])
    expect(await count(table), table).toBe(0);
});
