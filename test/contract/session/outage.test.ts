import { describe, expect, it } from "vitest";
import { openSessions, SECRET } from "../../support/sessions.ts";

const GRACE_S = 900;

describe("while the store is lost, a session", () => {
  it("created before is accepted by an isolate that never read it, until the grace is over", async () => {
    const here = openSessions();
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    const { token } = await here.sessions.create({ userId: "ada", tier: "premium" });
    await there.lose();
    expect(await there.present(token)).toMatchObject({
      kind: "active",
      source: "signature",
      renewed: null,
      record: { user_id: "ada", tier: "premium" },
    });
    here.platform.advance(GRACE_S * 1000);
    expect(await there.present(token)).toMatchObject({ kind: "active" });
    here.platform.advance(1);
    expect(await there.present(token), "no evidence of an end: unknown, not over").toMatchObject({
      kind: "unknown",
    });
  });

  it("is accepted with its user data by an isolate that has read it", async () => {
    const isolate = openSessions();
    const { token } = await isolate.sessions.create({ userId: "ada", userData: { a: 1 } });
    isolate.platform.advance((GRACE_S - 10) * 1000);
    await isolate.present(token);
    await isolate.lose();
    isolate.platform.advance((GRACE_S - 10) * 1000);
    expect(await isolate.present(token)).toMatchObject({
      kind: "active",
      source: "memory",
      record: { user_data: { a: 1 } },
    });
  });

  it("is not accepted where the grace is 0 or the route has offline: false", async () => {
    const none = openSessions({ offlineGraceSeconds: 0 });
    const { token } = await none.sessions.create({ userId: "ada" });
    await none.lose();
    expect(await none.present(token)).toMatchObject({ kind: "unknown" });
    const strict = openSessions();
    const other = await strict.sessions.create({ userId: "ada" });
    await strict.lose();
    expect(await strict.present(other.token, { offline: false })).toMatchObject({ kind: "unknown" });
    expect(await strict.present(other.token)).toMatchObject({ kind: "active" });
  });

  it("is accepted no longer than the idle limit", async () => {
    const isolate = openSessions({ idleSeconds: 60 });
    const { token } = await isolate.sessions.create({ userId: "ada" });
    await isolate.lose();
    isolate.platform.advance(61_000);
    expect(await isolate.present(token)).toMatchObject({ kind: "unknown" });
  });

  it("that this isolate revoked before or during it is over here", async () => {
    const isolate = openSessions();
    const [before, during, all] = [
      await isolate.sessions.create({ userId: "ada" }),
      await isolate.sessions.create({ userId: "ada" }),
      await isolate.sessions.create({ userId: "bob" }),
    ];
    await isolate.sessions.delete(before.claims.id);
    await isolate.lose();
    expect(await isolate.sessions.delete(during.claims.id)).toBe("pending");
    expect(await isolate.sessions.service.revokeAllOf("bob", null)).toMatchObject({ ended: "pending" });
    for (const { token } of [before, during, all])
      expect(await isolate.present(token)).toMatchObject({ kind: "over", because: "revoked" });
  });

  it("of a user all of whose sessions ended here is over, even where this isolate never saw it", async () => {
    const here = openSessions();
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    const { token } = await here.sessions.create({ userId: "ada" });
    await there.lose();
    await there.sessions.service.revokeAllOf("ada", null);
    expect(await there.present(token)).toMatchObject({ kind: "over" });
    await there.recover();
    expect(await here.present(token), "and everywhere once that is written").toMatchObject({ kind: "over" });
  });

  it("revoked in another isolate stays valid here for at most the grace", async () => {
    const here = openSessions();
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    const { token, claims } = await here.sessions.create({ userId: "ada" });
    await there.lose();
    await here.sessions.delete(claims.id);
    expect(await there.present(token)).toMatchObject({ kind: "active" });
    here.platform.advance(GRACE_S * 1000 + 1);
    expect(await there.present(token)).toMatchObject({ kind: "unknown" });
    await there.recover();
    expect(await there.present(token)).toMatchObject({ kind: "over" });
  });
});

describe("a session created while the store is lost", () => {
  it("works at once, here and in other isolates, and is written when the store is back", async () => {
    const here = openSessions();
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    await Promise.all([here.lose(), there.lose()]);
    const made = await here.sessions.create({ userId: "ada", userData: { a: 1 } });
    expect(made.durable).toBe(false);
    for (const isolate of [here, there])
      expect(await isolate.present(made.token)).toMatchObject({
        kind: "active",
        record: { user_data: { a: 1 } },
      });
    await here.recover();
    expect(await here.sessions.get(made.claims.id)).toMatchObject({ kind: "found" });
    await there.recover();
    const verdict = await there.present(made.token);
    expect(verdict).toMatchObject({ kind: "active", source: "redis", record: { user_data: { a: 1 } } });
    expect(verdict.kind === "active" && verdict.renewed, "the new token is not an offline token").toMatch(
      /^es1\./,
    );
  });

  it("is written by another isolate that gets its token, when its own isolate is evicted", async () => {
    const gone = openSessions();
    await gone.lose();
    const { token, claims } = await gone.sessions.create({ userId: "ada", userData: { a: 1 } });
    const next = openSessions({ platform: gone.platform, prefix: gone.prefix });
    expect(await next.sessions.get(claims.id)).toMatchObject({ kind: "missing" });
    const verdict = await next.present(token);
    expect(verdict).toMatchObject({ kind: "active", record: { user_data: { a: 1 } } });
    await verdict.settle();
    expect(await next.sessions.get(claims.id)).toMatchObject({ kind: "found" });
    expect(await next.sessions.service.list("ada")).toMatchObject({
      records: [{ record: { session_id: claims.id } }],
    });
  });

  it.each(["revoke", "revoke all", "revoke everyone", "rotate"])(
    "and ended since by %s is not revived by its token",
    async (how) => {
      const gone = openSessions();
      await gone.lose();
      const { token, claims } = await gone.sessions.create({ userId: "ada" });
      const next = openSessions({ platform: gone.platform, prefix: gone.prefix });
      const verdict = await next.present(token);
      if (how === "revoke") await next.sessions.service.revoke(claims.id, "ada");
      if (how === "revoke all") await next.sessions.service.revokeAllOf("ada", null);
      if (how === "revoke everyone") await next.sessions.service.revokeEveryone();
      if (how === "rotate" && verdict.kind === "active")
        expect(await next.sessions.rotate(verdict)).toMatchObject({ durable: true });
      // The slow request writes only now.
      await verdict.settle();
      const fresh = openSessions({ platform: gone.platform, prefix: gone.prefix });
      expect(await fresh.present(token)).toMatchObject({ kind: "over" });
      expect(await fresh.sessions.get(claims.id)).toMatchObject({ kind: "missing" });
    },
  );

  it("and ended in the same outage stays ended after it", async () => {
    const isolate = openSessions();
    await isolate.lose();
    const { token, claims } = await isolate.sessions.create({ userId: "ada" });
    expect(await isolate.sessions.delete(claims.id)).toBe("pending");
    await isolate.recover();
    const fresh = openSessions({ platform: isolate.platform, prefix: isolate.prefix });
    expect(await fresh.present(token)).toMatchObject({ kind: "over" });
  });

  it("carries 2 KiB of user data, in bytes, and no more", async () => {
    const isolate = openSessions();
    await isolate.lose();
    await expect(
      isolate.sessions.create({ userId: "ada", userData: "é".repeat(1023) }),
    ).resolves.toMatchObject({
      durable: false,
    });
    await expect(
      isolate.sessions.create({ userId: "ada", userData: "é".repeat(1024) }),
    ).rejects.toMatchObject({
      code: "USER_DATA_TOO_LARGE_OFFLINE",
    });
  });

  it("does not show its user data in any of its tokens, and keeps them through a rotation of secrets", async () => {
    const NEXT = "next-session-secret-of-this-test-0123456";
    const here = openSessions();
    const after = openSessions({ platform: here.platform, prefix: here.prefix, secrets: [NEXT, SECRET] });
    await Promise.all([here.lose(), after.lose()]);
    const { token } = await here.sessions.create({ userId: "ada", userData: { email: "ada@example.org" } });
    const verdict = await after.present(token, { secrets: [NEXT, SECRET] });
    if (verdict.kind !== "active") throw new Error("it was just made");
    const rotated = await after.sessions.rotate(verdict);
    const tokens = [token, String(rotated?.token)];
    for (const each of tokens)
      for (const part of each.split("."))
        expect(atob(part.replaceAll("-", "+").replaceAll("_", "/"))).not.toMatch(/email|ada@/);
    expect(await after.present(String(rotated?.token), { secrets: [NEXT] })).toMatchObject({
      kind: "active",
      record: { user_data: { email: "ada@example.org" } },
    });
  });

  it("rotates in the outage, and only the new id is written", async () => {
    const isolate = openSessions();
    await isolate.lose();
    const { token, claims } = await isolate.sessions.create({ userId: "ada" });
    const verdict = await isolate.present(token);
    if (verdict.kind !== "active") throw new Error("it was just made");
    const rotated = await isolate.sessions.rotate(verdict);
    expect(await isolate.sessions.rotate(verdict)).toBeNull();
    expect(await isolate.present(token)).toMatchObject({ kind: "over" });
    await isolate.recover();
    const fresh = openSessions({ platform: isolate.platform, prefix: isolate.prefix });
    expect(await fresh.present(String(rotated?.token))).toMatchObject({ kind: "active" });
    expect(await fresh.present(token)).toMatchObject({ kind: "over" });
    expect(await fresh.sessions.get(claims.id)).toMatchObject({ kind: "missing" });
  });
});

describe("an end that is accepted while the store is lost", () => {
  it("is durable once it is replayed, and is written once", async () => {
    const here = openSessions();
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    const { token, claims } = await there.sessions.create({ userId: "ada" });
    await here.lose();
    expect(await here.sessions.service.revoke(claims.id, null), "a server need not know its user").toBe(
      "pending",
    );
    expect(await there.present(token)).toMatchObject({ kind: "active" });
    await here.recover();
    expect(await there.present(token)).toMatchObject({ kind: "over" });
    const calls = here.wire.calls;
    await here.recover();
    expect(here.wire.calls, "nothing is left to be written").toBe(calls);
  });

  it("is lost when its isolate is evicted before the replay", async () => {
    const gone = openSessions();
    const { token, claims } = await gone.sessions.create({ userId: "ada" });
    await gone.lose();
    expect(await gone.sessions.delete(claims.id)).toBe("pending");
    const next = openSessions({ platform: gone.platform, prefix: gone.prefix });
    expect(await next.present(token)).toMatchObject({ kind: "active" });
  });
});
