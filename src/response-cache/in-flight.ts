import { BoundedMap } from "../runtime/bounded-map.ts";
import { type Platform, sleep } from "../runtime/platform.ts";

/** A fetch of the origin that others may wait for: plain data, so that no request holds another's promise. */
interface InFlightFetch {
  since: number;
  done: boolean;
  /** The header section of an answer is there whose body may take long. */
  streams: boolean;
}

/** The longest a request waits, ms: then it asks the origin itself. */
const MAX_WAIT_MS = 2000;
const LOOK_EVERY_MS = 10;
const MAX_IN_FLIGHT = 10_000;
/** How long it is remembered that an answer could not be stored, ms: no request waits for it meanwhile. */
const UNCACHEABLE_MS = 120_000;

/** One origin fetch for many requests of an isolate that miss the same entry. */
export class InFlightFetches {
  readonly #platform: Platform;
  readonly #inFlight: BoundedMap<InFlightFetch>;
  readonly #uncacheable: BoundedMap<true>;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#inFlight = new BoundedMap({ platform, entries: MAX_IN_FLIGHT, whenFull: "evict" });
    this.#uncacheable = new BoundedMap({ platform, entries: MAX_IN_FLIGHT, whenFull: "evict" });
  }

  /** @returns the function to call when the fetch is done, or null when one is under way already. */
  take(key: string): (() => void) | null {
    if (this.#inFlight.get(key)) return null;
    const fetch: InFlightFetch = { since: this.#platform.now(), done: false, streams: false };
    this.#inFlight.set(key, fetch, fetch.since + MAX_WAIT_MS * 15);
    return () => {
      fetch.done = true;
      if (this.#inFlight.get(key) === fetch) this.#inFlight.delete(key);
    };
  }

  /** The header section is there, and not a body that is known to be small: nobody waits any longer. */
  headersArrived(key: string): void {
    const fetch = this.#inFlight.get(key);
    if (fetch) fetch.streams = true;
  }

  /** Waits until the fetch is done, or is an answer whose body takes its time, or 2 s. @returns whether there was one and it is done. */
  async wait(key: string): Promise<boolean> {
    const fetch = this.#inFlight.get(key);
    if (!fetch) return false;
    const until = this.#platform.now() + MAX_WAIT_MS;
    const isOver = (now: number) => fetch.done || fetch.streams || now >= until;
    while (!isOver(this.#platform.now())) await sleep(this.#platform, LOOK_EVERY_MS);
    return fetch.done;
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
