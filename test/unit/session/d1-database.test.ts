import { describe, expect, it } from "vitest";
import type { DatabaseBinding } from "../../../src/config/config.ts";
import { createEvents } from "../../../src/events/events.ts";
import { Database } from "../../../src/session/d1-database.ts";
import { sql } from "../../../src/session/d1-sql.ts";
import { StoreError } from "../../../src/store/errors.ts";
import { testPlatform } from "../../support/platform.ts";

type Answer = () => Promise<unknown>;
const SCHEMA = { results: [{ id: "d1" }] };
const fails = (message: string) => async () => {
  throw new Error(message);
};
const never = () => new Promise<never>(() => {});

/** A database of which each call is answered by the test. */
function open(first: Answer = async () => [SCHEMA]) {
  const platform = testPlatform();
  const lines: { event: string; reason?: string }[] = [];
  const events = createEvents({ platform, write: (_, line) => lines.push(JSON.parse(line)) });
  const wire = { answer: first };
  const binding = {
    prepare: () => ({ bind: () => ({}) }),
    batch: () => wire.answer(),
  } as unknown as DatabaseBinding;
  const database = new Database({ binding, platform, events, deadlineMs: 100 });
  const ask = (): Promise<unknown> => database.run([sql`SELECT 1`]).catch((error: unknown) => error);
  return { platform, lines, wire, database, ask };
}

describe("a call fails with a store's error, and none of the database's words, where", () => {
  it.each([
    ["it is unreachable", fails("D1_ERROR: Network connection lost."), "unreachable"],
    ["it is overloaded", fails("D1_ERROR: D1 DB is overloaded. u1's secret"), "unreachable"],
    ["a statement is refused", fails("D1_ERROR: near SELECT: u1's secret"), "unreachable"],
    ["a value is refused", fails("D1_ERROR: u1's secret: SQLITE_CONSTRAINT"), "command"],
    ["a value is too large", fails("D1_ERROR: string or blob too big: SQLITE_TOOBIG"), "command"],
    ["there are no tables", fails("D1_ERROR: no such table: session_schema: SQLITE_ERROR"), "malformed"],
    ["a column is missing", fails("D1_ERROR: no such column: seq"), "malformed"],
    ["the schema has another version", fails("D1_ERROR: malformed JSON: SQLITE_ERROR"), "malformed"],
    ["the schema has no row", async () => [{ results: [] }], "malformed"],
    ["the reply is no list", async () => null, "unreachable"],
    ["the reply is empty", async () => [], "malformed"],
    ["something else than an error is thrown", () => Promise.reject("u1's secret"), "unreachable"],
  ])("%s", async (_, answer, code) => {
    const { ask } = open(answer);
    const error = await ask();
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain("secret");
  });

  it("it is late: the first call has three times the deadline", async () => {
    const { platform, wire, ask } = open(never);
    const first = ask();
    platform.advance(299);
    const settled = await Promise.race([first, Promise.resolve("waits")]);
    expect(settled).toBe("waits");
    platform.advance(1);
    expect(await first).toMatchObject({ code: "timeout" });
    wire.answer = async () => [SCHEMA];
    await ask();
    wire.answer = never;
    const second = ask();
    platform.advance(100);
    expect(await second).toMatchObject({ code: "timeout" });
  });
});

describe("a database that fails", () => {
  it("three times in a row is not asked again but by a probe, and is found by it", async () => {
    const { platform, wire, database, ask, lines } = open(fails("cut"));
    for (let each = 0; each < 3; each += 1) await ask();
    expect(database.reachable).toBe(false);
    const { calls } = database;
    expect(await ask()).toMatchObject({ code: "open" });
    expect(database.calls).toBe(calls);
    expect(database.probe()).toBeNull();
    platform.advance(2000);
    await database.probe();
    expect(database.reachable).toBe(false);
    wire.answer = async () => [SCHEMA];
    platform.advance(5000);
    await database.probe();
    expect(database.reachable).toBe(true);
    expect(lines.map(({ event }) => event)).toEqual(["session.database_lost", "session.database_found"]);
  });

  it("by its schema is not asked again at once", async () => {
    const { database, ask, lines } = open(fails("no such table: session_schema"));
    await ask();
    expect(database.reachable).toBe(false);
    expect(lines).toMatchObject([{ event: "session.database_lost", reason: "schema" }]);
  });

  it.each(["SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_DATATYPE)", "SQLITE_MISMATCH", "SQLITE_TOOBIG"])(
    "by refusing a value (%s) has answered: it is not lost, however often",
    async (code) => {
      const { database, ask, lines } = open(fails(`D1_ERROR: some text: ${code}`));
      for (let each = 0; each < 5; each += 1) await ask();
      expect(database.reachable).toBe(true);
      expect(await database.answers()).toBe(true);
      expect(lines).toEqual([]);
    },
  );

  it.each(["SQLITE_FULL", "SQLITE_CORRUPT", "SQLITE_ERROR", "SQLITE_BUSY", "SQLITE_NOMEM"])(
    "with %s is lost",
    async (code) => {
      const { database, ask } = open(fails(`D1_ERROR: some text: ${code}`));
      for (let each = 0; each < 3; each += 1) await ask();
      expect(database.reachable).toBe(false);
    },
  );

  it("once is asked again", async () => {
    const { wire, database, ask } = open(fails("cut"));
    await ask();
    wire.answer = async () => [SCHEMA, { results: [{ n: 1 }] }];
    expect(await ask()).toEqual([[{ n: 1 }]]);
    expect(database.id).toBe("d1");
  });
});

it("whether it answers is asked at most every 5 s", async () => {
  const { platform, wire, database } = open();
  expect(await database.answers()).toBe(true);
  wire.answer = fails("cut");
  expect(await database.answers()).toBe(true);
  expect(database.calls).toBe(1);
  platform.advance(5000);
  expect(await database.answers()).toBe(false);
});

it("it is not said to be lost before it has been heard, however many ask", async () => {
  const { database } = open();
  const all = await Promise.all(Array.from({ length: 5 }, () => database.answers()));
  expect(all).toEqual(Array(5).fill(true));
  expect(database.calls).toBe(1);
});
