import type { Identifier } from "../caller/index.ts";
import type { Config } from "../config/index.ts";
import type { Log } from "../observe/index.ts";
import type { Platform } from "../platform.ts";
import { BoundedMap, type Keys, Outbox, type Store, StoreError, type Trip } from "../store/index.ts";
import type { NewSession, SessionKeeper } from "./keeper.ts";
import { LocalKeeper } from "./local-keeper.ts";
import { type SessionRecord, userDataTooLarge } from "./record.ts";
import type { SessionClaims } from "./token.ts";
import { UpstashKeeper } from "./upstash-keeper.ts";

export interface LedgerOptions {
  store: Store;
  keys: Keys;
  config: Config["session"];
  onRedis: boolean;
  identifier: Pick<Identifier, "hash">;
  platform: Platform;
  log: Log;
}

/** How an end was taken: written; only known here until the store is back; or there was nothing to end. */
export type Ended = "done" | "pending" | "missing";

/** What is known of a session by its id. `unknown`: the store is lost and this isolate has not seen it. */
export type Found = { kind: "found"; record: SessionRecord } | { kind: "missing" } | { kind: "unknown" };

/** How a session was made. */
export interface Made {
  /** false: kept in this isolate, and in the token, until the store is back. */
  durable: boolean;
  /** When it counts as made, ms: what its token must say. */
  createdAt: number;
  /** Upstash's consistency token of the write. */
  syncToken: string | null;
}

/** What an outage's token may carry of user data, bytes of JSON. */
const OFFLINE_USER_DATA_BYTES = 2048;
const MOST_PENDING = 10_000;
const PENDING_BYTES = 8 * 1024 * 1024;
const MOST_SEEN = 10_000;
const SEEN_BYTES = 8 * 1024 * 1024;

export type SessionLedger = ReturnType<typeof createLedger>;

/**
 * Every change to a session goes through here: to Redis, and where that fails to the isolate's map and a list of what must
 * be written when Redis is back.
 */
export function createLedger({ store, keys, config, onRedis, identifier, platform, log }: LedgerOptions) {
  const local = new LocalKeeper({ platform, ...config });
  const keeper = new UpstashKeeper({ store, keys, platform, ...config });
  const seen = new BoundedMap<{ record: SessionRecord; confirmedAt: number }>({
    platform,
    entries: MOST_SEEN,
    bytes: SEEN_BYTES,
    sizeOf: ({ record }, id) => JSON.stringify(record).length + id.length,
    whenFull: "evict",
  });
  // What does not fit is no loss yet: the token of a session tells of it to whoever sees it.
  const pendingCreates = new Outbox<NewSession>({
    platform,
    entries: MOST_PENDING,
    bytes: PENDING_BYTES,
    sizeOf: ({ record }) => JSON.stringify(record).length + 512,
    write: (trip, session) => keeper.queueAdopt(trip, session),
  });
  const pendingEnds = new Outbox<(trip: Trip) => Promise<unknown>>({
    platform,
    entries: MOST_PENDING,
    write: (trip, end) => end(trip),
  });

  store.onRecovery(async (trip) => {
    const [created, ended] = [pendingCreates.size, pendingEnds.size];
    if (created + ended === 0) return false;
    const more = await Promise.all([pendingCreates.replay(trip), pendingEnds.replay(trip)]);
    log.info("session.replayed", {
      created: created - pendingCreates.size,
      ended: ended - pendingEnds.size,
      left: pendingCreates.size + pendingEnds.size,
    });
    return more.includes(true);
  });

  /** Runs `remote`; on an outage, or without Redis, `fallback`. */
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

  function endLater(name: string, end: (trip: Trip) => Promise<unknown>): Ended {
    if (!onRedis) return "done";
    store.owe();
    pendingEnds.put(name, end, platform.now() + config.absoluteSeconds * 1000);
    return "pending";
  }

  /** Kept here until the store is back. */
  function writeLater(session: NewSession): void {
    if (!onRedis) return;
    store.owe();
    pendingCreates.put(session.record.session_id, session, session.expiresAt);
  }

  /** @param durable Redis knows too: then a tombstone matters here only until nobody takes the token's word any more. */
  function endHere(id: string, durable = false): void {
    pendingCreates.delete(id);
    seen.delete(id);
    local.bury(id, durable ? (config.offlineGraceSeconds + 60) * 1000 : undefined);
  }

  return {
    local,
    keeper,

    /** Entries in the isolate's maps. */
    get sizes() {
      return { ...local.sizes, seen: seen.size, pending: pendingCreates.size + pendingEnds.size };
    },

    /** Redis has just vouched for it. */
    confirm(id: string, record: SessionRecord): void {
      seen.set(id, { record, confirmedAt: platform.now() });
    },

    forget(id: string): void {
      seen.delete(id);
    },

    /** What this isolate knows of a session without asking. */
    async remembered(id: string): Promise<{ record: SessionRecord; confirmedAt: number } | null> {
      const kept = await local.read(id);
      if (kept) return { record: kept.record, confirmedAt: platform.now() };
      return seen.get(id) ?? null;
    },

    /**
     * @param replaced The session that the same browser had before: it ends with the same call.
     * @throws UserDataTooLarge when the store is lost and the token cannot carry the user data.
     */
    async create(session: NewSession, replaced?: SessionClaims): Promise<Made> {
      const id = session.record.session_id;
      const replacedHash = replaced ? await identifier.hash("user", replaced.userId) : null;
      if (replaced) endHere(replaced.id);
      return attempt<Made>(
        async () => {
          const trip = store.trip();
          const made = keeper.queueCreate(trip, session);
          if (replaced) void keeper.queueRevoke(trip, replaced.id, replacedHash).catch(ignore);
          await trip.send();
          const createdAt = await made;
          seen.set(id, { record: session.record, confirmedAt: platform.now() });
          if (replaced) endHere(replaced.id, true);
          return { durable: true, createdAt, syncToken: trip.syncToken ?? null };
        },
        async () => {
          if (onRedis) refuseTooLarge(session.record.user_data);
          const createdAt = await local.create(session);
          writeLater({ ...session, createdAt });
          if (replaced)
            endLater(`id:${replaced.id}`, (trip) => keeper.queueRevoke(trip, replaced.id, replacedHash));
          return { durable: !onRedis, createdAt, syncToken: null };
        },
      );
    },

    /** Null when the old id was dead already. @throws UserDataTooLarge as {@link create}. */
    async rotate(old: SessionClaims, session: NewSession): Promise<{ durable: boolean } | null> {
      const { userHash } = session;
      const rotated = await attempt<{ durable: boolean } | null>(
        async () => ((await keeper.rotate(old, session)) ? { durable: true } : null),
        async () => {
          if (onRedis) refuseTooLarge(session.record.user_data);
          // In an outage the signature has vouched for the old one already: it need not be in this isolate's map.
          if (!(await local.rotate({ id: old.id, offline: onRedis || old.offline }, session))) return null;
          writeLater(session);
          endLater(`id:${old.id}`, (trip) => keeper.queueRevoke(trip, old.id, userHash));
          return { durable: !onRedis };
        },
      );
      if (rotated) endHere(old.id, rotated.durable);
      return rotated;
    },

    /** A session by its id, for its user or a server. */
    read(id: string): Promise<Found> {
      return attempt<Found>(
        async () => {
          const kept = await keeper.read(id);
          return kept ? { kind: "found", record: kept.record } : { kind: "missing" };
        },
        async () => {
          if (local.buried(id)) return { kind: "missing" };
          const record = (await local.read(id))?.record ?? seen.get(id)?.record;
          if (record) return { kind: "found", record };
          return { kind: onRedis ? "unknown" : "missing" };
        },
      );
    },

    touch(record: SessionRecord, updated: SessionRecord): Promise<boolean> {
      const id = record.session_id;
      const over = async (keeper: SessionKeeper) => {
        const kept = await keeper.read(id);
        return kept !== null && keeper.touch(kept, updated);
      };
      return attempt(
        () => over(keeper),
        () => over(local),
      );
    },

    /** @param userId Whose it is; null where the store is lost and nobody here knows. */
    async revoke(id: string, userId: string | null): Promise<Ended> {
      const userHash = userId === null ? null : await identifier.hash("user", userId);
      const here = await local.revoke(id);
      endHere(id);
      log.info("session.revoked", { session: await identifier.hash("session", id) });
      return attempt<Ended>(
        async () => {
          const there = await keeper.revoke(id, userHash);
          endHere(id, true);
          return there || here ? "done" : "missing";
        },
        async () => {
          if (!onRedis) return here ? "done" : "missing";
          return endLater(`id:${id}`, (trip) => keeper.queueRevoke(trip, id, userHash));
        },
      );
    },

    async list(userId: string): Promise<{ records: SessionRecord[]; complete: boolean }> {
      const userHash = await identifier.hash("user", userId);
      return attempt(
        async () => ({ records: await keeper.list(userHash), complete: true }),
        async () => ({ records: await local.list(userHash), complete: !onRedis }),
      );
    },

    /** Ends all sessions of a user, but for one. */
    async revokeAllOf(userId: string, exceptId: string | null): Promise<{ ended: Ended; count: number }> {
      const now = platform.now();
      const userHash = await identifier.hash("user", userId);
      for (const [id, { record }] of seen) {
        if (record.user_id === userId && id !== exceptId) endHere(id);
      }
      for (const [id, session] of pendingCreates) {
        if (session.userHash === userHash && id !== exceptId) pendingCreates.delete(id);
      }
      const here = await local.revokeAllOf(userHash, exceptId, now);
      log.info("session.revoked_all", { user: userHash });
      return attempt<{ ended: Ended; count: number }>(
        async () => ({
          ended: "done",
          count: Math.max(here, await keeper.revokeAllOf(userHash, exceptId, now)),
        }),
        async () => ({
          ended: endLater(`user:${userHash}`, (trip) =>
            keeper.queueRevokeAllOf(trip, userHash, exceptId, now),
          ),
          count: here,
        }),
      );
    },

    async revokeEveryone(): Promise<Ended> {
      const now = platform.now();
      await local.revokeEveryone(now);
      seen.clear();
      pendingCreates.clear();
      log.warn("session.revoked_everyone", {});
      return attempt<Ended>(
        async () => {
          await keeper.revokeEveryone(now);
          return "done";
        },
        async () => endLater("everyone", (trip) => keeper.queueRevokeEveryone(trip, now)),
      );
    },
  };
}

/** While the store is lost only the token carries a session's data to other isolates, and a cookie ends at 4096 bytes. */
export class UserDataTooLarge extends Error {
  readonly code = "USER_DATA_TOO_LARGE_OFFLINE";
}

function refuseTooLarge(userData: unknown): void {
  if (userDataTooLarge(userData, OFFLINE_USER_DATA_BYTES)) {
    throw new UserDataTooLarge("An offline token carries 2 KiB of user data at most");
  }
}

/** The breaker has heard of it. */
function ignore(): void {}
