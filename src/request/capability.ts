import type { Route } from "../config/route.ts";
import type { Caller } from "../identity/caller.ts";
import type { Batch } from "../store/batch.ts";

/** One request on its way through the edge: what every capability may look at. */
export interface EdgeRequest {
  readonly request: Request;
  readonly url: URL;
  /** The path that the origin will see: what routes match. */
  readonly path: string;
  readonly route: Route;
  readonly caller: Caller;
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

/** The second step of a capability: reads the replies once the batch is back. Falls to its local localStore on a StoreError. */
export type Decide<Verdict> = () => Verdict | Promise<Verdict>;

/**
 * A capability is two steps, so that several share one batch: `prepare` queues its commands (or finds that it needs none),
 * and returns the second step, which gives the verdict.
 */
export interface Capability<Verdict> {
  prepare(request: EdgeRequest, batch: Batch): Decide<Verdict> | Promise<Decide<Verdict>>;
}
