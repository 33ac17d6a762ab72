import { beforeEach, describe, expect, it } from "vitest";
import { rotatedId } from "../../../src/identity/session-id.ts";
import { JsonText } from "../../../src/runtime/json-text.ts";
import {
  changedRecord,
  isoTime,
  type KeptSession,
  newRecord,
  parseRecord,
} from "../../../src/session/record.ts";
import type { NewSession, SessionStore } from "../../../src/session/session-store.ts";
import { ODD_RECORDS, oddRecord } from "../../support/odd-records.ts";
import { type TestPlatform, testPlatform } from "../../support/platform.ts";

export interface SessionStoreLimits {
  platform: TestPlatform;
  idleSeconds: number;
  absoluteSeconds: number;
  maxPerUser: number;
}

/** The contract of every SessionStore. */
export function sessionStoreContract(
  name: string,
  openSessionStore: (limits: SessionStoreLimits) => SessionStore | Promise<SessionStore>,
): void {
  describe(name, () => {
    let platform: TestPlatform;
    let sessionStore: SessionStore;
    let count: number;
    beforeEach(async () => {
      platform = testPlatform({ fetch: (input, init) => fetch(input, init) });
      sessionStore = await openSessionStore({
        platform,
        idleSeconds: 86_400,
        absoluteSeconds: 2_592_000,
        maxPerUser: 3,
      });
      count = 0;
    });

    function session(userId = "u1", over: Partial<NewSession> = {}): NewSession {
      count += 1;
      const createdAt = over.createdAt ?? platform.now();
      const expiresAt = createdAt + 3_600_000;
      const fields = {
        session_id: `${userId}-session-${count}`,
        user_id: userId,
        user_data: new JsonText(`{"n":${count},"text":"π"}`),
        device_info: new JsonText("{}"),
        ip_address: null,
        created_at: isoTime(createdAt),
        last_active: isoTime(platform.now()),
        expires_at: isoTime(expiresAt),
        tier: null,
        unknown_to_the_edge: [1],
      };
      return { ...newRecord(fields), user: [userId], createdAt, expiresAt, ...over };
    }
    /** The same session under a new id. */
    function rotated({ record, createdAt }: NewSession): NewSession {
      const next = session("u1", { createdAt });
      const id = rotatedId(record.session_id, next.record.session_id);
      return { ...next, ...changedRecord(next, { session_id: id }) };
    }
    async function made(userId?: string, over?: Partial<NewSession>): Promise<NewSession> {
      const one = session(userId, over);
      await sessionStore.create(one);
      platform.advance(10);
      return one;
    }
    const idsOf = async (userId = "u1") =>
      (await sessionStore.list([userId])).map(({ record }) => record.session_id).sort();
    const idOf = (one: KeptSession) => one.record.session_id;

    it("reads the record that was written, unknown fields included", async () => {
      const one = await made();
      expect((await sessionStore.read(idOf(one)))?.record).toEqual(one.record);
      expect(await sessionStore.read("nobody")).toBeNull();
    });

    it("lists only the sessions of the user", async () => {
      const mine = [await made(), await made()];
      await made("u2");
      expect(await idsOf()).toEqual(mine.map(idOf).sort());
      expect(await idsOf("u3")).toEqual([]);
    });

    it("of sessions from one millisecond ends the one that every other store ends", async () => {
      for (const id of ["u1-c", "u1-a", "u1-b", "u1-d"]) {
        const one = session();
        await sessionStore.create({ ...one, ...changedRecord(one, { session_id: id }) });
      }
      expect(await idsOf()).toEqual(["u1-b", "u1-c", "u1-d"]);
    });

    it("ends the oldest beyond the maximum per user, and does not revive it", async () => {
      const [first, ...rest] = [await made(), await made(), await made(), await made()];
      expect(await idsOf()).toEqual(rest.map(idOf).sort());
      expect(await sessionStore.read(idOf(first))).toBeNull();
      expect(await sessionStore.adopt(first), "a late write does not revive it").toBe(false);
    });

    it("ends the session that was created first, whichever expires last", async () => {
      const long = await made("u1", { expiresAt: platform.now() + 86_400_000 });
      const short = [await made(), await made(), await made()];
      expect(await idsOf()).toEqual(short.map(idOf).sort());
      expect(await sessionStore.read(idOf(long))).toBeNull();
    });

    it("writes an update only over the text that it was made from", async () => {
      const one = await made();
      const kept = await sessionStore.read(idOf(one));
      if (!kept) throw new Error("it was just made");
      const updated = changedRecord(kept, { last_active: isoTime(platform.now() + 60_000) });
      expect(await sessionStore.touch(kept, updated, ["u1"])).toBe(true);
      expect((await sessionStore.read(idOf(one)))?.record.last_active).toBe(updated.record.last_active);
      expect(await sessionStore.touch(kept, kept, ["u1"]), "the text has changed since").toBe(false);
    });

    it("does not revive an ended session by an update", async () => {
      const one = await made();
      const kept = await sessionStore.read(idOf(one));
      if (!kept) throw new Error("it was just made");
      expect(await sessionStore.revoke(idOf(one), ["u1"])).toBe(true);
      expect(await sessionStore.touch(kept, kept, ["u1"])).toBe(false);
      expect(await sessionStore.read(idOf(one))).toBeNull();
      expect(await idsOf()).toEqual([]);
    });

    it("ends a session once", async () => {
      const one = await made();
      expect(await sessionStore.revoke(idOf(one), ["u1"])).toBe(true);
      expect(await sessionStore.revoke(idOf(one), ["u1"])).toBe(false);
      expect(await sessionStore.revoke("nobody", null)).toBe(false);
    });

    it("ends a session whose user is unknown", async () => {
      const one = await made();
      expect(await sessionStore.revoke(idOf(one), null)).toBe(true);
      expect(await idsOf()).toEqual([]);
    });

    it("does not revive an ended session by a late write", async () => {
      const one = session();
      await sessionStore.revoke(idOf(one), ["u1"]);
      expect(await sessionStore.adopt(one)).toBe(false);
      expect(await sessionStore.read(idOf(one))).toBeNull();
    });

    it("writes a session of an outage once, and does not undo later changes", async () => {
      const one = session();
      expect(await sessionStore.adopt(one)).toBe(true);
      const kept = await sessionStore.read(idOf(one));
      if (!kept) throw new Error("it was just adopted");
      const last_active = isoTime(platform.now() + 5);
      await sessionStore.touch(kept, changedRecord(kept, { last_active }), ["u1"]);
      expect(await sessionStore.adopt(one)).toBe(true);
      expect((await sessionStore.read(idOf(one)))?.record.last_active).toBe(last_active);
    });

    it("rotates to a new id: the old one is over at once, and only one of two rotations succeeds", async () => {
      const old = await made();
      const next = session("u1", { createdAt: old.createdAt });
      const rival = session("u1", { createdAt: old.createdAt });
      expect(await sessionStore.rotate({ id: idOf(old), offline: false }, next)).toBe(true);
      expect(await sessionStore.rotate({ id: idOf(old), offline: false }, rival)).toBe(false);
      expect(await sessionStore.read(idOf(old))).toBeNull();
      expect(await idsOf()).toEqual([idOf(next)]);
      expect(await sessionStore.adopt(old), "a late write does not revive it").toBe(false);
    });

    it("rotates a session of an outage that was never written, once", async () => {
      const old = session();
      const next = session("u1", { createdAt: old.createdAt });
      expect(await sessionStore.rotate({ id: idOf(old), offline: true }, next)).toBe(true);
      expect(await sessionStore.rotate({ id: idOf(old), offline: true }, session())).toBe(false);
      expect(await idsOf()).toEqual([idOf(next)]);
    });

    it("ends all sessions of a user except one, also those that are written late", async () => {
      const [except, other, late] = [await made(), await made(), session()];
      const strange = await made("u2");
      const ended = await sessionStore.revokeAllOf(["u1"], idOf(except), platform.now());
      expect(ended.map(idOf)).toEqual([idOf(other)]);
      expect(await idsOf()).toEqual([idOf(except)]);
      expect(await sessionStore.read(idOf(other))).toBeNull();
      expect(await sessionStore.adopt(late)).toBe(false);
      expect(await sessionStore.adopt(except)).toBe(true);
      expect(await sessionStore.read(idOf(strange))).not.toBeNull();
    });

    it("excepts it under each new id, where it was excepted when all others were ended", async () => {
      const except = await made();
      await sessionStore.revokeAllOf(["u1"], idOf(except), platform.now());
      const [next, last] = [rotated(except), rotated(except)];
      expect(await sessionStore.rotate({ id: idOf(except), offline: false }, next)).toBe(true);
      expect((await sessionStore.read(idOf(next)))?.record, "it is valid").toEqual(next.record);
      expect(await sessionStore.rotate({ id: idOf(next), offline: false }, last)).toBe(true);
      expect(await idsOf()).toEqual([idOf(last)]);
    });

    it("does not replace a newer revocation by an older one", async () => {
      const late = session("u1", { createdAt: platform.now() + 500 });
      const other = session("u2", { createdAt: platform.now() + 500 });
      await sessionStore.revokeEveryone(platform.now() + 1000);
      await sessionStore.revokeEveryone(platform.now());
      expect(await sessionStore.adopt(late), "of everyone").toBe(false);
      await sessionStore.revokeAllOf(["u2"], null, platform.now() + 1000);
      await sessionStore.revokeAllOf(["u2"], null, platform.now());
      expect(await sessionStore.adopt(other), "of one user").toBe(false);
    });

    it("creates a valid session right after a revocation of all, whatever the clocks show", async () => {
      const now = platform.now();
      await sessionStore.revokeAllOf(["u1"], null, now);
      const behind = session("u1", { createdAt: now - 500 });
      expect(await sessionStore.create(behind), "it counts as created after the revocation").toBe(now + 1);
      expect(await sessionStore.read(idOf(behind))).not.toBeNull();
    });

    it("ends everyone's sessions: those written late by their own time, and none that is created now", async () => {
      const [late, now] = [session(), platform.now()];
      await sessionStore.revokeEveryone(now);
      expect(await sessionStore.adopt(late)).toBe(false);
      const next = session("u1", { createdAt: now });
      expect(await sessionStore.create(next)).toBe(now + 1);
      platform.advance(1);
      expect(await sessionStore.adopt(session())).toBe(true);
    });

    describe.each(ODD_RECORDS)("keeps a record with %s as it is written", (name) => {
      const times = () => {
        const createdAt = platform.now();
        return { id: "odd-1", userId: "u1", createdAt, expiresAt: createdAt + 3_600_000 };
      };
      function odd(activeAt: number, over: Partial<ReturnType<typeof times>> = {}): NewSession {
        const record = { ...times(), ...over };
        const kept = parseRecord(oddRecord(name, record, activeAt));
        if (!kept) throw new Error("it is a record");
        return { ...kept, user: ["u1"], createdAt: record.createdAt, expiresAt: record.expiresAt };
      }
      const textsOf = async () => (await sessionStore.list(["u1"])).map(({ text }) => text);

      it("by creation, touch and listing", async () => {
        const [one, later] = [odd(platform.now()), platform.now() + 60_000];
        await sessionStore.create(one);
        const kept = await sessionStore.read("odd-1");
        expect(kept?.text).toBe(one.text);
        if (!kept) return;
        expect(
          await sessionStore.touch(kept, changedRecord(kept, { last_active: isoTime(later) }), ["u1"]),
        ).toBe(true);
        expect((await sessionStore.read("odd-1"))?.text).toBe(odd(later).text);
        expect(await textsOf()).toEqual([odd(later).text]);
      });

      it("by rotation, also of a session that is written late", async () => {
        const [one, later] = [odd(platform.now()), platform.now() + 1000];
        expect(await sessionStore.adopt(one)).toBe(true);
        const next = changedRecord(one, { session_id: "odd-2", last_active: isoTime(later) });
        expect(await sessionStore.rotate({ id: "odd-1", offline: false }, { ...one, ...next })).toBe(true);
        expect(await textsOf()).toEqual([odd(later, { id: "odd-2" }).text]);
        expect((await sessionStore.read("odd-2"))?.record).toEqual(next.record);
      });
    });
  });
}
