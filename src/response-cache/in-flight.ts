import { BoundedMap } from "../runtime/bounded-map.ts";
import { type Platform, sleep } from "../runtime/platform.ts";

/** A fetch of the origin that others may wait for: plain data, so that no request holds another's promise. */
interface InFlightFetch {
  done: boolean;
  /** The header section of an answer is there whose body may take long. */
  streams: boolean;
  /** It began before it was known whether it is needed: that is known by then, ms since the epoch. */
  eagerUntil: number | null;
}

/** The longest a request waits, ms: then it asks the origin itself. */
const MAX_WAIT_MS = 2000;
const LOOK_EVERY_MS = 10;
const MAX_IN_FLIGHT = 10_000;
/** Of the names, bytes: each has what its request selects by, up to 512 characters of each field in `Vary`. */
const MAX_NAME_BYTES = 4 * 1024 * 1024;
/** How long it is remembered that an answer could not be stored, ms: no request waits for it meanwhile. */
const UNCACHEABLE_MS = 120_000;

/** One origin fetch for many requests of an isolate that miss the same entry. */
export class InFlightFetches {
  readonly #platform: Platform;
  readonly #inFlight: BoundedMap<InFlightFetch>;
  readonly #uncacheable: BoundedMap<true>;

  constructor(platform: Platform) {
    this.#platform = platform;
    const bounds = {
      platform,
      entries: MAX_IN_FLIGHT,
      bytes: MAX_NAME_BYTES,
      sizeOf: (_: unknown, name: string) => 2 * name.length + 128,
      whenFull: "evict",
    } as const;
    this.#inFlight = new BoundedMap<InFlightFetch>(bounds);
    this.#uncacheable = new BoundedMap<true>(bounds);
  }

  /**
   * @param eagerForMs Of a fetch that begins before it is known whether it is needed: the longest until that is known. Then the
   *   function is called, and the fetch, where it goes on, taken anew.
   * @returns the function to call when the fetch is done, or null when one is under way already.
   */
  take(key: string, eagerForMs: number | null = null): (() => void) | null {
    if (this.#inFlight.get(key)) return null;
    const since = this.#platform.now();
    const eagerUntil = eagerForMs === null ? null : since + eagerForMs;
    const fetch: InFlightFetch = { done: false, streams: false, eagerUntil };
    this.#inFlight.set(key, fetch, eagerUntil ?? since + MAX_WAIT_MS * 15);
    return () => {
      fetch.done = true;
      if (this.#inFlight.get(key) === fetch) this.#inFlight.delete(key);
    };
  }

  /** The header section is there, and not a body that is known to be small: nobody waits any longer. */
  headersArrived(key: string): void {
    const fetch = this.#inFlight.get(key);
    // Of an eager fetch nothing is known yet: it is another request that has its answer.
    if (fetch?.eagerUntil === null) fetch.streams = true;
  }

  /**
   * Waits until the fetch is done, or is an answer whose body takes its time, or 2 s. After one that was not needed it waits for
   * the next one: not everybody asks the origin at once because one caller was refused.
   *
   * @returns whether there was one and it is done.
   */
  async wait(key: string): Promise<boolean> {
    const until = this.#platform.now() + MAX_WAIT_MS;
    for (;;) {
      const fetch = this.#inFlight.get(key);
      if (!fetch) return false;
      const { eagerUntil } = fetch;
      const last = Math.min(until, eagerUntil ?? until);
      while (!fetch.done && !fetch.streams && this.#platform.now() < last)
        await sleep(this.#platform, LOOK_EVERY_MS);
      if (eagerUntil === null || fetch.streams) return fetch.done;
      if (this.#platform.now() >= until) return false;
    }
  }

  /** The answer could not be stored: no request waits for the next one. */
  uncacheable(key: string): void {
    this.#uncacheable.set(key, true, this.#platform.now() + UNCACHEABLE_MS);
  }

  cacheable(key: string): void {
    this.#uncacheable.delete(key);
  }

  /** Whether the last answer could not be stored: a request that waited would find nothing. */
  knownUncacheable(key: string): boolean {
    return this.#uncacheable.get(key) === true;
  }
}
