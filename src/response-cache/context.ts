import type { CacheRule } from "../config/route.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Entry } from "./entry.ts";
import type { InFlightFetches } from "./in-flight.ts";
import type { MemoryEntryStore } from "./memory-entry-store.ts";
import type { PurgeStatus } from "./purge-log.ts";
import type { OtherVariant } from "./redis-entry-store.ts";
import type { Requester } from "./rules/scope-table.ts";
import type { SelectingFields } from "./selecting-fields.ts";

/** What the cache of an isolate is made of, as far as a request may use it. */
export interface CacheParts {
  memory: MemoryEntryStore;
  inFlight: InFlightFetches;
  platform: Platform;
  maxBodyBytes: number;
  /** Stored, never served. */
  observe: boolean;
  /** The key in Redis, or null where entries stay in the isolate. */
  redisKey: ((key: string) => string) | null;
  /** Fetches a variant by its name in Redis: null where it is gone, purged, or the store does not answer. */
  fetchVariant(context: CacheContext, name: string): Promise<Entry | null>;
  /** Makes what is stored for the request's URL invalid, in all isolates; `soft`: stale. */
  invalidate(context: CacheContext, soft: boolean): void;
  /** What purges and invalidations since have made of an entry. */
  purgeStatus(context: CacheContext, entry: Entry): PurgeStatus;
}

/** One request at the cache, with what was found for it. */
export interface CacheContext {
  parts: CacheParts;
  request: EdgeRequest;
  rule: CacheRule;
  requester: Requester;
  /** Hash of audience and URL: the entry's name in both tiers. */
  key: string;
  url: string;
  urlHash: string;
  /** The name of the hash in Redis that bears the URL's invalidatedAt. */
  invalidationKey: string;
  selecting: SelectingFields;
  /** What may be served to this request: none in observation, none that is for others. */
  entry: Entry | null;
  /** Variants of the URL that the isolate does not hold, with the entity tags by which the origin may name one. */
  others: readonly OtherVariant[];
  /** A soft purge made it stale then, ms since the epoch. */
  staleSince: number | null;
  /** The URL is stored, but no variant for this request. */
  varyMiss: boolean;
  /** Redis has nothing of the URL, not even a stamp. */
  isNew: boolean;
  /** Neither looked up nor stored, and why (RFC 9211 §2.2). */
  bypass: "bypass" | "method" | null;
}
