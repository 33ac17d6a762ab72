import type { Platform } from "./platform.ts";

export interface BoundedMapOptions<Value> {
  platform: Pick<Platform, "now">;
  /** Most entries it may hold. */
  entries: number;
  /** Most bytes, by `sizeOf`. Default: not counted. */
  bytes?: number;
  /** Bytes of one entry, key included. Default 0. */
  sizeOf?(value: Value, key: string): number;
  /**
   * When it is full of live entries: `evict` drops the least recently used; `refuse` keeps them all and says no to the
   * newcomer (a limiter's counters, which a stranger must not be able to push out).
   */
  whenFull: "evict" | "refuse";
  /** Called with each entry that leaves, for whatever reason: being replaced is one. */
  dropped?(value: Value, key: string): void;
}

interface Entry<Value> {
  value: Value;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  size: number;
}

/** Expired entries looked at with each write, so that no single write has to sweep them all. */
const SWEEP_STEP = 8;
/** A full map that refuses looks through all its entries for expired ones at most this often, ms. */
const FULL_SWEEP_MS = 1000;

/** The in-isolate fallback: a Map with an expiry per entry and a bound on entries and bytes. */
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

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (entry.expiresAt <= this.#options.platform.now()) {
      this.delete(key);
      return undefined;
    }
    if (this.#options.whenFull === "evict") {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry.value;
  }

  /**
   * @param expiresAt Milliseconds since the epoch; default never.
   * @returns false when the map is full and refuses, or the entry alone is larger than its bytes.
   */
  set(key: string, value: Value, expiresAt = Number.POSITIVE_INFINITY): boolean {
    const { entries, bytes = Number.POSITIVE_INFINITY, sizeOf, whenFull } = this.#options;
    const size = sizeOf?.(value, key) ?? 0;
    this.delete(key);
    if (size > bytes) return false;
    this.#sweep(SWEEP_STEP);
    if (this.#entries.size >= entries || this.#bytes + size > bytes) {
      if (whenFull === "refuse") this.#sweepAllNowAndThen();
      else this.#evict(entries - 1, bytes - size);
    }
    if (this.#entries.size >= entries || this.#bytes + size > bytes) return false;
    this.#entries.set(key, { value, expiresAt, size });
    this.#bytes += size;
    return true;
  }

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
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= entries && this.#bytes <= bytes) return;
      this.delete(key);
    }
  }

  #sweep(most: number): void {
    const now = this.#options.platform.now();
    let looked = 0;
    for (const [key, entry] of this.#entries) {
      if (looked >= most) return;
      looked += 1;
      if (entry.expiresAt <= now) this.delete(key);
    }
  }

  #sweepAllNowAndThen(): void {
    const now = this.#options.platform.now();
    if (now - this.#sweptAt < FULL_SWEEP_MS) return;
    this.#sweptAt = now;
    this.#sweep(Number.POSITIVE_INFINITY);
  }
}
