import { beforeEach, describe, expect, it } from "vitest";
import type { SessionClaims } from "../../../src/identity/session-token.ts";
import { faultyDatabase, freshDatabase } from "../../support/database.ts";
import { freshPrefix } from "../../support/limits.ts";
import { openSessions, type SessionIsolateOptions, sessionPlatform } from "../../support/sessions.ts";

type Isolate = ReturnType<typeof openSessions>;
let database: ReturnType<typeof faultyDatabase>;
beforeEach(async () => {
  database = faultyDatabase(await freshDatabase("DB_BY_ID"));
});

/** Isolates over the same stores, as many as are asked for, with their clocks `aheadMs` ahead. */
function world(options: SessionIsolateOptions = {}) {
  const platform = sessionPlatform();
  const shared = { prefix: freshPrefix(), platform, databaseBinding: database.binding, ...options };
  const open = (aheadMs = 0): Isolate =>
    openSessions({ ...shared, platform: { ...platform, now: () => platform.now() + aheadMs } });
  return { open, platform };
}

const PLACES: [where: string, options: () => SessionIsolateOptions][] = [
  ["Redis", () => ({ databaseBinding: null })],
  ["Redis and the database", () => ({})],
  ["the database alone", () => ({ useRedis: false })],
];
const ENDS: [how: string, end: (one: Isolate, id: string) => Promise<unknown>][] = [
  ["by its id", (one, id) => one.sessions.delete(id)],
  ["with its user's", (one) => one.sessions.service.revokeAllOf("u1", null)],
  ["with all but another", (one) => one.sessions.service.revokeAllOf("u1", "B".repeat(27))],
  ["with everyone's", (one) => one.sessions.service.revokeEveryone()],
  ["by silence", async (one) => void one.platform.advance(700_000)],
];

describe.each(PLACES)("where sessions are in %s", (_, options) => {
  it.each(ENDS)(
    "one that ended %s is not read by its id, and its end is told as before",
    async (how, end) => {
      const { open } = world({ idleSeconds: 600, ...options() });
      const [one, other, third] = [open(), open(), open()];
      const made = await one.sessions.create({ userId: "u1" });
      await one.sessions.maintenance();
      expect(await other.sessions.get(made.claims.id)).toMatchObject({ kind: "found" });
      await end(one, made.claims.id);
      await one.sessions.maintenance();
      for (const each of [one, other, third]) {
        expect(await each.present(made.token), how).toMatchObject({ kind: "over" });
        if (how !== "by silence")
          expect(await each.sessions.get(made.claims.id)).toEqual({ kind: "missing" });
      }
      await other.sessions.scheduled();
      expect(await other.sessions.get(made.claims.id), "after a comparison").toEqual({ kind: "missing" });
    },
  );

  it.each([
    ["a user's", (one: Isolate) => one.sessions.service.revokeAllOf("u1", null)],
    ["everyone's", (one: Isolate) => one.sessions.service.revokeEveryone()],
  ])("one that began after %s had ended, by a clock 5 s ahead, is read by its id", async (_whose, end) => {
    const { open } = world(options());
    const [fast, slow] = [open(5000), open()];
    await fast.sessions.create({ userId: "u1" });
    await end(fast);
    await fast.sessions.maintenance();
    const made = await slow.sessions.create({ userId: "u1" });
    await slow.sessions.maintenance();
    for (const each of [fast, slow, open()]) {
      expect(await each.present(made.token)).toMatchObject({ kind: "active" });
      expect(await each.sessions.get(made.claims.id)).toMatchObject({ kind: "found" });
    }
  });
});

describe("while Redis is lost to all, or to one isolate", () => {
  it.each(ENDS.slice(0, 4).flatMap(([how, end]) => [true, false].map((toAll) => ({ how, end, toAll }))))(
    "one that ended $how in the database, lost to all: $toAll, is not read by its id",
    async ({ end, toAll }) => {
      const { open } = world();
      const [cut, other] = [open(), open()];
      const made = await cut.sessions.create({ userId: "u1" });
      await cut.sessions.maintenance();
      // It remembers the session.
      expect(await other.present(made.token)).toMatchObject({ kind: "active" });
      await cut.lose();
      if (toAll) await other.lose();
      await end(cut, made.claims.id);
      const fresh = open();
      if (toAll) await fresh.lose();
      for (const each of [cut, fresh, other])
        expect(await each.sessions.get(made.claims.id)).not.toMatchObject({ kind: "found" });
      // Who has heard of it knows whose it is.
      if (!toAll) expect(await fresh.sessions.get(made.claims.id)).toEqual({ kind: "missing" });
      expect(await other.sessions.get(made.claims.id)).toEqual({ kind: "missing" });
    },
  );

  it.each(ENDS.slice(1, 4))(
    "one that the database never had and that ended %s is not read by its id",
    async (_, end) => {
      const { open } = world();
      const before = world({ databaseBinding: null });
      const old = openSessions({ prefix: open().prefix, platform: before.platform });
      const made = await old.sessions.create({ userId: "u1" });
      const cut = openSessions({
        prefix: old.prefix,
        platform: before.platform,
        databaseBinding: database.binding,
      });
      await cut.lose();
      await end(cut, made.claims.id);
      const other = openSessions({
        prefix: old.prefix,
        platform: before.platform,
        databaseBinding: database.binding,
      });
      expect(await other.sessions.get(made.claims.id)).toEqual({ kind: "missing" });
    },
  );
});

it("a session that was silent is ended by its id all the same, because its client may have a newer token", async () => {
  const { open } = world({ idleSeconds: 600 });
  const one = open();
  const made = await one.sessions.create({ userId: "u1" });
  await one.sessions.maintenance();
  await one.sessions.scheduled();
  await one.store.redis().del(one.keys.session(made.claims.id));
  one.platform.advance(700_000);
  await one.sessions.scheduled();
  expect(await one.sessions.get(made.claims.id)).toEqual({ kind: "missing" });
  expect(await one.sessions.delete(made.claims.id)).toBe("done");
});

/** Between the check of a request's session and the end that its handler asks for, another tab, or a thief, rotates it. */
describe.each(PLACES)("where sessions are in %s, one that got another id meanwhile", (_, options) => {
  const HOW: [what: string, end: (isolate: Isolate, claims: SessionClaims) => Promise<unknown>][] = [
    ["its claims", ({ sessions }, claims) => sessions.delete(claims)],
    ["its id, where this isolate has seen it", ({ sessions }, { id }) => sessions.delete(id)],
  ];
  it.each(HOW)("ends by %s", async (_how, end) => {
    const { open } = world(options());
    const [one, other, third] = [open(), open(), open()];
    const made = await one.sessions.create({ userId: "u1" });
    const kept = await one.sessions.create({ userId: "u1" });
    await one.sessions.maintenance();
    expect(await other.present(made.token)).toMatchObject({ kind: "active" });
    const active = await one.present(made.token);
    if (active.kind !== "active") throw new Error("It lives");
    const rotated = await one.sessions.rotate(active);
    await one.sessions.maintenance();
    expect(await end(other, made.claims)).toBe("done");
    await other.sessions.maintenance();
    for (const each of [other, third])
      expect(await each.present(rotated?.token ?? "")).toMatchObject({ kind: "over" });
    expect(await third.present(kept.token), "another of the user").toMatchObject({ kind: "active" });
    expect(await end(other, made.claims), "once more").toBe("missing");
  });
});
