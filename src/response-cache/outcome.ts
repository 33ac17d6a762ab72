import type { OriginFetch, OriginReply } from "../request/origin-reply.ts";
import { type CacheStatus, cacheStatus } from "./rules/cache-status.ts";

/** What the cache did, in one word: `X-Cache`, the log, the report of warming. */
export type CacheWord = "HIT" | "STALE" | "REVALIDATED" | "MISS" | "BYPASS";

/** What the cache did with a request, as data. {@link setCacheFields} writes it. */
export interface CacheOutcome {
  word: CacheWord;
  /** The edge's member of `Cache-Status` (RFC 9211). */
  status: CacheStatus;
  /** `Cache-Status` as the origin sent it, with this answer or with the stored one; null where it sent none. */
  upstream: string | null;
  /** Bytes of the body that came from the cache. Default none did. */
  savedBytes?: number;
}

/** An answer, and what the cache did for it: null where no cache took part, or the answer is a failure. */
export interface CacheReply {
  reply: OriginReply;
  cache: CacheOutcome | null;
}

/** Answers one request from what is stored, or asks the origin and stores what may be stored. */
export interface CacheHandler {
  /** @throws Problem 504 where the request wants a stored answer only and there is none (RFC 9111 §5.2.1.7). */
  respond(origin: OriginFetch): Promise<CacheReply>;
  /** What answers further requests for the same. Absent where nothing is looked up. */
  repeated?(): RepeatedHit;
}

/** Answers each GET that asks for the same as an earlier one, and sets no condition on the answer. */
export interface RepeatedHit {
  /**
   * @returns null where the isolate cannot answer alone, or something else is to be done for the request beside answering it. Nothing
   *   has been done then.
   */
  answer(request: Request): CacheReply | null;
}

/** Sets the fields of a response that say what the cache did: none where no cache took part. `X-Cache` is the edge's alone: an origin's is removed. */
export function setCacheFields(headers: Headers, outcome: CacheOutcome | null): void {
  if (!outcome) {
    headers.delete("x-cache");
    return;
  }
  // After what caches nearer to the origin said (RFC 9211 §2).
  headers.set("cache-status", cacheStatus(outcome.status, outcome.upstream));
  headers.set("x-cache", outcome.word);
}
