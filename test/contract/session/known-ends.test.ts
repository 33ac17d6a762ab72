import { describe, expect, it } from "vitest";
import { openSessions } from "../../support/sessions.ts";

/** Two isolates over one Redis, with a session that the first one created. */
async function twoIsolates(options: Parameters<typeof openSessions>[0] = {}) {
  const one = openSessions(options);
  const other = openSessions({ ...options, platform: one.platform, prefix: one.prefix });
  const created = await one.sessions.create({ userId: "ada" });
  return { one, other, ...created };
}

describe("an isolate to which Redis has reported that a session is over", () => {
  it.each([
    ["by its tombstone", (sessions: Sessions, id: string) => sessions.service.revoke(id, "ada")],
    ["by its user's mark", (sessions: Sessions) => sessions.service.revokeAllOf("ada", null)],
    ["by everyone's mark", (sessions: Sessions) => sessions.service.revokeEveryone()],
  ])("%s refuses it without a call, also while Redis is unreachable", async (_, end) => {
    const { one, other, token, claims } = await twoIsolates();
    expect((await other.present(token)).kind).toBe("active");
    await end(one.sessions, claims.id);
    expect(await other.present(token)).toMatchObject({ kind: "over", because: "revoked", calls: 1 });
    expect(await other.present(token)).toMatchObject({ kind: "over", because: "revoked", calls: 0 });
    await other.lose();
    expect((await other.present(token)).kind).toBe("over");
    other.platform.advance(86_400_000);
    expect((await other.present(token)).kind, "to the token's end").toBe("over");
  });

  it("reads an absent record again after ISOLATE_MAX_AGE_MS", async () => {
    const { other, token, claims, one } = await twoIsolates();
    one.platform.advance(61_000);
    await one.store.redis().del(one.keys.session(claims.id));
    expect(await other.present(token)).toMatchObject({ kind: "over", calls: 1 });
    expect(await other.present(token)).toMatchObject({ kind: "over", calls: 0 });
    other.platform.advance(5001);
    expect(await other.present(token)).toMatchObject({ kind: "over", calls: 1 });
  });

  it("does not remember an absent record within the sync window, because a replica may lag", async () => {
    const { other, token, claims, one } = await twoIsolates();
    expect(claims.syncToken, "the local endpoint gives one").not.toBeNull();
    const reading = one.store.batch();
    const record = reading.read(one.keys.session(claims.id));
    await reading.send();
    const text = await record;
    await one.store.redis().del(one.keys.session(claims.id));
    expect(await other.present(token)).toMatchObject({ kind: "over", calls: 1 });
    await one.store.redis().set(one.keys.session(claims.id), String(text), { px: 60_000 });
    expect(await other.present(token)).toMatchObject({ kind: "active", calls: 1 });
  });
});

type Sessions = ReturnType<typeof openSessions>["sessions"];
