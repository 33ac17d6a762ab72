import type { Identifier } from "../caller/index.ts";
import type { Config } from "../config/index.ts";
import type { Log } from "../observe/index.ts";
import type { Platform } from "../platform.ts";
import { BoundedMap, type Keys, type Store, StoreError, type Trip } from "../store/index.ts";
import type { NewSession } from "./keeper.ts";
import { LocalKeeper } from "./local-keeper.ts";
import type { SessionRecord } from "./record.ts";
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

/** What an outage's token may carry of user data, bytes of JSON. */
const OFFLINE_USER_DATA_BYTES = 2048;
const MOST_PENDING = 10_000;
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
  const pendingCreates = new BoundedMap<NewSession>({ platform, entries: MOST_PENDING, whenFull: "refuse" });
  const pendingEnds = new BoundedMap<(trip: Trip) => unknown>({
    platform,
    entries: MOST_PENDING,
    whenFull: "refuse",
  });

  store.onRecovery((trip) => {
    if (pendingCreates.size + pendingEnds.size === 0) return;
    log.info("session.replayed", { created: pendingCreates.size, ended: pendingEnds.size });
    for (const [, session] of pendingCreates) void keeper.queueCreate(trip, session);
    for (const [, end] of pendingEnds) void end(trip);
    pendingCreates.clear();
    pendingEnds.clear();
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

  function endLater(name: string, end: (trip: Trip) => unknown): Ended {
    if (!onRedis) return "done";
    pendingEnds.set(name, end, platform.now() + config.absoluteSeconds * 1000);
    return "pending";
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
    async remembered(claims: SessionClaims): Promise<{ record: SessionRecord; confirmedAt: number } | null> {
      const kept = await local.read(claims.id);
      if (kept) return { record: kept.record, confirmedAt: platform.now() };
      return seen.get(claims.id) ?? null;
    },

    /** @throws RangeError when the store is lost and the user data is too large for the token to carry. */
    create(session: NewSession): Promise<{ durable: boolean; syncToken: string | null }> {
      return attempt<{ durable: boolean; syncToken: string | null }>(
        async () => {
          await keeper.create(session);
          seen.set(session.record.session_id, { record: session.record, confirmedAt: platform.now() });
          return { durable: true, syncToken: keeper.syncToken };
        },
        async () => {
          if (onRedis && JSON.stringify(session.record.user_data).length > OFFLINE_USER_DATA_BYTES) {
            throw new RangeError("user_data");
          }
          await local.create(session);
          if (onRedis) pendingCreates.set(session.record.session_id, session, session.expiresAt);
          return { durable: !onRedis, syncToken: null };
        },
      );
    },

    /** Null when the old id was dead already. */
    async rotate(old: SessionClaims, session: NewSession): Promise<{ durable: boolean } | null> {
      const userHash = await identifier.hash("user", old.userId);
      return attempt<{ durable: boolean } | null>(
        async () => {
          if (!(await keeper.rotate(old.id, session))) return null;
          local.bury(old.id);
          return { durable: true };
        },
        async () => {
          if (local.buried(old.id, old.issuedAt)) return null;
          local.bury(old.id);
          await local.create(session);
          if (onRedis) {
            pendingCreates.delete(old.id);
            pendingCreates.set(session.record.session_id, session, session.expiresAt);
            endLater(`id:${old.id}`, (trip) => keeper.queueRevoke(trip, old.id, userHash));
          }
          return { durable: !onRedis };
        },
      );
    },

    /** A session by its id, for its user or a server. */
    read(id: string): Promise<Found> {
      return attempt<Found>(
        async () => {
          const kept = await keeper.read(id);
          return kept ? { kind: "found", record: kept.record } : { kind: "missing" };
        },
        async () => {
          if (local.buried(id, platform.now())) return { kind: "missing" };
          const record = (await local.read(id))?.record ?? seen.get(id)?.record;
          if (record) return { kind: "found", record };
          return { kind: onRedis ? "unknown" : "missing" };
        },
      );
    },

    async revoke(id: string, userId: string): Promise<Ended> {
      const userHash = await identifier.hash("user", userId);
      pendingCreates.delete(id);
      const here = await local.revoke(id);
      seen.delete(id);
      log.info("session.revoked", { session: await identifier.hash("session", id) });
      return attempt<Ended>(
        async () => ((await keeper.revoke(id, userHash)) || here ? "done" : "missing"),
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

    /** Ends all sessions of a user, but for one. In an outage those that this isolate knows, and the rest at replay. */
    async revokeAllOf(userId: string, exceptId: string | null): Promise<{ ended: Ended; count: number }> {
      const userHash = await identifier.hash("user", userId);
      for (const [id, { record }] of seen) {
        if (record.user_id === userId && id !== exceptId) local.bury(id);
      }
      for (const [id, session] of pendingCreates) {
        if (session.userHash === userHash && id !== exceptId) pendingCreates.delete(id);
      }
      const here = await local.revokeAllOf(userHash, exceptId);
      log.info("session.revoked_all", { user: userHash });
      return attempt<{ ended: Ended; count: number }>(
        async () => ({ ended: "done", count: Math.max(here, await keeper.revokeAllOf(userHash, exceptId)) }),
        async () => ({
          ended: endLater(`user:${userHash}`, (trip) => keeper.queueRevokeAllOf(trip, userHash, exceptId)),
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
