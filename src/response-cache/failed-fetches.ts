import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";

/**
 * Ms for which an origin is let alone at most, that took so long to fail. One that fails at once is asked each time: that costs nobody
 * a wait, and the first request after it has recovered gets its answer.
 */
const MAX_PAUSE_MS = 30_000;

interface Pause {
  ms: number;
  /** Ms since the epoch. */
  until: number;
}

/**
 * Fetches in whose place something stale was served, because the origin failed. By RFC 5861 §4 each request would ask anew: of an origin
 * that hangs each would wait to the end of its deadline. So it is asked half of the time at most.
 */
export class FailedFetches {
  readonly #platform: Pick<Platform, "now">;
  readonly #pauses: BoundedMap<Pause>;

  constructor(platform: Pick<Platform, "now">) {
    this.#platform = platform;
    this.#pauses = new BoundedMap<Pause>({
      platform,
      entries: 10_000,
      bytes: 4 * 1024 * 1024,
      sizeOf: (_, name) => 2 * name.length + 128,
      whenFull: "evict",
    });
  }

  /** @param tookMs From the request to its failure. */
  failed(key: string, tookMs: number): void {
    this.#begin(key, Math.min(tookMs, MAX_PAUSE_MS));
  }

  answered(key: string): void {
    this.#pauses.delete(key);
  }

  isPaused(key: string): boolean {
    const pause = this.#pauses.get(key);
    if (!pause) return false;
    const left = pause.until - this.#platform.now();
    // By a clock that went back it would last for longer.
    return left > 0 && left <= pause.ms;
  }

  /** One asks again: where the origin has failed lately, the others have another pause meanwhile. */
  asks(key: string): void {
    const pause = this.#pauses.get(key);
    if (pause) this.#begin(key, pause.ms);
  }

  #begin(key: string, ms: number): void {
    const until = this.#platform.now() + ms;
    this.#pauses.set(key, { ms, until }, until + MAX_PAUSE_MS);
  }
}
