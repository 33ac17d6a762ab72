import { isSessionId, type SessionClaims } from "../identity/session-token.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import { MemorySessionStore, type SessionName, type Tombstone } from "./memory-session-store.ts";
import { refuseTooLarge } from "./offline-user-data.ts";
import type { SessionsOptions } from "./options.ts";
import { createPending } from "./pending.ts";
import { changedRecord, isoTime, type KeptSession } from "./record.ts";
import type { NewSession, SessionStore } from "./session-store.ts";
import { UpstashSessionStore } from "./upstash-session-store.ts";

export interface SessionServiceOptions extends SessionsOptions {
  /** Whether sessions are stored in Redis. */
  onRedis: boolean;
}

/**
 * The result of ending a session.
 *
 * - `done`: the end is stored.
 * - `pending`: the store is lost. The end takes effect in this isolate at once and is written when the store is back.
 * - `missing`: there was no such session.
 * - `unkept`: the store is lost and the list of pending writes is full, so the end is never written.
 */
export type Ended = "done" | "pending" | "missing" | "unkept";

/** The result of reading a session by its id. `unknown`: the store is lost and this isolate has no copy of the record. */
export type Found = ({ kind: "found" } & KeptSession) | { kind: "missing" } | { kind: "unknown" };

/** How a session was created. */
export interface Made {
  /** `false`: only this isolate and the token hold the session until the store is back. */
  durable: boolean;
  /** The creation time that counts, ms since the epoch. The token states the same. */
  createdAt: number;
  /** Upstash's consistency token of the write. */
  syncToken: string | null;
}

const MAX_SEEN = 10_000;
const SEEN_BYTES = 8 * 1024 * 1024;

export type SessionService = ReturnType<typeof createSessionService>;

/**
 * All changes to sessions. A change goes to Redis. On a StoreError it goes to the isolate's map and to the list of writes
 * that wait until Redis is back.
 */
export function createSessionService(options: SessionServiceOptions) {
  const { store, keys, config, onRedis, identifier, platform, events, entries } = options;
  const bound = entries === undefined ? {} : { entries };
  const local = new MemorySessionStore({ platform, ...config, ...bound });
  const sessionStore = new UpstashSessionStore({ store, keys, platform, ...config });
  const { absoluteSeconds } = config;
  const pending = createPending({ store, sessionStore, platform, events, absoluteSeconds, ...bound });
  const seen = new BoundedMap<KeptSession & { confirmedAt: number }>({
    platform,
    entries: MAX_SEEN,
    bytes: SEEN_BYTES,
    sizeOf: ({ text }, id) => 2 * text.length + id.length,
    whenFull: "evict",
  });

  /** Runs `remote`, and on a StoreError or without Redis `fallback`. */
  async function attempt<Reply>(
    remote: () => Promise<Reply>,
    fallback: () => Promise<Reply>,
  ): Promise<Reply> {
    if (!onRedis) return fallback();
    try {
      return await remote();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return fallback();
    }
  }

  /**
   * A tombstone's lifetime in this isolate.
   *
   * @param durable Redis has the end too. Then the tombstone is needed only until the grace of every isolate is over.
   */
  function forMs(durable: boolean): Pick<Tombstone, "forMs"> {
    return durable ? { forMs: (config.offlineGraceSeconds + 60) * 1000 } : {};
  }

  function forgetHere(id: string): void {
    pending.creates.delete(id);
    seen.delete(id);
  }

  /** The result of an end that this isolate accepted without Redis. @param kept Whether there was room for it. */
  function acceptedHere(kept: boolean, requestId: string | undefined): Ended {
    if (kept) return onRedis ? "pending" : "done";
    events.emit("session.end_not_kept", { request_id: requestId });
    return "unkept";
  }

  /** Ends the session that a new one replaces, after the new one exists. */
  async function endReplaced(
    replaced: SessionClaims,
    by: NewSession,
    durable: boolean,
    requestId: string | undefined,
  ): Promise<void> {
    const { id, issuedAt: createdAt } = replaced;
    const userHash = await identifier.hash("user", replaced.userId);
    forgetHere(id);
    const except = by.userHash === userHash ? { except: by.record.session_id } : {};
    const known = local.addTombstone(id, { userHash, createdAt, ...except, ...forMs(durable) });
    if (!durable) acceptedHere(onRedis ? pending.end(id, userHash) : known, requestId);
  }

  return {
    local,
    sessionStore,

    /** Number of entries in each of the isolate's maps. */
    get sizes() {
      return { ...local.sizes, seen: seen.size, pending: pending.size };
    },

    /** Remembers a record that Redis has just confirmed. */
    confirm(id: string, { record, text }: KeptSession): void {
      seen.set(id, { record, text, confirmedAt: platform.now() });
    },

    /** Whether Redis has confirmed the session in the last `ms` milliseconds. */
    confirmedWithin(id: string, ms: number): boolean {
      const sinceMs = platform.now() - (seen.get(id)?.confirmedAt ?? Number.NEGATIVE_INFINITY);
      // After the clock was set back, a confirmation from the future does not count.
      return sinceMs >= 0 && sinceMs <= ms;
    },

    /** Drops the remembered confirmation. */
    forget(id: string): void {
      seen.delete(id);
    },

    /**
     * Whether it was ended here by its id or with everyone's. Its user's mark is not looked at: that excepts one id, and another
     * isolate may have given that session a new one.
     */
    endedForAll: ({ id, issuedAt }: SessionClaims): boolean =>
      local.ended({ id, userHash: "", createdAt: issuedAt }),

    /** Whether it was ended here, whatever Redis has heard of that. */
    endedHere: (session: SessionName): boolean => local.hasTombstone(session.id) || pending.ended(session),

    /** Writes an end of this isolate to Redis, if Redis has not confirmed it and it does not wait in the pending writes. */
    async writeEndAgain(batch: Batch, id: string, userHash: string): Promise<void> {
      if (!onRedis || !local.notWritten(id) || pending.ends(id)) return;
      await sessionStore.queueRevoke(batch, id, userHash).then(
        () => void local.addTombstone(id, forMs(true)),
        () => {},
      );
    },

    /** The record that this isolate remembers, and when it was last confirmed, ms since the epoch. */
    async remembered(id: string): Promise<(KeptSession & { confirmedAt: number }) | null> {
      const kept = await local.read(id);
      if (kept) return { ...kept, confirmedAt: platform.now() };
      return seen.get(id) ?? null;
    },

    /**
     * Creates a session.
     *
     * @param replaced The session that the same client had before. It ends with the same call, and only if that call creates
     *   the new one.
     * @throws UserDataTooLarge when the store is lost and the token cannot carry the user data.
     */
    async create(session: NewSession, replaced?: SessionClaims, requestId?: string): Promise<Made> {
      const replacedHash = replaced ? await identifier.hash("user", replaced.userId) : null;
      return attempt<Made>(
        async () => {
          const batch = store.batch();
          const made = sessionStore.queueCreate(batch, session);
          const ended = replaced && sessionStore.queueRevoke(batch, replaced.id, replacedHash).then(yes, no);
          await batch.send();
          const createdAt = await made;
          const { record, text } = session;
          seen.set(record.session_id, { record, text, confirmedAt: platform.now() });
          if (replaced) await endReplaced(replaced, session, (await ended) === true, requestId);
          return { durable: true, createdAt, syncToken: batch.syncToken ?? null };
        },
        async () => {
          if (onRedis) refuseTooLarge(session);
          const createdAt = await local.create(session);
          if (onRedis) pending.create({ ...session, createdAt });
          if (replaced) await endReplaced(replaced, session, false, requestId);
          return { durable: !onRedis, createdAt, syncToken: null };
        },
      );
    },

    /**
     * Null when the old id was dead already; `unsure` where the store is lost and only it can say that it is not: an end that
     * Redis has and this isolate has not seen names the old id, and could not reach a new one.
     *
     * @param confirmed Redis has just vouched for the old one.
     * @throws UserDataTooLarge as {@link create}.
     */
    async rotate(
      old: SessionClaims,
      session: NewSession,
      confirmed: boolean,
      requestId?: string,
    ): Promise<Omit<Made, "createdAt"> | "unsure" | null> {
      return attempt<Omit<Made, "createdAt"> | "unsure" | null>(
        async () => {
          const batch = store.batch();
          const rotated = sessionStore.queueRotate(batch, old, session);
          await batch.send();
          if ((await rotated) === 0) return null;
          forgetHere(old.id);
          local.replace(old.id, session, forMs(true).forMs);
          return { durable: true, syncToken: batch.syncToken ?? null };
        },
        async () => {
          if (onRedis) refuseTooLarge(session);
          if (onRedis && !confirmed && !old.offline) return "unsure";
          // In an outage the signature has vouched for the old one already: it need not be in this isolate's map.
          if (!(await local.rotate({ id: old.id, offline: onRedis || old.offline }, session))) return null;
          forgetHere(old.id);
          if (onRedis) {
            pending.create(session);
            acceptedHere(pending.end(old.id, session.userHash), requestId);
          }
          return { durable: !onRedis, syncToken: null };
        },
      );
    },

    /** Reads a session by its id. The caller checks whose it is. A text that is no id names none: it may name another key. */
    async read(id: string): Promise<Found> {
      if (!isSessionId(id)) return { kind: "missing" };
      return attempt<Found>(
        async () => {
          const kept = await sessionStore.read(id);
          return kept ? { kind: "found", ...kept } : { kind: "missing" };
        },
        async () => {
          if (local.hasTombstone(id)) return { kind: "missing" };
          const kept = (await local.read(id)) ?? seen.get(id);
          if (kept) return { kind: "found", record: kept.record, text: kept.text };
          return { kind: onRedis ? "unknown" : "missing" };
        },
      );
    },

    /** Writes down activity now. @returns false when the session is gone or was changed meanwhile. */
    touch(id: string): Promise<boolean> {
      const over = async (sessionStore: SessionStore) => {
        const kept = isSessionId(id) ? await sessionStore.read(id) : null;
        if (!kept) return false;
        return sessionStore.touch(kept, changedRecord(kept, { last_active: isoTime(platform.now()) }));
      };
      return attempt(
        () => over(sessionStore),
        () => over(local),
      );
    },

    /** Ends a session. @param userId Its user, or null where the store is lost and this isolate does not know the user. */
    async revoke(id: string, userId: string | null, requestId?: string): Promise<Ended> {
      if (!isSessionId(id)) return "missing";
      const userHash = userId === null ? null : await identifier.hash("user", userId);
      const here = (await local.read(id)) !== null;
      // The end takes effect in this isolate at once, also when the call fails.
      forgetHere(id);
      local.addTombstone(id);
      const session = await identifier.hash("session", id);
      events.emit("session.revoked", { request_id: requestId, session });
      return attempt<Ended>(
        async () => {
          const there = await sessionStore.revoke(id, userHash);
          local.addTombstone(id, forMs(true));
          return there || here ? "done" : "missing";
        },
        async () => {
          const known = local.addTombstone(id, { userHash });
          if (onRedis) return acceptedHere(pending.end(id, userHash), requestId);
          return here || !known ? acceptedHere(known, requestId) : "missing";
        },
      );
    },

    /** The live sessions of a user. `complete` is false in an outage: other isolates may have more. */
    async list(userId: string): Promise<{ records: KeptSession[]; complete: boolean }> {
      const userHash = await identifier.hash("user", userId);
      return attempt(
        async () => ({ records: await sessionStore.list(userHash), complete: true }),
        async () => ({ records: await local.list(userHash), complete: !onRedis }),
      );
    },

    /** Ends all sessions of a user except one. `count` is how many existed, as far as known. */
    async revokeAllOf(
      userId: string,
      exceptId: string | null,
      requestId?: string,
    ): Promise<{ ended: Ended; count: number }> {
      const now = platform.now();
      const userHash = await identifier.hash("user", userId);
      for (const [id, { record }] of seen) {
        if (record.user_id !== userId || id === exceptId) continue;
        seen.delete(id);
        local.addTombstone(id);
      }
      for (const [id, session] of pending.creates) {
        if (session.userHash === userHash && id !== exceptId) pending.creates.delete(id);
      }
      const here = await local.revokeAllOf(userHash, exceptId, now);
      events.emit("session.revoked_all", { request_id: requestId, user: userHash });
      return attempt<{ ended: Ended; count: number }>(
        async () => ({
          ended: "done",
          count: Math.max(here, await sessionStore.revokeAllOf(userHash, exceptId, now)),
        }),
        async () => {
          const marked = local.ended({ id: "", userHash, createdAt: now });
          const kept = onRedis ? pending.endUser(userHash, exceptId, now) : marked;
          return { ended: acceptedHere(kept, requestId), count: here };
        },
      );
    },

    /** Ends all sessions of all users. */
    async revokeEveryone(requestId?: string): Promise<Ended> {
      const now = platform.now();
      await local.revokeEveryone(now);
      seen.clear();
      pending.creates.clear();
      events.emit("session.revoked_everyone", { request_id: requestId });
      return attempt<Ended>(
        async () => {
          await sessionStore.revokeEveryone(now);
          return "done";
        },
        async () => acceptedHere(!onRedis || pending.endEveryone(now), requestId),
      );
    },
  };
}

const yes = () => true;
/** The store counts the failure for the breaker. */
const no = () => false;
