import { beforeEach, expect, it } from "vitest";
import { faultyDatabase, freshDatabase } from "../../support/database.ts";
import { freshPrefix } from "../../support/limits.ts";
import { openSessions, sessionPlatform } from "../../support/sessions.ts";

let database: ReturnType<typeof faultyDatabase>;
beforeEach(async () => {
  database = faultyDatabase(await freshDatabase("DB_OTHER_MAXIMUM"));
});

/** Where each session starts, in order: D, an isolate that has lost Redis; R, one that has not. */
it.each(["DRDR", "RDRD", "DDRR", "RRDD", "RDDR", "DRRD", "DDDRRR", "RRRDDD", "RDRDRDRD", "DDDDR"])(
  "of sessions that start at once in the database and in Redis (%s), at most two live, everywhere the same",
  async (order) => {
    const shared = {
      prefix: freshPrefix(),
      platform: sessionPlatform(),
      databaseBinding: database.binding,
      maxPerUser: 2,
    };
    const [cut, well] = [openSessions(shared), openSessions(shared)];
    await cut.lose();
    const tokens: string[] = [];
    for (const each of order) {
      tokens.push((await (each === "D" ? cut : well).sessions.create({ userId: "u1" })).token);
      shared.platform.advance(100);
    }
    cut.wire.cut = false;
    for (let turn = 0; turn < 20; turn += 1) {
      shared.platform.advance(2500);
      for (const one of [well, cut]) {
        await one.store.maintenance();
        await one.sessions.maintenance();
      }
    }
    const kinds = async (one: typeof cut) => {
      const found = [];
      for (const token of tokens) found.push((await one.present(token)).kind);
      return found;
    };
    const inRedis = await kinds(openSessions({ ...shared, databaseBinding: null }));
    const lost = openSessions(shared);
    await lost.lose();
    expect(await kinds(lost)).toEqual(inRedis);
    expect(await kinds(well)).toEqual(inRedis);
    const living = inRedis.filter((kind) => kind === "active").length;
    expect(living).toBeLessThanOrEqual(2);
    expect(inRedis.at(-1), "the newest").toBe("active");
    expect(living).toBeGreaterThanOrEqual(1);
  },
);
