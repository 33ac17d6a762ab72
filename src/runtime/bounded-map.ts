import type { Platform } from "./platform.ts";

export interface BoundedMapOptions<Value> {
  platform: Pick<Platform, "now">;
  /** Maximum number of entries. */
  entries: number;
  /** Maximum bytes, by `sizeOf`. Default unlimited. */
  bytes?: number;
  /** Bytes of one entry, key included. Default 0. */
  sizeOf?(value: Value, key: string): number;
  /**
   * What a full map does with a new entry. `evict` drops the oldest entries; one that was read since it was added, or since
   * it was last spared, is spared once more (the CLOCK algorithm: a read then costs one look, and no move). `refuse` rejects
   * the new one, for data such as counters that other clients must not be able to evict.
   */
  whenFull: "evict" | "refuse";
  /** Called with each entry that is removed, also when it is replaced. */
  dropped?(value: Value, key: string): void;
}

interface Entry<Value> {
  value: Value;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  size: number;
  /** Read since it was added or last spared. */
  used: boolean;
}

/** Entries that each write checks for expiry, so that no write has to check all. */
const SWEEP_STEP = 8;
/** Minimum time between two checks of all entries in a full map that refuses, ms. */
const FULL_SWEEP_MS = 1000;

/** A Map with an expiry per entry and a maximum of entries and bytes (law 5). */
export class BoundedMap<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #options: BoundedMapOptions<Value>;
  #bytes = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(options: BoundedMapOptions<Value>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The value, or undefined when it is absent or expired. Reading counts as use for `evict`. */
  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    // Asking for the time costs more than the rest of a look.
    if (entry.expiresAt !== Number.POSITIVE_INFINITY && entry.expiresAt <= this.#options.platform.now()) {
      this.delete(key);
      return undefined;
    }
    entry.used = true;
    return entry.value;
  }

  /**
   * Adds or replaces an entry.
   *
   * @param expiresAt Milliseconds since the epoch. Default never.
   * @returns false when the map is full and refuses, or the entry alone exceeds the maximum bytes.
   */
  set(key: string, value: Value, expiresAt = Number.POSITIVE_INFINITY): boolean {
    const { entries, bytes = Number.POSITIVE_INFINITY, sizeOf, whenFull } = this.#options;
    const size = sizeOf?.(value, key) ?? 0;
    this.delete(key);
    if (size > bytes) return false;
    this.#sweep(SWEEP_STEP);
    if (this.#entries.size >= entries || this.#bytes + size > bytes) {
      if (whenFull === "refuse") this.#sweepAllIfDue();
      else this.#evict(entries - 1, bytes - size);
    }
    if (this.#entries.size >= entries || this.#bytes + size > bytes) return false;
    this.#entries.set(key, { value, expiresAt, size, used: false });
    this.#bytes += size;
    return true;
  }

  /** @returns whether there was such an entry. */
  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    this.#entries.delete(key);
    this.#bytes -= entry.size;
    this.#options.dropped?.(entry.value, key);
    return true;
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.delete(key);
  }

  /** The live entries, oldest first. */
  *[Symbol.iterator](): IterableIterator<[string, Value]> {
    const now = this.#options.platform.now();
    for (const [key, entry] of this.#entries) if (entry.expiresAt > now) yield [key, entry.value];
  }

  #evict(entries: number, bytes: number): void {
    // An entry that is spared moves to the end. It is unused then, so the loop ends at the latest in its second round.
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= entries && this.#bytes <= bytes) return;
      if (!entry.used) {
        this.delete(key);
        continue;
      }
      entry.used = false;
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
  }

  #sweep(max: number): void {
    const now = this.#options.platform.now();
    let checked = 0;
    for (const [key, entry] of this.#entries) {
      if (checked >= max) return;
      checked += 1;
      if (entry.expiresAt <= now) this.delete(key);
    }
  }

  #sweepAllIfDue(): void {
    const now = this.#options.platform.now();
    if (now - this.#sweptAt < FULL_SWEEP_MS) return;
    this.#sweptAt = now;
    this.#sweep(Number.POSITIVE_INFINITY);
  }
}
