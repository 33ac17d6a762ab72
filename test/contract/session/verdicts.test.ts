import { describe, expect, it } from "vitest";
import { isoTime } from "../../../src/session/record.ts";
import { openSessions } from "../../support/sessions.ts";

const MINUTE = 60_000;

describe("a session while the store answers", () => {
  it("is confirmed with one call, which is one MGET", async () => {
    const isolate = openSessions();
    const { token } = await isolate.sessions.create({ userId: "ada", tier: "premium", userData: { a: 0 } });
    isolate.wire.commands.length = 0;
    const verdict = await isolate.present(token);
    expect(verdict).toMatchObject({ kind: "active", source: "redis", renewed: null, calls: 1 });
    expect(verdict.kind === "active" && verdict.record).toMatchObject({
      user_id: "ada",
      user_data: { a: 0 },
      tier: "premium",
    });
    expect(isolate.wire.commands.map(([name]) => String(name).toLowerCase())).toEqual(["mget"]);
  });

  it("has its record parsed once for the same text, and anew for another", async () => {
    const here = openSessions();
    const { token, claims } = await here.sessions.create({ userId: "ada", userData: { a: 0 } });
    const recordHere = async () => {
      const verdict = await here.present(token);
      await verdict.settle();
      return verdict.kind === "active" ? verdict.record : null;
    };
    const first = await recordHere();
    expect(first).toMatchObject({ session_id: claims.id, user_data: { a: 0 } });
    expect(await recordHere()).toBe(first);
    here.platform.advance(10);
    expect(await recordHere()).toBe(first);
    // Another isolate writes down activity: another text.
    here.platform.advance(MINUTE);
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    await (await there.present(token)).settle();
    const touched = await recordHere();
    expect(touched).not.toBe(first);
    expect(touched?.last_active).toBe(isoTime(here.platform.now()));
    expect(await recordHere()).toBe(touched);
  });

  it("costs no call when its token is forged", async () => {
    const isolate = openSessions();
    const { token } = await isolate.sessions.create({ userId: "ada" });
    const before = isolate.wire.calls;
    for (const forged of [`${token}x`, "es1.x.y", token.replace(".", ".A")])
      expect(await isolate.present(forged)).toMatchObject({ kind: "over", because: "invalid", calls: 0 });
    expect(isolate.wire.calls).toBe(before);
  });

  it("stores nothing in Redis that would sign a client in", async () => {
    const isolate = openSessions();
    const { token } = await isolate.sessions.create({ userId: "ada" });
    const written = JSON.stringify(isolate.wire.commands);
    const [, payload = "", mac = ""] = token.split(".");
    expect(written).not.toContain("es1.");
    expect(written).not.toContain(payload);
    expect(written).not.toContain(mac);
  });

  it("is valid in every isolate, and over in every isolate once it is revoked", async () => {
    const here = openSessions();
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    const { token, claims } = await here.sessions.create({ userId: "ada" });
    expect(await there.present(token)).toMatchObject({ kind: "active" });
    expect(await here.sessions.delete(claims.id)).toBe("done");
    expect(await there.present(token)).toMatchObject({ kind: "over", because: "revoked" });
    expect(await here.sessions.delete(claims.id)).toBe("missing");
  });

  it("has its activity written at most once a minute", async () => {
    const isolate = openSessions();
    const { token, claims } = await isolate.sessions.create({ userId: "ada" });
    const lastActive = async () => {
      const found = await isolate.sessions.get(claims.id);
      return found.kind === "found" ? found.record.last_active : null;
    };
    const start = isolate.platform.now();
    isolate.platform.advance(MINUTE - 1);
    await (await isolate.present(token)).settle();
    expect(await lastActive()).toBe(isoTime(start));
    isolate.platform.advance(1);
    await (await isolate.present(token)).settle();
    expect(await lastActive()).toBe(isoTime(start + MINUTE));
  });

  it("ends after its idle limit, and at its absolute end also when it is in use", async () => {
    const isolate = openSessions({ idleSeconds: 600, absoluteSeconds: 1000 });
    const idle = await isolate.sessions.create({ userId: "ada" });
    const busy = await isolate.sessions.create({ userId: "ada" });
    isolate.platform.advance(599_000);
    await (await isolate.present(busy.token)).settle();
    isolate.platform.advance(62_000);
    expect(await isolate.present(idle.token)).toMatchObject({ kind: "over", because: "idle" });
    expect(await isolate.present(busy.token)).toMatchObject({ kind: "active" });
    isolate.platform.advance(339_000);
    expect(await isolate.present(busy.token)).toMatchObject({ kind: "over", because: "invalid" });
  });

  it("gets a token with a newer confirmation time when half the grace is over", async () => {
    const isolate = openSessions({ offlineGraceSeconds: 900 });
    const { token } = await isolate.sessions.create({ userId: "ada" });
    isolate.platform.advance(449_000);
    expect(await isolate.present(token)).toMatchObject({ kind: "active", renewed: null });
    isolate.platform.advance(1000);
    const verdict = await isolate.present(token);
    const renewed = verdict.kind === "active" ? verdict.renewed : null;
    expect(renewed).toMatch(/^es1\./);
    expect(await isolate.present(String(renewed))).toMatchObject({
      kind: "active",
      renewed: null,
      claims: { confirmedAt: isolate.platform.now(), userId: "ada" },
    });
  });

  it("is over when Redis has lost its record", async () => {
    const isolate = openSessions();
    const { token, claims } = await isolate.sessions.create({ userId: "ada" });
    const batch = isolate.store.batch();
    void batch.queue((pipeline) => pipeline.del(isolate.keys.session(claims.id)));
    await batch.send();
    expect(await isolate.present(token)).toMatchObject({ kind: "over", because: "revoked" });
  });

  it("is over when its record names another user", async () => {
    const isolate = openSessions();
    const { token, claims } = await isolate.sessions.create({ userId: "ada" });
    const found = await isolate.sessions.get(claims.id);
    if (found.kind !== "found") throw new Error("it was just made");
    const batch = isolate.store.batch();
    const text = JSON.stringify({ ...found.record, user_id: "eve" });
    void batch.queue((pipeline) => pipeline.set(isolate.keys.session(claims.id), text, { px: 1000 }));
    await batch.send();
    expect(await isolate.present(token)).toMatchObject({ kind: "over" });
  });

  it("sends the consistency token of its creation within the sync window", async () => {
    const isolate = openSessions();
    const created = await isolate.sessions.create({ userId: "ada" });
    expect(created.claims.syncToken, "the endpoint returns one").toEqual(expect.any(String));
    const sent = () => isolate.wire.headers.at(-1)?.get("upstash-sync-token");
    await isolate.present(created.token);
    expect(sent()).toBe(created.claims.syncToken);
    isolate.platform.advance(MINUTE);
    await isolate.present(created.token);
    expect(sent()).not.toBe(created.claims.syncToken);
  });

  it("rotates to a new id; the old token is over at once in every isolate", async () => {
    const here = openSessions();
    const there = openSessions({ platform: here.platform, prefix: here.prefix });
    const { token } = await here.sessions.create({ userId: "ada", userData: { a: 1 } });
    const verdict = await here.present(token);
    if (verdict.kind !== "active") throw new Error("it was just made");
    const rotated = await here.sessions.rotate(verdict);
    expect(await there.present(token)).toMatchObject({ kind: "over" });
    expect(await there.present(String(rotated?.token))).toMatchObject({
      kind: "active",
      record: { user_data: { a: 1 } },
    });
    expect(await here.sessions.rotate(verdict), "it is over already").toBeNull();
  });

  it("counts a touch as activity, and does not touch an ended session", async () => {
    const isolate = openSessions();
    const { claims } = await isolate.sessions.create({ userId: "ada" });
    isolate.platform.advance(5000);
    expect(await isolate.sessions.touch(claims.id)).toBe(true);
    expect(await isolate.sessions.get(claims.id)).toMatchObject({
      record: { last_active: isoTime(isolate.platform.now()) },
    });
    await isolate.sessions.delete(claims.id);
    expect(await isolate.sessions.touch(claims.id)).toBe(false);
  });

  it("logs changes of sessions without their ids and tokens", async () => {
    const isolate = openSessions();
    const { token, claims } = await isolate.sessions.create({ userId: "ada@example.com" });
    await isolate.sessions.delete(claims.id);
    await isolate.sessions.service.revokeEveryone();
    expect(isolate.lines.map(({ event }) => event)).toEqual([
      "session.created",
      "session.revoked",
      "session.revoked_everyone",
    ]);
    for (const secret of [claims.id, token, "ada@example.com"])
      expect(JSON.stringify(isolate.lines)).not.toContain(secret);
  });
});

describe("sessions without any store", () => {
  it("are created, listed and ended in the isolate", async () => {
    const isolate = openSessions({ connection: null });
    const created = await isolate.sessions.create({ userId: "ada", userData: "x".repeat(10_000) });
    expect(created.durable, "no store is configured").toBe(true);
    expect(await isolate.present(created.token)).toMatchObject({ kind: "active", source: "memory" });
    expect(await isolate.sessions.service.list("ada")).toMatchObject({ records: [{}], complete: true });
    expect(await isolate.sessions.delete(created.claims.id)).toBe("done");
    expect(await isolate.present(created.token)).toMatchObject({ kind: "over", because: "revoked" });
  });

  it("are accepted by another isolate by their signature, and reach the idle limit there too", async () => {
    const here = openSessions({ connection: null, idleSeconds: 600 });
    const there = openSessions({ connection: null, idleSeconds: 600, platform: here.platform });
    const { token } = await here.sessions.create({ userId: "ada" });
    expect(await there.present(token)).toMatchObject({ kind: "active", source: "signature" });
    expect(await there.present(token), "it is known there now").toMatchObject({ source: "memory" });
    here.platform.advance(661_000);
    expect(await there.present(token)).toMatchObject({ kind: "over", because: "idle" });
  });

  it("stay valid while they are used, and their tokens are renewed", async () => {
    const isolate = openSessions({ connection: null, idleSeconds: 600 });
    let { token } = await isolate.sessions.create({ userId: "ada" });
    for (let i = 0; i < 10; i += 1) {
      isolate.platform.advance(400_000);
      const verdict = await isolate.present(token);
      expect(verdict.kind, `after ${(i + 1) * 400} s`).toBe("active");
      token = (verdict.kind === "active" && verdict.renewed) || token;
    }
  });
});
