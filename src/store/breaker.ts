import type { Platform } from "../runtime/platform.ts";
import type { StoreErrorCode } from "./errors.ts";

export interface BreakerOptions {
  /** Failed batches in a row that open it. */
  failures: number;
  /** First pause before a probe, ms. */
  firstProbeMs: number;
  /** Longest pause before a probe, ms. */
  lastProbeMs: number;
}

export const breakerDefaults: BreakerOptions = { failures: 3, firstProbeMs: 1000, lastProbeMs: 30_000 };

/**
 * Stops calls to a store that does not answer (law 3). It is plain data: numbers that any request may read.
 *
 * - Closed: batches are sent. After `failures` failed batches in a row it opens.
 * - Open: no request that starts now waits for the store. One probe at a time is sent beside a request that was answered
 *   locally. The pause before the next probe doubles, with up to a quarter of jitter, so that the isolates of a region do
 *   not probe at the same moment.
 * - Half-open, after a probe that succeeded: a store may answer a PING and nothing else. Until a real batch has come back,
 *   one at a time is sent. The first that fails opens the breaker again, and the pause goes on doubling.
 */
export class Breaker {
  readonly #platform: Pick<Platform, "now" | "random">;
  readonly #options: BreakerOptions;
  #failed = 0;
  #pauseMs = 0;
  #nextProbeAt = 0;
  /** No other probe starts before then: an invocation that is ended in the middle of one never reports it. */
  #probingUntil = Number.NEGATIVE_INFINITY;
  #halfOpen = false;
  /** Half-open: no other batch is sent before then, unless the one that was sent has come back. */
  #trialUntil = Number.NEGATIVE_INFINITY;
  #openedAt: number | undefined;
  #reason: StoreErrorCode | undefined;

  constructor(platform: Pick<Platform, "now" | "random">, options: Partial<BreakerOptions> = {}) {
    this.#platform = platform;
    this.#options = { ...breakerDefaults, ...options };
  }

  get open(): boolean {
    return this.#openedAt !== undefined;
  }

  /** Whether a probe has closed it and no real batch has come back yet. */
  get halfOpen(): boolean {
    return this.#halfOpen;
  }

  /** The last failure's code, while open or while failures are counted. */
  get reason(): StoreErrorCode | undefined {
    return this.#reason;
  }

  /** Milliseconds since the epoch at which it opened. */
  get openedAt(): number | undefined {
    return this.#openedAt;
  }

  /** Seconds, rounded up, until the next probe: the `Retry-After` of a route that refuses requests in an outage. */
  get retryAfterSeconds(): number {
    return Math.max(1, Math.ceil((this.#nextProbeAt - this.#platform.now()) / 1000));
  }

  /**
   * Whether a batch may be sent. While half-open it is then the only one, until it has come back or `longestMs` have
   * passed: only one request waits for a store that answers nothing but a PING.
   */
  mayTry(longestMs: number): boolean {
    if (this.open) return false;
    if (!this.#halfOpen) return true;
    const now = this.#platform.now();
    if (now < Math.min(this.#trialUntil, now + longestMs)) return false;
    this.#trialUntil = now + longestMs;
    return true;
  }

  /** A batch that proves nothing has come back: the next may be sent. */
  provedNothing(): void {
    this.#trialUntil = Number.NEGATIVE_INFINITY;
  }

  /** A real batch has come back. @returns true when this success closed it. */
  succeeded(): boolean {
    const wasOpen = this.open;
    this.#halfOpen = false;
    this.#trialUntil = Number.NEGATIVE_INFINITY;
    this.#failed = 0;
    this.#openedAt = undefined;
    this.#reason = undefined;
    this.#pauseMs = 0;
    return wasOpen;
  }

  /**
   * A batch or a probe has failed.
   *
   * @param isCertain Whether it opens at once. Default false.
   * @returns true when this failure opened it.
   */
  failed(reason: StoreErrorCode, isCertain = false): boolean {
    this.#reason = reason;
    this.#failed = isCertain ? this.#options.failures : this.#failed + 1;
    this.#trialUntil = Number.NEGATIVE_INFINITY;
    if (this.open || this.#failed < this.#options.failures) return false;
    this.#halfOpen = false;
    this.#openedAt = this.#platform.now();
    this.#schedule();
    return true;
  }

  /** Starts a probe, if one is due and none is under way. Report its end to {@link probed}. @returns whether it started. */
  takeProbe(): boolean {
    const now = this.#platform.now();
    const { lastProbeMs } = this.#options;
    // A clock that went back must not delay the next probe by as much.
    this.#nextProbeAt = Math.min(this.#nextProbeAt, now + lastProbeMs);
    this.#probingUntil = Math.min(this.#probingUntil, now + lastProbeMs);
    if (!this.open || now < this.#probingUntil || now < this.#nextProbeAt) return false;
    this.#probingUntil = now + lastProbeMs;
    return true;
  }

  /** Ends a probe. One that is never ended blocks others for `lastProbeMs`. @returns true when it closed the breaker. */
  probed(alive: boolean): boolean {
    this.#probingUntil = Number.NEGATIVE_INFINITY;
    if (!alive) this.#schedule();
    if (!alive || !this.open) return false;
    this.#openedAt = undefined;
    this.#halfOpen = true;
    // One failure opens it again: neither the count nor the pause starts over.
    this.#failed = this.#options.failures - 1;
    return true;
  }

  #schedule(): void {
    const { firstProbeMs, lastProbeMs } = this.#options;
    this.#pauseMs = this.#pauseMs === 0 ? firstProbeMs : Math.min(this.#pauseMs * 2, lastProbeMs);
    const jitter = 1 + this.#platform.random() / 4;
    this.#nextProbeAt = this.#platform.now() + Math.min(this.#pauseMs * jitter, lastProbeMs);
  }
}
