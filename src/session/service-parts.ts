import type { Config } from "../config/config.ts";
import type { Events } from "../events/events.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import type { Platform } from "../runtime/platform.ts";
import { StoreError } from "../store/errors.ts";
import type { Store } from "../store/store.ts";
import { type Confirmations, createConfirmations } from "./confirmations.ts";
import type { D1SessionStore } from "./d1-session-store.ts";
import type { SessionEnding } from "./handler-sessions.ts";
import { MemorySessionStore, type Tombstone } from "./memory-session-store.ts";
import type { SessionsOptions } from "./options.ts";
import { createPending, type PendingSessions } from "./pending.ts";
import type { SessionDatabase } from "./session-database.ts";
import { UpstashSessionStore } from "./upstash-session-store.ts";

export interface SessionServiceOptions extends SessionsOptions {
  /** Whether sessions are stored in Redis. */
  onRedis: boolean;
  /** The database that has sessions beside Redis, or in its place; null: none is configured. */
  database: SessionDatabase | null;
  /** Compares Redis with the database now, and carries into it what it lacks. */
  compare(): Promise<void>;
}

/** What the operations of the session service share. */
export interface ServiceParts {
  store: Store;
  config: Config["session"];
  onRedis: boolean;
  identifier: Pick<Identifier, "hash" | "sessionUser">;
  platform: Platform;
  events: Events;
  /** Sessions of an outage, and this isolate's own ends. */
  local: MemorySessionStore;
  sessionStore: UpstashSessionStore;
  pending: PendingSessions;
  seen: Confirmations;
  database: SessionDatabase | null;
  /** Whether other isolates find what this one stores: in Redis or in the database. */
  shared: boolean;
  /** Runs the first of these that is configured and does not fail with a StoreError. */
  attempt<Reply>(places: Attempt<Reply>): Promise<Reply>;
  /**
   * A tombstone's lifetime in this isolate.
   *
   * @param durable Redis has the end too. Then the tombstone is needed only until the grace of every isolate is over.
   */
  forMs(durable: boolean): Pick<Tombstone, "forMs">;
  /** Drops what this isolate remembers of a session that lives, and its pending write. */
  forgetHere(id: string): void;
  /** The result of an end that only this isolate accepted. @param kept Whether there was room for it. */
  acceptedHere(kept: boolean, requestId: string | undefined): SessionEnding;
}

/** One operation in each place where sessions are stored. */
export interface Attempt<Reply> {
  redis(): Promise<Reply>;
  database(sessionStore: D1SessionStore): Promise<Reply>;
  here(): Promise<Reply>;
}

export function createServiceParts(options: SessionServiceOptions): ServiceParts {
  const { store, keys, config, onRedis, database, identifier, platform, events, entries } = options;
  const shared = onRedis || database !== null;
  const bound = entries === undefined ? {} : { entries };
  const local = new MemorySessionStore({ platform, ...config, ...bound });
  const sessionStore = new UpstashSessionStore({
    ...{ store, keys, platform },
    ...config,
    // Redis alone knows which of them the database has not heard of.
    endedOldest: (ids) => void database?.outbox.put(...ids.map((id) => ({ kind: "end", id }) as const)),
  });
  const { absoluteSeconds } = config;
  const pending = createPending({ store, sessionStore, platform, events, absoluteSeconds, ...bound });
  const seen = createConfirmations(platform);

  return {
    store,
    config,
    onRedis,
    identifier,
    platform,
    events,
    local,
    sessionStore,
    pending,
    seen,
    database,
    shared,

    async attempt({ redis, database: inDatabase, here }) {
      database?.copy.use();
      const places = onRedis ? [redis] : [];
      if (database) places.push(() => inDatabase(database.sessionStore));
      // A request has just given up on Redis: asked once more, that may take as long as any call.
      if (onRedis && database && store.silent) {
        places.reverse();
        database.copy.doubt();
      }
      for (const place of places) {
        try {
          return await place();
        } catch (error) {
          if (!(error instanceof StoreError)) throw error;
          if (place === redis) database?.copy.doubt();
        }
      }
      return here();
    },

    forMs: (durable) => (durable ? { forMs: (config.offlineGraceSeconds + 60) * 1000 } : {}),

    forgetHere(id) {
      const { rotatedFrom, user } = pending.creates.get(id) ?? {};
      pending.creates.delete(id);
      // What would have ended the id before is gone now.
      if (rotatedFrom !== undefined) pending.end(rotatedFrom, user ?? null);
      seen.delete(id);
    },

    acceptedHere(kept, requestId) {
      if (kept) return shared ? "pending" : "done";
      events.emit("session.end_not_kept", { request_id: requestId });
      return "unkept";
    },
  };
}
