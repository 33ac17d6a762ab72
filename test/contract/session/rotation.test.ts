import { describe, expect, it } from "vitest";
import { freshDatabase } from "../../support/database.ts";
import { openSessions, type SessionIsolateOptions } from "../../support/sessions.ts";

const DAY_MS = 86_400_000;

describe("the tombstone of a rotation", () => {
  it.each<[string, { ttlSeconds?: number; lowered?: number }, number]>([
    ["as long as a short session", { ttlSeconds: 3600 }, 3_600_000],
    ["as long as any session", {}, 30 * DAY_MS],
    ["as long as the old token, where sessions live shorter now", { lowered: 3600 }, 30 * DAY_MS],
  ])("lives %s", async (_, { ttlSeconds, lowered }, lifetimeMs) => {
    const before = openSessions();
    const { token, claims } = await before.sessions.create({
      userId: "ada",
      ...(ttlSeconds !== undefined && { ttlSeconds }),
    });
    const { platform, prefix } = before;
    const isolate = openSessions({ platform, prefix, ...(lowered && { absoluteSeconds: lowered }) });
    platform.advance(1000);
    const active = await isolate.present(token);
    if (active.kind !== "active") throw new Error("it was just made");
    expect(await isolate.sessions.rotate(active)).not.toBeNull();
    const batch = isolate.store.batch();
    const left = batch.queue((pipeline) => pipeline.pttl(isolate.keys.sessionTombstone(claims.id)));
    await batch.send();
    // A minute's margin for the clocks; Redis counts its own time.
    const expected = lifetimeMs - 1000 + 60_000;
    expect(await left).toBeLessThanOrEqual(expected);
    expect(await left).toBeGreaterThan(expected - 5000);
  });

  it("ends the token of an outage, which could write the session again, also where it was renewed since", async () => {
    const gone = openSessions();
    await gone.lose();
    const { token } = await gone.sessions.create({ userId: "ada" });
    await gone.recover();
    const { platform, prefix } = gone;
    const isolate = openSessions({ platform, prefix });
    const active = await isolate.present(token);
    const renewed = active.kind === "active" ? String(active.renewed) : "";
    const next = await isolate.present(renewed);
    if (next.kind !== "active") throw new Error("it was just renewed");
    expect(next.claims.offline).toBe(false);
    expect(await isolate.sessions.rotate(next)).not.toBeNull();
    const fresh = openSessions({ platform, prefix });
    for (const old of [token, renewed]) {
      const verdict = await fresh.present(old);
      await verdict.settle();
      expect(verdict).toMatchObject({ kind: "over", because: "revoked" });
    }
    expect(await fresh.sessions.get(next.claims.id)).toMatchObject({ kind: "missing" });
  });
});

describe.each<[place: string, options: () => Promise<SessionIsolateOptions>]>([
  ["Redis", async () => ({})],
  ["the database", async () => ({ useRedis: false, databaseBinding: await freshDatabase("DB_SESSIONS") })],
  ["both", async () => ({ databaseBinding: await freshDatabase("DB_SESSIONS") })],
  ["the isolate", async () => ({ connection: null })],
])("a session in %s that is ended by a former id", (_, options) => {
  it("is over under the one that it has, and no other is", async () => {
    const isolate = openSessions(await options());
    const { sessions, present } = isolate;
    const [old, other] = [await sessions.create({ userId: "ada" }), await sessions.create({ userId: "ada" })];
    const active = await present(old.token);
    const rotated = active.kind === "active" ? await sessions.rotate(active) : null;
    const token = String(rotated?.token);
    expect((await present(token)).kind).toBe("active");
    expect(await sessions.service.revoke(old.claims.id, "bob"), "by another user's name").not.toBe("pending");
    expect((await present(token)).kind).toBe("active");
    expect(await sessions.service.revoke(old.claims.id, "ada")).toBe("done");
    expect((await present(token)).kind).toBe("over");
    expect((await present(other.token)).kind).toBe("active");
  });
});
