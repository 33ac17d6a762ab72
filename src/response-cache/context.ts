import type { CacheRule } from "../config/route.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Store } from "../store/store.ts";
import type { Admission } from "./admission.ts";
import type { Entry } from "./entry.ts";
import type { EntryAddress, EntryStore, OtherVariant } from "./entry-store.ts";
import type { FailedFetches } from "./failed-fetches.ts";
import type { Gathering } from "./gathering.ts";
import type { InFlightFetches } from "./in-flight.ts";
import type { MemoryEntryStore } from "./memory-entry-store.ts";
import type { Requester } from "./rules/scope-table.ts";
import type { SelectingFields } from "./selecting-fields.ts";
import type { SharedWrites } from "./shared-writes.ts";
import type { VaryingRoutes } from "./varying-routes.ts";
import type { Withdrawals } from "./withdrawals.ts";

/** What the cache reads of a request. */
export type CacheRequest = Pick<
  EdgeRequest,
  "request" | "url" | "path" | "route" | "forwarded" | "cacheKey" | "requestId" | "after" | "waitUntil"
>;

/** What the cache of an isolate is made of. */
export interface CacheParts {
  memory: MemoryEntryStore;
  /** The store that all isolates share; where there is none, {@link memory}. */
  entries: EntryStore;
  store: Store;
  withdrawals: Withdrawals;
  /** Which entries are written to the store that all share. */
  admission: Admission;
  inFlight: InFlightFetches;
  failures: FailedFetches;
  /** What bodies take that are on their way into the cache. */
  gathering: Gathering;
  varyingRoutes: VaryingRoutes;
  /** What is written to {@link entries}. */
  writes: SharedWrites;
  platform: Platform;
  maxBodyBytes: number;
  /** `ORIGIN_DEADLINE_MS`: a body that is held has stalled after this many ms without a byte. */
  originDeadlineMs: number;
  /** Entries are stored and never served. */
  observe: boolean;
  /** Logs, once per isolate, that the shared store holds something else than an entry. */
  reportCorrupt(request: CacheRequest): void;
}

/** One request on its way into the cache: what it is looked up by. */
export interface CacheLookup {
  parts: CacheParts;
  request: CacheRequest;
  rule: CacheRule;
  address: EntryAddress;
  selecting: SelectingFields;
}

/** What was found for a request. */
export interface Found {
  entry: Entry | null;
  /** Variants of the URL that the isolate does not hold, with the entity tags by which the origin may name one. */
  others: readonly OtherVariant[];
  /** The URL is stored, but no variant for this request. */
  varyMiss: boolean;
  /** The shared store has nothing of the URL, not even an invalidation. */
  isNew: boolean;
}

/** A request that the origin may be asked before it is known what the shared store has. */
export interface EagerPlan {
  /** The client's fields, with the validators of what the isolate holds. */
  headers: Headers;
  /** The stale entry whose validators they are; null where they are none. */
  validated: Entry | null;
  /**
   * Notes the fetch as one that others may wait for.
   *
   * @param forMs The longest until it is known whether it is needed.
   * @returns the function to call then; null where another fetch for the same is under way.
   */
  begin(forMs: number): (() => void) | null;
}

/** One request at the cache, once it is known who asks. Its `entry` is one that may be served. */
export interface CacheContext extends CacheLookup, Found {
  requester: Requester;
  /** What the request selects, also where it may not be served: to another requester, or in observation. */
  selected: Entry | null;
  /** A soft purge made the entry stale then, ms since the epoch. */
  staleSince: number | null;
  /** By which the origin may have been asked already. Default it was not. */
  eager?: EagerPlan | null;
}
