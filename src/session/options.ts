import type { Config } from "../config/config.ts";
import type { Events } from "../events/events.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";

/** What the sessions of an isolate need. */
export interface SessionsOptions {
  store: Store;
  keys: Keys;
  config: Config["session"];
  /** false keeps sessions in the isolate. Default true. */
  useRedis?: boolean;
  identifier: Pick<Identifier, "hash">;
  platform: Platform;
  events: Events;
  /** How long the isolate goes by what Redis said of a session, ms. Default 5000. */
  isolateMaxAgeMs?: number;
  /** Most sessions, and most pending writes of each kind, in the isolate. Default 10000. */
  entries?: number;
}
