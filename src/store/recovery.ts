import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "./batch.ts";

/**
 * What is left of the pending writes after a batch: nothing; more, for another batch at once; or something that Redis or
 * the reader of its reply refused, which is tried again after a pause.
 */
export type ReplayOutcome = "done" | "more" | "refused";

/**
 * Queues a share of the pending writes, before it awaits anything. `true` and `false` are short for `more` and `done`, for
 * a caller that learns of a refusal by the batch's own error alone.
 */
export type Replay = (batch: Batch) => ReplayOutcome | boolean | Promise<ReplayOutcome | boolean>;

export interface RecoveryOptions {
  platform: Pick<Platform, "now">;
  /** The longest that a batch may take, ms: until then nobody else starts one. */
  maxBatchMs: number;
  openBatch(): Batch;
}

/** Pauses between two attempts to write what could not be written, ms: doubling while it fails. */
const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 8000;
/** Batches that one invocation makes: a Worker on the free plan may make 50 calls. */
const MAX_BATCHES = 20;

/**
 * Writes that could not be made, and when they are tried again. They stay pending until a batch has come back in which
 * nothing failed: an invocation may be ended in the middle of one.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  #replays: readonly Replay[] = [];
  /** How many writes have failed, and how many of these failures a replay has made up for. */
  #failures = 0;
  #recovered = 0;
  #pauseMs = 0;
  #nextAt = 0;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  add(replay: Replay): void {
    this.#replays = [...this.#replays, replay];
  }

  /** @returns what `make` makes, and a function that takes back the replays that it has added. */
  addedBy<Made>(make: () => Made): [made: Made, end: () => void] {
    const before = this.#replays;
    const made = make();
    const added = this.#replays.slice(before.length);
    const end = () => {
      this.#replays = this.#replays.filter((replay) => !added.includes(replay));
    };
    return [made, end];
  }

  /** Something was not written, or may not have been. */
  markDue(): void {
    this.#failures += 1;
  }

  /** Ends the pause: the next attempt may start at once. */
  endPause(): void {
    this.#nextAt = 0;
  }

  get due(): boolean {
    const { platform, maxBatchMs } = this.#options;
    const now = platform.now();
    // A clock that went back must not delay it by as much.
    this.#nextAt = Math.min(this.#nextAt, now + Math.max(LAST_PAUSE_MS, maxBatchMs));
    return this.#failures > this.#recovered && now >= this.#nextAt;
  }

  /** Sends batch after batch until nothing is left or one fails. What exceeds {@link MAX_BATCHES} waits for the next run. */
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
      this.#recovered = failures;
      return;
    }
  }
}
