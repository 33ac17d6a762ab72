import type { Route } from "../config/route.ts";
import type { UnverifiedIdentity } from "../identity/confirmed.ts";
import type { Batch } from "../store/batch.ts";
import type { ForwardedRequest } from "./forwarded.ts";

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
