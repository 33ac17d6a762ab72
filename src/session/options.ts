import type { Config, DatabaseBinding } from "../config/config.ts";
import type { Events } from "../events/events.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";

/** Options of an isolate's sessions. */
export interface SessionsOptions {
  store: Store;
  keys: Keys;
  config: Config["session"];
  /** `false` stores sessions in the isolate only, or in `database`. Default true. */
  useRedis?: boolean;
  /** The D1 binding that has sessions too. Default none. */
  databaseBinding?: DatabaseBinding | null;
  /** Milliseconds that a call to the database may take. Default 400. */
  deadlineMs?: number;
  identifier: Pick<Identifier, "hash" | "sessionUser">;
  platform: Platform;
  events: Events;
  /** How long the isolate uses an earlier reply of Redis about a session, ms. Default 5000. */
  isolateMaxAgeMs?: number;
  /** Maximum number of sessions, and of pending writes of each kind, in the isolate. Default 10000. */
  entries?: number;
}
