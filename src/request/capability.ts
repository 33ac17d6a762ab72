import type { Route } from "../config/route.ts";
import type { UnverifiedIdentity } from "../identity/confirmed.ts";
import type { Batch } from "../store/batch.ts";
import type { ForwardedRequest } from "./forwarded.ts";

/** How a request is counted where the app says so. What is absent is as the limits and the caller's identity have it. */
export interface Counting {
  /** Who is counted in place of the caller, each apart. An empty hash: the caller's own identity. */
  readonly keys?: readonly CountedKey[];
  /** By tier (`""` for the route's own limits), a space and a limit's name: whose count the limit has. Default all keys. */
  readonly countedBy?: ReadonlyMap<string, string>;
  /** Units of every limit. A limit that has fewer refuses. */
  readonly cost?: number;
  readonly tier?: string;
}

/** One of the keys that a request is counted by. */
export interface CountedKey {
  /** As the app names it; `""` where it has no name. */
  name: string;
  hash: string;
}

/** A request before its session is confirmed. */
export interface EdgeRequest {
  readonly request: Request;
  readonly url: URL;
  /** The percent-decoded path, which the routes match. */
  readonly path: string;
  readonly route: Route;
  /** What of it the origin is sent. */
  readonly forwarded: ForwardedRequest;
  /** The claims of its credentials. */
  readonly claims: UnverifiedIdentity;
  /** What the app says of how it is counted. Absent: nothing. */
  readonly counting?: Counting;
  /** A hash that the key of its stored answers has beside the URL. Absent: none. */
  readonly cacheKey?: string;
  /** For logs and problem bodies. */
  readonly requestId: string;
  /**
   * Adds work for after the response, in `waitUntil`. All works share one more batch, which is sent when each has queued its
   * writes. An error of a work is an event.
   */
  after(work: (batch: Batch) => void | Promise<void>): void;
  /** Runs work in `waitUntil` at once, without a batch. */
  waitUntil(work: Promise<unknown>): void;
}

/**
 * The second step of a capability. A capability has two steps, so that several share one batch: `prepare` queues its
 * commands and returns this function, which reads the replies after the batch and decides. On a StoreError it decides with
 * the local counterpart of the store (law 2).
 *
 * @typeParam Facts Facts that `prepare` did not have, such as the confirmed identity.
 */
export type Decide<Verdict, Facts extends unknown[] = []> = (...facts: Facts) => Verdict | Promise<Verdict>;
