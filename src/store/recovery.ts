import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "./batch.ts";

/**
 * What a batch left of what is pending: nothing; more for another batch at once; or something that Redis, or whoever read its
 * reply, did not take, which is tried again after a pause.
 */
export type ReplayOutcome = "done" | "more" | "refused";

/**
 * Queues a share of what is pending, at once, before anything is awaited. `true` and `false` are short for `more` and `done`,
 * for whoever learns of a refusal by the batch's own error alone.
 */
export type Replay = (batch: Batch) => ReplayOutcome | boolean | Promise<ReplayOutcome | boolean>;

export interface ReplaysOptions {
  platform: Pick<Platform, "now">;
  /** The longest that a batch may take, ms: who began one has the right to it until then. */
  maxBatchMs: number;
  openBatch(): Batch;
}

/** Pauses between two attempts to write what could not be written, ms: doubling while it fails. */
const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 8000;
/** Batches that one invocation makes: a Worker on the free plan may make 50 calls. */
const MAX_BATCHES = 20;

/**
 * What could not be written, and when it is tried again. It stays pending until a batch is back with which nothing went wrong:
 * an invocation may be ended in the middle of one.
 */
export class Replays {
  readonly #options: ReplaysOptions;
  readonly #replays: Replay[] = [];
  /** How often something went wrong, and how much of that has been made good. */
  #failures = 0;
  #settled = 0;
  #pauseMs = 0;
  #nextAt = 0;

  constructor(options: ReplaysOptions) {
    this.#options = options;
  }

  add(replay: Replay): void {
    this.#replays.push(replay);
  }

  /** Something was not written, or may not have been. */
  markDue(): void {
    this.#failures += 1;
  }

  /** What is pending need not wait any longer. */
  hurry(): void {
    this.#nextAt = 0;
  }

  get due(): boolean {
    const { platform, maxBatchMs } = this.#options;
    const now = platform.now();
    // A clock that went back must not put it off by as much.
    this.#nextAt = Math.min(this.#nextAt, now + Math.max(LAST_PAUSE_MS, maxBatchMs));
    return this.#failures > this.#settled && now >= this.#nextAt;
  }

  /** Batch by batch, until nothing is left or one fails; what an invocation has no time for is left to the next. */
  async run(): Promise<void> {
    const { platform, maxBatchMs, openBatch } = this.#options;
    for (let batches = 0; batches < MAX_BATCHES; batches += 1) {
      const failures = this.#failures;
      this.#pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2), LAST_PAUSE_MS);
      this.#nextAt = platform.now() + Math.max(this.#pauseMs, maxBatchMs);
      const batch = openBatch();
      const replays = this.#replays.map((replay) => replay(batch));
      await batch.send();
      const outcomes = await Promise.all(replays);
      if (batch.error || this.#failures !== failures || outcomes.includes("refused")) {
        this.#nextAt = platform.now() + this.#pauseMs;
        return;
      }
      this.#pauseMs = 0;
      this.#nextAt = 0;
      if (outcomes.includes("more") || outcomes.includes(true)) continue;
      this.#settled = failures;
      return;
    }
  }
}
