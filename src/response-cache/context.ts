import type { CacheRule } from "../config/route.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Store } from "../store/store.ts";
import type { Entry } from "./entry.ts";
import type { EntryAddress, EntryStore, OtherVariant } from "./entry-store.ts";
import type { InFlightFetches } from "./in-flight.ts";
import type { MemoryEntryStore } from "./memory-entry-store.ts";
import type { Requester } from "./rules/scope-table.ts";
import type { SelectingFields } from "./selecting-fields.ts";
import type { Withdrawals } from "./withdrawals.ts";

/** What the cache reads of a request. */
export type CacheRequest = Pick<
  EdgeRequest,
  "request" | "url" | "route" | "requestId" | "after" | "waitUntil"
>;

/** What the cache of an isolate is made of. */
export interface CacheParts {
  memory: MemoryEntryStore;
  /** The store that all isolates share; where there is none, {@link memory}. */
  entries: EntryStore;
  store: Store;
  withdrawals: Withdrawals;
  inFlight: InFlightFetches;
  platform: Platform;
  maxBodyBytes: number;
  /** Entries are stored and never served. */
  observe: boolean;
  /** Logs, once per isolate, that the shared store holds something else than an entry. */
  reportCorrupt(context: CacheContext): void;
}

/** One request at the cache, with what was found for it. */
export interface CacheContext {
  parts: CacheParts;
  request: CacheRequest;
  rule: CacheRule;
  requester: Requester;
  address: EntryAddress;
  selecting: SelectingFields;
  /** What may be served to this request: none in observation, none that is for others. */
  entry: Entry | null;
  /** Variants of the URL that the isolate does not hold, with the entity tags by which the origin may name one. */
  others: readonly OtherVariant[];
  /** A soft purge made the entry stale then, ms since the epoch. */
  staleSince: number | null;
  /** The URL is stored, but no variant for this request. */
  varyMiss: boolean;
  /** The shared store has nothing of the URL, not even an invalidation. */
  isNew: boolean;
  /** Neither looked up nor stored, and why (RFC 9211 §2.2). */
  bypass: "bypass" | "method" | null;
}
