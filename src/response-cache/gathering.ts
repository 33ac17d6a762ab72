import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";

/** Of all bodies that are gathered at a time. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_BODIES = 10_000;
/** One of which nothing has come for so long is counted no more, ms: its invocation may have been ended. */
const COUNTED_MS = 120_000;

/** One body on its way into the cache. */
export interface Gathered {
  /** Says how long it is by now. @returns whether there is room for it: else it is to be let go. */
  holds(bytes: number): boolean;
  end(): void;
}

/**
 * What the bodies on their way into the cache take of an isolate, all together (law 5): whoever asks for many long ones that an origin
 * sends slowly must not fill it. Plain data, so that any number of requests may share it (law 4).
 */
export class Gathering {
  readonly #platform: Pick<Platform, "now">;
  readonly #bodies: BoundedMap<number>;
  #begun = 0;

  constructor(platform: Pick<Platform, "now">) {
    this.#platform = platform;
    this.#bodies = new BoundedMap({
      platform,
      entries: MAX_BODIES,
      bytes: MAX_BYTES,
      sizeOf: (bytes) => bytes,
      whenFull: "refuse",
    });
  }

  begin(): Gathered {
    this.#begun += 1;
    const name = String(this.#begun);
    return {
      holds: (bytes) => this.#bodies.set(name, bytes, this.#platform.now() + COUNTED_MS),
      end: () => void this.#bodies.delete(name),
    };
  }
}
