import { describe, expect, it } from "vitest";
import { isoTime, timeOf } from "../../../src/session/record.ts";
import { openSessions } from "../../support/sessions.ts";

/** Situations that users of other session libraries have reported, each with its report. */

async function stored({ store, keys }: ReturnType<typeof openSessions>, id: string) {
  const batch = store.batch();
  const text = batch.read(keys.session(id));
  const left = batch.queue((pipeline) => pipeline.pttl(keys.session(id)));
  await batch.send();
  return { text: await text, left: Number(await left) };
}

async function overwrite({ store, keys }: ReturnType<typeof openSessions>, id: string, text: string) {
  const batch = store.batch();
  void batch.queue((pipeline) => pipeline.set(keys.session(id), text, { px: 90_000_000 }));
  await batch.send();
}

describe("a slow request", () => {
  // django/django#5950, valery-barysok/session-file-store#55.
  it.each(["here", "in another isolate"])(
    "does not revive a session that ended %s meanwhile",
    async (where) => {
      const slow = openSessions();
      const { platform, prefix } = slow;
      const other = where === "here" ? slow : openSessions({ platform, prefix });
      const { token, claims } = await slow.sessions.create({ userId: "ada" });
      platform.advance(61_000);
      const verdict = await slow.present(token);
      expect(verdict.kind).toBe("active");
      expect(await other.sessions.delete(claims.id)).toBe("done");
      await verdict.settle();
      expect((await stored(slow, claims.id)).text).toBeNull();
      expect(await openSessions({ platform, prefix }).present(token)).toMatchObject({ kind: "over" });
    },
  );

  // valery-barysok/session-file-store#55, expressjs/session#361.
  it("does not undo what another program has written into the record meanwhile", async () => {
    const isolate = openSessions();
    const { token, claims } = await isolate.sessions.create({ userId: "ada", userData: { cart: 1 } });
    isolate.platform.advance(61_000);
    const verdict = await isolate.present(token);
    const edited = String((await stored(isolate, claims.id)).text).replace('{"cart":1}', '{"cart":2.0}');
    await overwrite(isolate, claims.id, edited);
    await verdict.settle();
    expect((await stored(isolate, claims.id)).text).toBe(edited);
  });

  // expressjs/session#935.
  it.each<[string, (text: string) => string]>([
    ["edited", (text) => text.replace('{"cart":1}', '{"cart":2.0}')],
    ["extended", (text) => text.replace("{", '{ "mfa": 12345678901234567890,')],
    ["touched", (text) => text.replace(/("last_active":"2026-01-15T12:0)0/, "$11")],
  ])("rotates the record as it is by then: %s", async (_, edit) => {
    const isolate = openSessions();
    const { token, claims } = await isolate.sessions.create({ userId: "ada", userData: { cart: 1 } });
    const verdict = await isolate.present(token);
    const edited = edit(String((await stored(isolate, claims.id)).text));
    await overwrite(isolate, claims.id, edited);
    const rotated = verdict.kind === "active" ? await isolate.sessions.rotate(verdict) : null;
    const id = String(rotated?.claims.id);
    expect((await stored(isolate, id)).text).toBe(edited.replace(claims.id, id));
    expect(await isolate.present(String(rotated?.token))).toMatchObject({ kind: "active" });
  });

  // yourlabs/django-session-security#1.
  it("does not set back the activity of a later one, so that the session ends early", async () => {
    const isolate = openSessions({ idleSeconds: 600 });
    const { token, claims } = await isolate.sessions.create({ userId: "ada" });
    isolate.platform.advance(100_000);
    const slow = await isolate.present(token);
    isolate.platform.advance(100_000);
    const later = await isolate.present(token);
    await later.settle();
    const at = isoTime(isolate.platform.now());
    await slow.settle();
    expect(await isolate.sessions.get(claims.id)).toMatchObject({ record: { last_active: at } });
  });
});

describe("the stored lifetime", () => {
  // tj/connect-redis#144, expressjs/session#357.
  it("grows with activity, so that who goes on working stays signed in", async () => {
    const isolate = openSessions({ idleSeconds: 240 });
    const { token, claims } = await isolate.sessions.create({ userId: "ada" });
    for (let i = 0; i < 20; i += 1) {
      isolate.platform.advance(200_000);
      const verdict = await isolate.present(token);
      expect(verdict.kind, `after ${i * 200} s`).toBe("active");
      await verdict.settle();
      // 240 s and the interval of 60 s.
      expect(Math.abs((await stored(isolate, claims.id)).left - 300_000)).toBeLessThan(5000);
    }
  });

  // tj/connect-redis#251, tj/connect-redis#259: it outlives the session's end, or the store refuses it.
  it("never outlives the session's absolute end", async () => {
    const isolate = openSessions({ idleSeconds: 86_400 });
    const { token, claims, record } = await isolate.sessions.create({ userId: "ada", ttlSeconds: 7200 });
    isolate.platform.advance(7_195_000);
    const verdict = await isolate.present(token);
    await verdict.settle();
    const { text, left } = await stored(isolate, claims.id);
    expect(left).toBeLessThanOrEqual(5000);
    expect(text === null || text.includes(record.expires_at)).toBe(true);
    isolate.platform.advance(5000);
    expect(timeOf(record.expires_at)).toBe(isolate.platform.now());
    expect(await isolate.present(token)).toMatchObject({ kind: "over" });
  });
});

describe("user data that is no JSON", () => {
  // fastify/fastify-secure-session#278.
  it.each(["stored", "lost"])(
    "are an error before anything is written: a bigint, the store %s",
    async (how) => {
      const isolate = openSessions();
      if (how === "lost") await isolate.lose();
      await expect(isolate.sessions.create({ userId: "ada", userData: { id: 1n } })).rejects.toThrow(
        "sessions.create: userData",
      );
      expect((await isolate.sessions.service.list("ada")).records).toEqual([]);
    },
  );
});
