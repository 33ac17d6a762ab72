import { beforeEach, describe, expect, it } from "vitest";
import { faultyDatabase, freshDatabase } from "../../support/database.ts";
import { freshPrefix } from "../../support/limits.ts";
import { openSessions, sessionPlatform } from "../../support/sessions.ts";

let database: ReturnType<typeof faultyDatabase>;
beforeEach(async () => {
  database = faultyDatabase(await freshDatabase("DB_EDITED"));
});

/** What somebody writes into the tables, and whether the session `u1` lives then. */
const EDITS: [what: string, kind: "active" | "over", sql: string][] = [
  ["an empty text", "over", "UPDATE session_records SET text = ''"],
  ["a JSON text that is no object", "over", "UPDATE session_records SET text = '[1]'"],
  ["JSON null", "over", "UPDATE session_records SET text = 'null'"],
  ["half a JSON text", "over", "UPDATE session_records SET text = substr(text, 1, 40)"],
  ["a text of 1.5 MB", "over", "UPDATE session_records SET text = hex(zeroblob(750000))"],
  ["a text with NUL", "over", "UPDATE session_records SET text = char(0) || text"],
  ["a number in place of the text", "over", "UPDATE session_records SET text = 5"],
  ["another user's record", "over", `UPDATE session_records SET text = replace(text, '"u1"', '"eve"')`],
  ["a creation in the far future", "active", "UPDATE session_records SET created_at = 9223372036854775807"],
  ["an end in the past", "over", "UPDATE session_records SET expires_at = -1"],
  [
    "a tombstone whose time is far ahead",
    "over",
    "INSERT INTO session_tombstones (id, expires_at) SELECT id, 9223372036854775807 FROM session_records",
  ],
  [
    "a tombstone whose time has passed",
    "over",
    "INSERT INTO session_tombstones (id, expires_at) SELECT id, -5 FROM session_records",
  ],
  [
    "a mark of nobody",
    "active",
    "INSERT INTO session_marks (name, until, except_id, excepted_until, expires_at) VALUES ('x', 9e15, 'a b', 5, 9e15)",
  ],
  [
    "a negative mark of everyone",
    "active",
    "INSERT INTO session_marks (name, until, except_id, excepted_until, expires_at) VALUES ('*', -5, '', -7, 9e15)",
  ],
  [
    "a journal entry of no row",
    "active",
    "INSERT INTO session_journal (kind, name, expires_at) VALUES ('record', 'nobody', 9e15), ('mark', 'x', 9e15), ('tombstone', '', 9e15)",
  ],
];

describe.each([
  ["the database alone", false],
  ["Redis and the database", true],
] as const)("in %s", (_, useRedis) => {
  it.each(EDITS)("%s: the session is %s, and others go on", async (_what, kind, statement) => {
    const shared = {
      prefix: freshPrefix(),
      platform: sessionPlatform(),
      databaseBinding: database.binding,
      useRedis,
    };
    const [cut, one] = [openSessions(shared), openSessions(shared)];
    if (useRedis) await cut.lose();
    const edited = await cut.sessions.create({ userId: "u1" });
    await database.binding.prepare(statement).run();
    if (useRedis) await one.sessions.scheduled();
    const verdict = await one.present(edited.token);
    if (!(useRedis && kind === "over")) expect(verdict.kind).toBe(kind);
    else expect(verdict.kind).not.toBe("active");
    expect((await one.sessions.service.list("u1")).records).toHaveLength(kind === "active" ? 1 : 0);
    await one.sessions.get(edited.claims.id);
    const other = await cut.sessions.create({ userId: "u2", userData: { a: 1 } });
    if (useRedis) await one.sessions.scheduled();
    expect(await one.present(other.token)).toMatchObject({ kind: "active" });
    expect(await one.sessions.databaseState()).toBe("healthy");
  });
});

describe("a user's mark whose time is far ahead", () => {
  it.each(["9223372036854775807", "9007199254740991", "4102444800000"])(
    "%s: others' sessions start and are used",
    async (until) => {
      const shared = {
        prefix: freshPrefix(),
        platform: sessionPlatform(),
        databaseBinding: database.binding,
      };
      const one = openSessions({ ...shared, useRedis: false });
      const made = await one.sessions.create({ userId: "u1" });
      await database.binding
        .prepare(
          `INSERT INTO session_marks (name, until, except_id, excepted_until, expires_at) SELECT user, ${until}, '', 0, 9e15 FROM session_records`,
        )
        .run();
      expect(await one.present(made.token)).toMatchObject({ kind: "over" });
      for (let each = 0; each < 4; each += 1) await one.sessions.create({ userId: "u1" });
      const other = await one.sessions.create({ userId: "u2" });
      expect(other.durable).toBe(true);
      expect(await one.present(other.token)).toMatchObject({ kind: "active", source: "database" });
      expect(await one.sessions.databaseState()).toBe("healthy");
    },
  );
});

const USERS = [
  "'",
  '"; DROP TABLE session_records; --',
  "a\u0000b",
  "🦀",
  "~",
  "*",
  "%",
  "\\",
  "ü".repeat(256),
  "🦀".repeat(128),
  "u\u2028x",
  "?1",
];
it.each(USERS)("the user %j has sessions in both, which end", async (userId) => {
  const shared = { prefix: freshPrefix(), platform: sessionPlatform(), databaseBinding: database.binding };
  const [cut, one] = [openSessions(shared), openSessions(shared)];
  await cut.lose();
  const [first, second] = [await cut.sessions.create({ userId }), await cut.sessions.create({ userId })];
  expect(await one.present(first.token)).toMatchObject({ kind: "active", record: { user_id: userId } });
  const active = await cut.present(first.token);
  if (active.kind !== "active") throw new Error("it was just made");
  const rotated = await cut.sessions.rotate(active);
  expect(await one.present(rotated?.token ?? "")).toMatchObject({
    kind: "active",
    record: { user_id: userId },
  });
  await one.sessions.scheduled();
  expect((await one.sessions.service.list(userId)).records).toHaveLength(2);
  await cut.sessions.service.revokeAllOf(userId, null);
  await one.sessions.scheduled();
  for (const token of [first.token, second.token, rotated?.token ?? ""])
    expect(await one.present(token)).toMatchObject({ kind: "over" });
});
