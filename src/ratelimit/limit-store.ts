import type { Batch } from "../store/batch.ts";
import type { Counter, Counts } from "./algorithms/algorithm.ts";
import type { Charge, Charged } from "./charge.ts";

/**
 * Where counts are kept: Redis, or the isolate's memory. The same contract suite runs on both.
 *
 * A store in Redis queues its commands on the batch at once, before anything is awaited, and rejects with a StoreError when
 * Redis does not answer or answers something else. A store in memory ignores the batch, answers at once and never rejects.
 * A denial is a value in both.
 */
export interface LimitStore {
  /**
   * Charges all windows, or none where an enforced window has no room for its cost. Takes up to `most` units of a window, and
   * none of a window in shadow that has no room.
   */
  charge(charges: readonly Charge[], batch: Batch): Charged | Promise<Charged>;
  /** The counts as they are. Changes nothing. */
  peek(counter: Counter, batch: Batch): Counts | Promise<Counts>;
  /** Deletes these counters and no other. */
  reset(counters: readonly Counter[], batch: Batch): void | Promise<void>;
}
