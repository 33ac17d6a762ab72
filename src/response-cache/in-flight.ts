import { BoundedMap } from "../runtime/bounded-map.ts";
import { type Platform, sleep } from "../runtime/platform.ts";

/** A fetch of the origin that others may wait for: plain data, so that no request holds another's promise. */
interface Flight {
  since: number;
  landed: boolean;
}

/** Nobody waits longer, ms: then he fetches for himself. */
const LONGEST_WAIT_MS = 2000;
const LOOK_EVERY_MS = 10;
const MOST_FLIGHTS = 10_000;
/** How long it is remembered that an answer could not be stored, ms: nobody queues for it meanwhile. */
const UNCACHEABLE_MS = 120_000;

/** One origin fetch for many requests of an isolate that miss the same entry. */
export class Flights {
  readonly #platform: Platform;
  readonly #flights: BoundedMap<Flight>;
  readonly #uncacheable: BoundedMap<true>;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#flights = new BoundedMap({ platform, entries: MOST_FLIGHTS, whenFull: "evict" });
    this.#uncacheable = new BoundedMap({ platform, entries: MOST_FLIGHTS, whenFull: "evict" });
  }

  /** @returns the function to call when the flight has landed, or null when one is under way already. */
  take(key: string): (() => void) | null {
    if (this.#flights.get(key)) return null;
    const flight: Flight = { since: this.#platform.now(), landed: false };
    this.#flights.set(key, flight, flight.since + LONGEST_WAIT_MS * 15);
    return () => {
      flight.landed = true;
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
  }

  /** Waits until the flight has landed, or 2 s. @returns whether there was one that landed. */
  async wait(key: string): Promise<boolean> {
    const flight = this.#flights.get(key);
    if (!flight) return false;
    const until = this.#platform.now() + LONGEST_WAIT_MS;
    while (!flight.landed && this.#platform.now() < until) await sleep(this.#platform, LOOK_EVERY_MS);
    return flight.landed;
  }

  /** The answer could not be stored: nobody is to wait for the next one. */
  uncacheable(key: string): void {
    this.#uncacheable.set(key, true, this.#platform.now() + UNCACHEABLE_MS);
  }

  cacheable(key: string): void {
    this.#uncacheable.delete(key);
  }

  /** Whether waiting would be in vain. */
  inVain(key: string): boolean {
    return this.#uncacheable.get(key) === true;
  }
}
