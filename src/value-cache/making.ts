import { BoundedMap } from "../runtime/bounded-map.ts";
import { type Platform, sleep } from "../runtime/platform.ts";

/** A value that a request is making: plain data, so that no request holds another's promise (law 4). */
interface Made {
  done: boolean;
  until: number;
}

/** Ms after which another request makes the value: the client of the first may have gone, and its work with it. */
const TURN_MS = 2000;
/** The longest a request waits, ms: then it makes the value itself. */
const MAX_WAIT_MS = 10_000;
const LOOK_EVERY_MS = 10;
const MAX_NAMES = 10_000;
const MAX_NAMES_BYTES = 1024 * 1024;

/** The values that requests of the isolate are making: others wait for them, by looking. */
export class Making {
  readonly #platform: Platform;
  readonly #made: BoundedMap<Made>;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#made = new BoundedMap<Made>({
      platform,
      entries: MAX_NAMES,
      bytes: MAX_NAMES_BYTES,
      sizeOf: (_, name) => 2 * name.length + 64,
      whenFull: "evict",
    });
  }

  /**
   * Waits while others make the value, and takes the turn in the moment in which nobody does.
   *
   * @param isThere Whether it is there.
   * @returns null where it is. Else it is the caller's to make: the function to call once it is there, or is not to be had.
   */
  async turn(name: string, isThere: () => boolean): Promise<(() => void) | null> {
    const platform = this.#platform;
    const until = platform.now() + MAX_WAIT_MS;
    for (;;) {
      if (isThere()) return null;
      const made = this.#made.get(name);
      if (!made || platform.now() >= until) return this.#take(name);
      while (!made.done && platform.now() < Math.min(made.until, until)) await sleep(platform, LOOK_EVERY_MS);
      // One that failed is everybody's to try: to wait for one after the other would take as long as all of them.
      if (made.done) return isThere() ? null : this.#take(name);
    }
  }

  #take(name: string): () => void {
    const made: Made = { done: false, until: this.#platform.now() + TURN_MS };
    this.#made.set(name, made, made.until);
    return () => {
      made.done = true;
      if (this.#made.get(name) === made) this.#made.delete(name);
    };
  }
}
