import { beforeEach, describe, expect, it } from "vitest";
import { JsonText } from "../../../src/runtime/json-text.ts";
import { userDataOf } from "../../../src/session/record.ts";
import { faultyDatabase, freshDatabase } from "../../support/database.ts";
import { freshPrefix } from "../../support/limits.ts";
import { openSessions, sessionPlatform } from "../../support/sessions.ts";

/*
 * A rotation of which the database alone is told, and whose reply is lost: nobody knows whether it was written. In each row the
 * isolate that asked is gone, or is not.
 */

type Isolate = ReturnType<typeof openSessions>;
let database: ReturnType<typeof faultyDatabase>;
beforeEach(async () => {
  database = faultyDatabase(await freshDatabase("DB_ROTATION"));
});

const SMALL = '{"cart":[1.0,2]}';
/** More than a token carries. */
const BIG = JSON.stringify("x".repeat(12_000));

interface Row {
  what: string;
  /** Whether the database has written it. */
  how: "deaf" | "cut";
  userData: string;
  /** Where the session was when it began. */
  begins: "in both" | "in the database alone, Redis being lost" | "in the database alone, without Redis";
  /** Whether Redis is asked first, and its reply is lost too. */
  redisToo?: "deaf" | "cut";
}
const ROWS: Row[] = [
  { what: "written", how: "deaf", userData: SMALL, begins: "in both" },
  { what: "not written", how: "cut", userData: SMALL, begins: "in both" },
  { what: "written, big", how: "deaf", userData: BIG, begins: "in both" },
  { what: "not written, big", how: "cut", userData: BIG, begins: "in both" },
  {
    what: "written, made in the outage",
    how: "deaf",
    userData: BIG,
    begins: "in the database alone, Redis being lost",
  },
  {
    what: "not written, made in the outage",
    how: "cut",
    userData: BIG,
    begins: "in the database alone, Redis being lost",
  },
  { what: "written, no Redis", how: "deaf", userData: BIG, begins: "in the database alone, without Redis" },
  {
    what: "not written, no Redis",
    how: "cut",
    userData: BIG,
    begins: "in the database alone, without Redis",
  },
  {
    what: "not written, no Redis, small",
    how: "cut",
    userData: SMALL,
    begins: "in the database alone, without Redis",
  },
  { what: "written in both", how: "deaf", userData: BIG, begins: "in both", redisToo: "deaf" },
  { what: "written in Redis alone", how: "cut", userData: BIG, begins: "in both", redisToo: "deaf" },
  { what: "written in the database alone", how: "deaf", userData: BIG, begins: "in both", redisToo: "cut" },
  { what: "written nowhere", how: "cut", userData: BIG, begins: "in both", redisToo: "cut" },
];

async function rotated({ how, userData, begins, redisToo }: Row) {
  const options = {
    prefix: freshPrefix(),
    platform: sessionPlatform(),
    databaseBinding: database.binding,
    useRedis: begins !== "in the database alone, without Redis",
  };
  const another = () => openSessions(options);
  const here = another();
  if (begins === "in the database alone, Redis being lost") await here.lose();
  const made = await here.sessions.create({ userId: "ada", userData: new JsonText(userData) });
  await here.sessions.maintenance();
  if (begins === "in both" && !redisToo) await here.lose();
  here.platform.advance(1000);
  const active = await here.present(made.token);
  if (active.kind !== "active") throw new Error("it lives");
  if (redisToo) here.wire[redisToo] = true;
  database.faults[how] = true;
  const next = await here.sessions.rotate(active);
  Object.assign(database.faults, { deaf: false, cut: false });
  Object.assign(here.wire, { deaf: false });
  if (!next) throw new Error("it was not over");
  const lost = async (isolate: Isolate) => {
    if (options.useRedis) await isolate.lose();
    return isolate;
  };
  return {
    here,
    another,
    lost,
    old: made.token,
    oldId: made.claims.id,
    token: next.token,
    id: next.claims.id,
  };
}

async function ask(isolate: Isolate, token: string) {
  const verdict = await isolate.present(token);
  await verdict.settle();
  await isolate.sessions.maintenance();
  return verdict;
}

async function expectWhole(isolate: Isolate, token: string, userData: string, where: string) {
  const verdict = await ask(isolate, token);
  expect(verdict, where).toMatchObject({ kind: "active" });
  if (verdict.kind !== "active") throw new Error("unreachable");
  expect(userDataOf(verdict).text, where).toBe(userData);
}

const listOf = async ({ sessions }: Isolate) =>
  (await sessions.service.list("ada")).records.map(({ record }) => record.session_id);

describe.each(ROWS)("a rotation without a reply of the database: $what", (row) => {
  it("gives out the new id, which lives with all its data, and the old one is over", async () => {
    const { here, lost, another, token, id, old } = await rotated(row);
    expect(await here.present(old), "where it was asked for").toMatchObject({ kind: "over" });
    await expectWhole(here, token, row.userData, "where it was asked for");
    await expectWhole(await lost(another()), token, row.userData, "elsewhere, without Redis");
    expect(await listOf(await lost(another()))).toEqual([id]);
    expect(await (await lost(another())).present(old)).toMatchObject({ kind: "over" });
  });

  it("lives where its isolate is gone, and once Redis is back", async () => {
    const { lost, another, token, id, old } = await rotated(row);
    if (row.redisToo === undefined) {
      await expectWhole(await lost(another()), token, row.userData, "elsewhere, without Redis");
      expect(await (await lost(another())).present(old)).toMatchObject({ kind: "over" });
    }
    const there = another();
    await expectWhole(there, token, row.userData, "elsewhere, with Redis");
    for (let turn = 0; turn < 3; turn += 1) {
      there.platform.advance(10_000);
      await ask(there, token);
    }
    expect(await another().present(old)).toMatchObject({ kind: "over" });
    await expectWhole(another(), token, row.userData, "at a new isolate");
    expect(await listOf(another())).toEqual([id]);
    // Its token says by then where it is.
    const verdict = await there.present(token);
    if (verdict.kind !== "active") throw new Error("it lives");
    expect(await there.sessions.rotate(verdict)).toMatchObject({ durable: true });
  });

  it("is over under either id, once it was ended elsewhere", async () => {
    const { here, lost, another, token, id, old } = await rotated(row);
    const there = await lost(another());
    // Nobody has told the database, or Redis, of the new id where that was lost: its client asks before it signs out.
    await ask(there, token);
    expect(await there.sessions.service.revoke(id, "ada")).toBe("done");
    await here.sessions.maintenance();
    await there.sessions.maintenance();
    for (const each of [here, there, await lost(another()), another()])
      for (const one of [token, old]) expect(await ask(each, one)).toMatchObject({ kind: "over" });
    await here.recover();
    for (const one of [token, old]) expect(await ask(another(), one)).toMatchObject({ kind: "over" });
  });
});

describe("a session that another isolate ends before the rotation is written", () => {
  it.each(ROWS.filter(({ how, redisToo }) => how === "cut" && redisToo === undefined))(
    "is over under the new id too: $what",
    async (row) => {
      const { here, lost, another, token, oldId } = await rotated(row);
      const there = await lost(another());
      expect(await there.sessions.service.revoke(oldId, "ada")).toBe("done");
      await here.sessions.maintenance();
      expect(await (await lost(another())).present(token)).toMatchObject({ kind: "over" });
      expect(await ask(another(), token)).toMatchObject({ kind: "over" });
      expect(await listOf(await lost(another()))).toEqual([]);
    },
  );
});

it("a rotation that could not be asked for leaves the old id as it is", async () => {
  const row = ROWS[0] as Row;
  const one = openSessions({ prefix: freshPrefix(), databaseBinding: database.binding });
  await one.lose();
  const made = await one.sessions.create({ userId: "ada", userData: new JsonText(row.userData) });
  const active = await one.present(made.token);
  if (active.kind !== "active") throw new Error("it lives");
  database.faults.cut = true;
  for (let each = 0; each < 3; each += 1) await one.sessions.get(made.claims.id);
  await expect(one.sessions.rotate(active)).rejects.toMatchObject({ facts: { status: 503 } });
  database.faults.cut = false;
  one.platform.advance(40_000);
  await one.sessions.maintenance();
  expect(await one.present(made.token)).toMatchObject({ kind: "active" });
});
