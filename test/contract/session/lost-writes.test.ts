import { beforeEach, describe, expect, it } from "vitest";
import { faultyDatabase, freshDatabase } from "../../support/database.ts";
import { freshPrefix } from "../../support/limits.ts";
import { copyKeys } from "../../support/redis-copies.ts";
import { openSessions, sessionPlatform } from "../../support/sessions.ts";

/*
 * Redis comes back without its latest writes, and no isolate has noticed that it was away: its requests before and after
 * were answered.
 */

type Isolate = ReturnType<typeof openSessions>;
let database: ReturnType<typeof faultyDatabase>;
let one: Isolate;
let other: Isolate;
beforeEach(async () => {
  database = faultyDatabase(await freshDatabase("DB_LOST"));
  const shared = { prefix: freshPrefix(), platform: sessionPlatform(), databaseBinding: database.binding };
  [one, other] = [openSessions(shared), openSessions(shared)];
});

/** Both isolates know that Redis has everything, and Redis keeps a snapshot. */
async function begin() {
  const made = await one.sessions.create({ userId: "u1", userData: { cart: [1, 2] } });
  await one.sessions.maintenance();
  for (const each of [one, other]) await (await each.present(made.token)).settle();
  one.platform.advance(3000);
  await copyKeys(one.prefix, `copy-${one.prefix}`);
  return made;
}

/** What one isolate has done is in both stores, and Redis loses it. The other isolate has not looked meanwhile. */
async function lose(): Promise<void> {
  await one.sessions.maintenance();
  await copyKeys(`copy-${one.prefix}`, one.prefix);
}

async function active(isolate: Isolate, token: string) {
  const verdict = await isolate.present(token);
  if (verdict.kind !== "active") throw new Error(`the session is ${verdict.kind}`);
  return verdict;
}
type Made = Awaited<ReturnType<typeof begin>>;

const STARTED: [what: string, start: (before: Made) => Promise<{ token: string } | null>][] = [
  ["that started", () => one.sessions.create({ userId: "u2" })],
  ["that started, of a user who has another", () => one.sessions.create({ userId: "u1" })],
  ["that took another's place", ({ claims }) => one.sessions.create({ userId: "u1" }, claims)],
  ["that got a new id", async ({ token }) => one.sessions.rotate(await active(one, token))],
  [
    "that got two new ids",
    async ({ token }) => {
      const next = await one.sessions.rotate(await active(one, token));
      return one.sessions.rotate(await active(one, next?.token ?? ""));
    },
  ],
  [
    "that started after everyone's ended",
    async () => {
      await one.sessions.service.revokeEveryone();
      one.platform.advance(10);
      return one.sessions.create({ userId: "u3" });
    },
  ],
];

describe.each(STARTED)("a session %s", (_, start) => {
  it("lives at an isolate that was told by nobody", async () => {
    const { token } = (await start(await begin())) ?? { token: "" };
    await lose();
    const verdict = await other.present(token);
    expect(verdict).toMatchObject({ kind: "active" });
    await verdict.settle();
    await other.sessions.maintenance();
    database.faults.cut = true;
    expect(await other.present(token), "Redis has it again").toMatchObject({
      kind: "active",
      source: "redis",
    });
  });

  it("gets a new id there, once, and ends there", async () => {
    const { token } = (await start(await begin())) ?? { token: "" };
    await lose();
    const rotated = await other.sessions.rotate(await active(other, token));
    expect(rotated).toMatchObject({ durable: true });
    expect(await other.present(token)).toMatchObject({ kind: "over" });
    expect(await other.sessions.delete(rotated?.claims.id ?? "")).toBe("done");
    expect(await other.present(rotated?.token ?? "")).toMatchObject({ kind: "over" });
  });

  it("is read, touched and ended there by its id", async () => {
    const { token } = (await start(await begin())) ?? { token: "" };
    await lose();
    const { id } = (await active(one, token)).claims;
    await lose();
    expect(await other.sessions.get(id)).toMatchObject({ kind: "found" });
    other.platform.advance(1000);
    expect(await other.sessions.touch(id)).toBe(true);
    expect(await other.sessions.delete(id)).toBe("done");
    expect(await other.sessions.touch(id)).toBe(false);
    expect(await other.present(token)).toMatchObject({ kind: "over" });
  });
});

it("a session whose last activity is lost goes on", async () => {
  const { token } = await begin();
  one.platform.advance(80_000_000);
  const verdict = await one.present(token);
  await verdict.settle();
  const renewed = (verdict.kind === "active" && verdict.renewed) || "";
  await lose();
  one.platform.advance(80_000_000);
  expect(await other.present(renewed)).toMatchObject({ kind: "active" });
});

const ENDED: [what: string, end: (before: Made) => Promise<unknown>][] = [
  ["by its client", ({ claims }) => one.sessions.service.revoke(claims.id, "u1")],
  ["by its id", ({ claims }) => one.sessions.delete(claims.id)],
  ["with its user's", () => one.sessions.service.revokeAllOf("u1", null)],
  ["with everyone's", () => one.sessions.service.revokeEveryone()],
  ["by a rotation", async ({ token }) => one.sessions.rotate(await active(one, token))],
  ["by another in its place", ({ claims }) => one.sessions.create({ userId: "u1" }, claims)],
];

it.each(ENDED)("a session that was ended %s is over everywhere within 10 s", async (_, end) => {
  const made = await begin();
  await end(made);
  const endedAt = one.platform.now();
  await lose();
  let refusedAt = Number.POSITIVE_INFINITY;
  while (one.platform.now() - endedAt < 20_000 && refusedAt === Number.POSITIVE_INFINITY) {
    one.platform.advance(500);
    const verdict = await other.present(made.token);
    if (verdict.kind === "over") refusedAt = one.platform.now();
    await verdict.settle();
  }
  expect(refusedAt - endedAt).toBeLessThanOrEqual(10_000);
  expect(await one.present(made.token), "it was ended here").toMatchObject({ kind: "over" });
});

it("a session that is neither there nor in the database is over, and asked for once", async () => {
  const made = await begin();
  // Its creation may not have reached every replica before.
  other.platform.advance(61_000);
  await (await other.present(made.token)).settle();
  await one.store.redis().del(one.keys.session(made.claims.id));
  for (const table of ["session_records", "session_journal"])
    await database.binding.prepare(`DELETE FROM ${table}`).run();
  const { calls } = database.faults;
  for (let each = 0; each < 5; each += 1)
    expect(await other.present(made.token)).toMatchObject({ kind: "over" });
  expect(database.faults.calls - calls).toBe(1);
});

it("a session that Redis no longer has, because it was silent, is over: the database knows of no use", async () => {
  const made = await begin();
  one.platform.advance(86_400_000 + 61_000);
  await one.store.redis().del(one.keys.session(made.claims.id));
  expect(await other.present(made.token)).toMatchObject({ kind: "over" });
  expect(await one.present(made.token)).toMatchObject({ kind: "over" });
});

it("while the database does not answer, a session that Redis lacks is over", async () => {
  const made = await begin();
  await one.store.redis().del(one.keys.session(made.claims.id));
  database.faults.cut = true;
  expect(await other.present(made.token)).toMatchObject({ kind: "over" });
});

it("a session that ended in Redis, of which the database is not told yet, is not read by its id", async () => {
  const made = await begin();
  database.faults.cut = true;
  expect(await one.sessions.delete(made.claims.id)).toBe("done");
  await one.sessions.maintenance();
  database.faults.cut = false;
  expect(await other.sessions.get(made.claims.id)).toEqual({ kind: "missing" });
  expect(await other.sessions.touch(made.claims.id)).toBe(false);
  expect(await other.sessions.delete(made.claims.id)).toBe("missing");
});
