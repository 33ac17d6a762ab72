import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";

/** Ms for which an origin is let alone that failed: as long as it took to fail, within these. */
const MIN_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;

interface Pause {
  ms: number;
  /** Ms since the epoch. */
  until: number;
}

/**
 * Fetches in whose place something stale was served, because the origin failed. By RFC 5861 §4 each request would ask anew: of an origin
 * that hangs each would wait to the end of its deadline, and one under load would get what it cannot do.
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
    this.#begin(key, Math.min(Math.max(tookMs, MIN_PAUSE_MS), MAX_PAUSE_MS));
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
