import type { OriginFetch } from "../request/origin-reply.ts";
import type { FwdReason } from "./rules/cache-status.ts";
import type { Candidate } from "./validate.ts";

/** One request of the cache to the origin: why and since when, and what to do when its answer is there. */
export interface OriginRequest {
  origin: OriginFetch;
  /** Stored responses whose validators the origin is sent. */
  candidates: readonly Candidate[];
  fwd: FwdReason;
  /** Ms since the epoch. */
  requestTime: number;
  /** Ends the in-flight fetch: whoever waits for it goes on. */
  done: () => void;
}
