import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { KeyClaim } from "./caller.ts";

export interface UnknownKeysOptions {
  platform: Pick<Platform, "now">;
  /** Most keys and addresses together. */
  entries: number;
  /** How long one is remembered, ms: `ISOLATE_MAX_AGE_MS`. */
  maxAgeMs: number;
}

/** Keys that Redis does not know, from one address within `ISOLATE_MAX_AGE_MS`, before it is asked of no more. */
const MAX_UNKNOWN = 10;

/** API keys that Redis has just said it does not know: each by its hash, and how many came from an address. */
export class UnknownKeys {
  readonly #options: UnknownKeysOptions;
  readonly #counts: BoundedMap<number>;

  constructor(options: UnknownKeysOptions) {
    this.#options = options;
    this.#counts = new BoundedMap({ ...options, whenFull: "evict" });
  }

  note(hash: string, addressHash: string): void {
    const until = this.#options.platform.now() + this.#options.maxAgeMs;
    if (this.#counts.get(hash) === undefined) this.#counts.set(hash, 1, until);
    this.#counts.set(addressHash, (this.#counts.get(addressHash) ?? 0) + 1, until);
  }

  /** Whether Redis has just said that it does not know this key, or has said so of several keys from this address. */
  has(key: KeyClaim, addressHash: string): boolean {
    if (key.kind !== "unverified") return false;
    return this.#counts.get(key.hash) !== undefined || (this.#counts.get(addressHash) ?? 0) >= MAX_UNKNOWN;
  }
}
