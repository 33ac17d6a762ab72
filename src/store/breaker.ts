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
 * Stops calling a store that does not answer. It is plain data: numbers that any request may read.
 *
 * Closed, batches go out. After `failures` failed batches in a row it is open: no request that starts then waits for the
 * store. One probe at a time goes out beside a request that was answered locally; the pause before the next doubles, with
 * up to a quarter of jitter, so that the isolates of a region do not come back in step.
 *
 * A probe that succeeds closes it on probation: a store may answer a PING and nothing else. Until a real batch has come
 * back, one at a time goes out, the first that fails opens it again, and the pause goes on doubling.
 */
export class Breaker {
  readonly #platform: Pick<Platform, "now" | "random">;
  readonly #options: BreakerOptions;
  #failed = 0;
  #pauseMs = 0;
  #nextProbeAt = 0;
  /** Who took a probe has the right to it until then: an invocation that is ended in the middle never gives it back. */
  #probingUntil = Number.NEGATIVE_INFINITY;
  #halfOpen = false;
  /** On probation: somebody's batch is out until then. */
  #tryingUntil = Number.NEGATIVE_INFINITY;
  #openedAt: number | undefined;
  #reason: StoreErrorCode | undefined;

  constructor(platform: Pick<Platform, "now" | "random">, options: Partial<BreakerOptions> = {}) {
    this.#platform = platform;
    this.#options = { ...breakerDefaults, ...options };
  }

  get open(): boolean {
    return this.#openedAt !== undefined;
  }

  /** Closed by a probe, and no real batch has come back yet. */
  get halfOpen(): boolean {
    return this.#halfOpen;
  }

  /** What the last failure was, while open or counting. */
  get reason(): StoreErrorCode | undefined {
    return this.#reason;
  }

  /** Milliseconds since the epoch at which it opened. */
  get openedAt(): number | undefined {
    return this.#openedAt;
  }

  /** Seconds, rounded up, until the store is asked again: a fair `Retry-After` for a route that refuses in an outage. */
  get retryAfterSeconds(): number {
    return Math.max(1, Math.ceil((this.#nextProbeAt - this.#platform.now()) / 1000));
  }

  /**
   * Whether a batch may go out. On probation it is then the only one, until it has come back or `longestMs` have passed: a
   * store that answers nothing but a PING is waited for by one request, not by all that come meanwhile.
   */
  mayTry(longestMs: number): boolean {
    if (this.open) return false;
    if (!this.#halfOpen) return true;
    const now = this.#platform.now();
    if (now < Math.min(this.#tryingUntil, now + longestMs)) return false;
    this.#tryingUntil = now + longestMs;
    return true;
  }

  /** A batch that proves nothing came back: the next may try. */
  provedNothing(): void {
    this.#tryingUntil = Number.NEGATIVE_INFINITY;
  }

  /** A real batch came back. @returns true when this success closed it. */
  succeeded(): boolean {
    const wasOpen = this.open;
    this.#halfOpen = false;
    this.#tryingUntil = Number.NEGATIVE_INFINITY;
    this.#failed = 0;
    this.#openedAt = undefined;
    this.#reason = undefined;
    this.#pauseMs = 0;
    return wasOpen;
  }

  /** @returns true when this failure opened it. */
  failed(reason: StoreErrorCode): boolean {
    this.#reason = reason;
    this.#failed += 1;
    this.#tryingUntil = Number.NEGATIVE_INFINITY;
    if (this.open || this.#failed < this.#options.failures) return false;
    this.#halfOpen = false;
    this.#openedAt = this.#platform.now();
    this.#schedule();
    return true;
  }

  /** Takes the right to probe, if one is due and nobody else has it. Give it back with {@link probed}. */
  takeProbe(): boolean {
    const now = this.#platform.now();
    const { lastProbeMs } = this.#options;
    // A clock that went back must not put the next probe off by as much.
    this.#nextProbeAt = Math.min(this.#nextProbeAt, now + lastProbeMs);
    this.#probingUntil = Math.min(this.#probingUntil, now + lastProbeMs);
    if (!this.open || now < this.#probingUntil || now < this.#nextProbeAt) return false;
    this.#probingUntil = now + lastProbeMs;
    return true;
  }

  /** Ends a probe. One that is never ended counts for `lastProbeMs`. @returns true when it closed the breaker. */
  probed(alive: boolean): boolean {
    this.#probingUntil = Number.NEGATIVE_INFINITY;
    if (!alive) this.#schedule();
    if (!alive || !this.open) return false;
    this.#openedAt = undefined;
    this.#halfOpen = true;
    // One failure is enough, and neither the count nor the pause begins anew.
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
