export interface LearnedDeadlineOptions {
  /** `STORE_DEADLINE_MS`: the least it can be, ms. */
  baseMs: number;
  /** The most it can be, ms. */
  ceilingMs: number;
}

/** The replies it learns from: the last so many. */
const REPLIES = 16;
/** How many times as long as the slowest of them a call may take. */
const MARGIN = 1.5;

/**
 * How long a request waits for the store (law 3): half as long again as the slowest of the last replies, so that a store
 * which is merely far away is no outage. A call that is given up goes on to the ceiling, and its late reply teaches too.
 * Plain data, so that any number of requests may share it (law 4).
 */
export class LearnedDeadline {
  readonly #options: LearnedDeadlineOptions;
  readonly #replies: number[] = [];
  #next = 0;
  #missed = 0;

  constructor(options: LearnedDeadlineOptions) {
    this.#options = options;
  }

  /** ms. */
  get ms(): number {
    const { baseMs, ceilingMs } = this.#options;
    return Math.min(Math.max(baseMs, MARGIN * Math.max(0, ...this.#replies)), ceilingMs);
  }

  /** The median of the last replies, ms; null before there are {@link REPLIES}. */
  get medianMs(): number | null {
    if (this.#replies.length < REPLIES) return null;
    return [...this.#replies].sort((a, b) => a - b)[REPLIES / 2] ?? null;
  }

  /** Whether as many replies have come as it learns from since this was last so: to look at the median at each is too much. */
  get isRoundOver(): boolean {
    return this.#next === 0 && this.#replies.length === REPLIES;
  }

  /** Calls that were given up since the last reply. */
  get missed(): number {
    return this.#missed;
  }

  /** A call was given up. */
  miss(): void {
    this.#missed += 1;
  }

  /** The store answers: a reply has come that says nothing of how far away it is, such as a long one. */
  heard(): void {
    this.#missed = 0;
  }

  /** A reply that a request waits for, or has given up, has come after so many ms. */
  replied(ms: number): void {
    this.heard();
    this.#replies[this.#next] = ms;
    this.#next = (this.#next + 1) % REPLIES;
  }
}
