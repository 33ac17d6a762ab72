import { describe, expect, it } from "vitest";
import { openSessions } from "../../support/sessions.ts";

const BIG = "x".repeat(3000);

/** A session that a new one replaces: at a sign-in with an existing session, or at a rotation. */
describe("the session that is replaced", () => {
  it("stays valid when the new one cannot be created", async () => {
    const { sessions, present, lose, recover } = openSessions();
    const old = await sessions.create({ userId: "ada" });
    await lose();
    await expect(sessions.create({ userId: "ada", userData: BIG }, old.claims)).rejects.toMatchObject({
      code: "USER_DATA_TOO_LARGE_OFFLINE",
    });
    expect((await present(old.token)).kind, "in the outage").toBe("active");
    await recover();
    expect((await present(old.token)).kind, "and after it").toBe("active");
  });

  it("stays valid when its user data is too large for a rotation in an outage", async () => {
    const { sessions, present, lose, recover } = openSessions();
    const old = await sessions.create({ userId: "ada", userData: BIG });
    const verdict = await present(old.token);
    if (verdict.kind !== "active") throw new Error("it was just made");
    await lose();
    await expect(sessions.rotate(verdict)).rejects.toMatchObject({ code: "USER_DATA_TOO_LARGE_OFFLINE" });
    expect((await present(old.token)).kind).toBe("active");
    await recover();
    expect(await present(old.token)).toMatchObject({ kind: "active", record: { user_data: BIG } });
  });

  it("stays valid when the new one fits into no token", async () => {
    const { sessions, present, lose } = openSessions();
    const old = await sessions.create({ userId: "ada" });
    await lose();
    // Each character is six bytes of a token's JSON, and the user data alone would fit.
    const input = { userId: "\u0001".repeat(256), userData: "x".repeat(2000) };
    await expect(sessions.create(input, old.claims)).rejects.toMatchObject({
      code: "USER_DATA_TOO_LARGE_OFFLINE",
    });
    expect(sessions.service.sizes.pending, "no write of it is pending").toBe(0);
    expect((await present(old.token)).kind).toBe("active");
  });

  it.each([
    ["an error", { error: "OOM command not allowed when used memory > 'maxmemory'." }],
    ["a number that is no answer of the script", { result: 7 }],
  ])("is ended later when its end alone met %s", async (_, reply) => {
    const { sessions, wire, store, platform, prefix, keys, present } = openSessions();
    const old = await sessions.create({ userId: "ada" });
    wire.answer = (command) => (command[3] === keys.session(old.claims.id) ? reply : undefined);
    const created = await sessions.create({ userId: "ada" }, old.claims);
    expect(created.durable).toBe(true);
    expect((await present(old.token)).kind, "here it is over").toBe("over");
    await store.maintenance();
    wire.answer = null;
    platform.advance(8000);
    await store.maintenance();
    const fresh = openSessions({ platform, prefix });
    expect((await fresh.present(old.token)).kind, "and everywhere once the end is written").toBe("over");
    expect((await fresh.present(created.token)).kind).toBe("active");
  });
});

describe("a rotation", () => {
  it("is refused where only the signature confirms the session, so that the record's data are not lost", async () => {
    const here = openSessions();
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    const old = await here.sessions.create({ userId: "ada", userData: { a: 1 }, deviceInfo: { os: "x" } });
    await there.lose();
    const verdict = await there.present(old.token);
    if (verdict.kind !== "active") throw new Error("it is young");
    expect(verdict.source).toBe("signature");
    const refusal = await there.sessions.rotate(verdict).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ facts: { status: 503, retryAfter: expect.any(Number) } });
    expect((await there.present(old.token)).kind, "the old one stays valid").toBe("active");
    await there.recover();
    expect(await here.present(old.token)).toMatchObject({
      kind: "active",
      record: { user_data: { a: 1 }, device_info: { os: "x" } },
    });
  });

  it("in an outage escapes no end that Redis has heard of", async () => {
    const here = openSessions();
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    const old = await here.sessions.create({ userId: "ada" });
    const seen = await there.present(old.token);
    expect(seen.kind).toBe("active");
    await here.sessions.delete(old.claims.id);
    await there.lose();
    const verdict = await there.present(old.token);
    if (verdict.kind !== "active") throw new Error("this isolate has not heard of the end");
    expect(verdict.source).toBe("memory");
    const refusal = await there.sessions.rotate(verdict).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "SESSION_UNAVAILABLE", facts: { retryAfter: expect.any(Number) } });
    expect(there.sessions.service.sizes.pending, "nothing of it is kept").toBe(0);
    await there.recover();
    expect((await there.present(old.token)).kind).toBe("over");
  });

  it("in an outage does not sign out the session that has ended all others", async () => {
    const { sessions, present, lose, recover } = openSessions();
    const own = await sessions.create({ userId: "ada" });
    await sessions.service.revokeAllOf("ada", own.claims.id);
    await lose();
    const verdict = await present(own.token);
    if (verdict.kind !== "active") throw new Error("it is except");
    await expect(sessions.rotate(verdict)).rejects.toMatchObject({ code: "SESSION_UNAVAILABLE" });
    await recover();
    expect((await present(own.token)).kind).toBe("active");
  });

  it("goes on from the signature of a session of the outage, whose token tells it all", async () => {
    const here = openSessions();
    await here.lose();
    const old = await here.sessions.create({ userId: "ada", userData: { a: 1 } });
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    await there.lose();
    const verdict = await there.present(old.token);
    if (verdict.kind !== "active") throw new Error("it is young");
    expect(await there.sessions.rotate(verdict)).toMatchObject({ record: { user_data: { a: 1 } } });
  });

  it("returns a consistency token, which reads carry within the sync window", async () => {
    const { sessions, present, wire, platform } = openSessions();
    const old = await sessions.create({ userId: "ada" });
    platform.advance(300_000);
    const verdict = await present(old.token);
    if (verdict.kind !== "active") throw new Error("it was just made");
    const rotated = await sessions.rotate(verdict);
    const token = rotated?.claims.syncToken;
    expect(token).toEqual(expect.any(String));
    await present(String(rotated?.token));
    expect(wire.headers.at(-1)?.get("upstash-sync-token")).toBe(token);
    platform.advance(60_000);
    await present(String(rotated?.token));
    expect(wire.headers.at(-1)?.get("upstash-sync-token")).not.toBe(token);
  });

  it("does not accept a number that the script never returns", async () => {
    const { sessions, present, wire } = openSessions();
    const old = await sessions.create({ userId: "ada" });
    const verdict = await present(old.token);
    if (verdict.kind !== "active") throw new Error("it was just made");
    wire.answer = () => ({ result: 7 });
    expect(await sessions.rotate(verdict), "it is pending until Redis has it").toMatchObject({
      durable: false,
    });
    expect(await sessions.delete(old.claims.id)).not.toBe("done");
  });
});

describe("without a secret, and with a user id that fits into no token,", () => {
  it("nothing is written", async () => {
    const none = openSessions({ secrets: [] });
    await expect(none.sessions.create({ userId: "ada" })).rejects.toMatchObject({ facts: { status: 503 } });
    expect(none.lines.filter(({ event }) => event === "session.secret_missing")).toMatchObject([
      { message: expect.stringContaining("SESSION_SECRET") },
    ]);
    expect(none.wire.calls).toBe(0);
    const { sessions, wire } = openSessions();
    for (const input of [{ userId: "x".repeat(4000) }, { userId: "\ud800" }, { userId: "a", tier: "\udc00" }])
      await expect(sessions.create(input)).rejects.toThrow(RangeError);
    expect(wire.calls).toBe(0);
  });
});
