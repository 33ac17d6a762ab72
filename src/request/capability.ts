import type { Route } from "../config/route.ts";
import type { UnverifiedIdentity } from "../identity/confirmed.ts";
import type { Batch } from "../store/batch.ts";

/** One request on its way through the edge, as far as it is known before anything is confirmed. */
export interface EdgeRequest {
  readonly request: Request;
  readonly url: URL;
  /** The path that the origin will see: what routes match. */
  readonly path: string;
  readonly route: Route;
  /** What the credentials claim. */
  readonly claims: UnverifiedIdentity;
  /** For logs and problem bodies. */
  readonly requestId: string;
  /**
   * Work for after the response, in `waitUntil`: all of it shares one more batch, sent when the last has queued what it
   * wants written. It must not throw.
   */
  after(work: (batch: Batch) => void | Promise<void>): void;
  /** Like {@link after}, without the batch: runs in `waitUntil` at once. */
  waitUntil(work: Promise<void>): void;
}

/**
 * A capability is two steps, so that several share one batch. `prepare` queues its commands, or finds that it needs none,
 * and returns this second step, which reads the replies once the batch is back and decides. On a StoreError it decides
 * with its local counterpart.
 *
 * @typeParam Facts What is known by then and was not before: the confirmed identity, say.
 */
export type Decide<Verdict, Facts extends unknown[] = []> = (...facts: Facts) => Verdict | Promise<Verdict>;
