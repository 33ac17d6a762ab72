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
   * What a full map does with a new entry. `evict` drops entries by SIEVE (Zhang et al., NSDI 2024): a hand goes from the
   * oldest entry to the newest, passes over each that was read since it last came by, and drops the first that was not. A
   * read costs one look and no move, and entries that are asked for once do not displace those that are asked for often.
   * `refuse` rejects the new one, for data such as counters that other clients must not be able to evict.
   */
  whenFull: "evict" | "refuse";
  /** Called with each entry that is removed, also when it is replaced. */
  dropped?(value: Value, key: string): void;
}

interface Entry<Value> {
  readonly key: string;
  readonly value: Value;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly size: number;
  /** Read since it was added, or since the hand last came by. */
  used: boolean;
  live: boolean;
  older: Entry<Value> | null;
  /** Stays as it was when the entry is removed, so that whoever stands on it finds the way on. */
  newer: Entry<Value> | null;
}

/** Entries that each write checks for expiry, so that no write has to check all. */
const SWEEP_STEP = 8;
/** Minimum time between two checks of all entries in a full map that refuses, ms. */
const FULL_SWEEP_MS = 1000;
/** Removed keys that stay in the underlying Map for a while. */
const MAX_REMOVED = 64;

/**
 * A Map with an expiry per entry and a maximum of entries and bytes (law 5). Reading, adding, replacing and removing take
 * the same time however many entries there are: a plain Map gets slow where keys are removed and added again, because
 * V8 searches through the removed ones until it builds its table anew (118 µs to replace one of 100,000).
 */
export class BoundedMap<Value> {
  /** null: removed lately. A key that is added again soon takes its old place in the Map. */
  readonly #entries = new Map<string, Entry<Value> | null>();
  readonly #options: BoundedMapOptions<Value>;
  readonly #removedKeys: string[] = [];
  #oldest: Entry<Value> | null = null;
  #newest: Entry<Value> | null = null;
  /** Where the next eviction begins; null for the oldest. */
  #hand: Entry<Value> | null = null;
  /** Where the next check for expiry begins; null for the oldest. */
  #sweepFrom: Entry<Value> | null = null;
  #size = 0;
  #bytes = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(options: BoundedMapOptions<Value>) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
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
      this.#remove(entry);
      return undefined;
    }
    entry.used = true;
    return entry.value;
  }

  /**
   * Adds or replaces an entry. One that is replaced counts as new.
   *
   * @param expiresAt Milliseconds since the epoch. Default never.
   * @returns false when the map is full and refuses, or the entry alone exceeds the maximum bytes.
   */
  set(key: string, value: Value, expiresAt = Number.POSITIVE_INFINITY): boolean {
    const { bytes = Number.POSITIVE_INFINITY, sizeOf, whenFull } = this.#options;
    const size = sizeOf?.(value, key) ?? 0;
    this.delete(key);
    if (size > bytes) return false;
    this.#sweep(SWEEP_STEP);
    if (!this.#fits(size)) {
      if (whenFull === "refuse") this.#sweepAllIfDue();
      else while (!this.#fits(size) && this.#evictOne()) {}
    }
    if (!this.#fits(size)) return false;
    this.#add({ key, value, expiresAt, size, used: false, live: true, older: this.#newest, newer: null });
    return true;
  }

  /** @returns whether there was such an entry. */
  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    this.#remove(entry);
    return true;
  }

  clear(): void {
    for (let entry = this.#oldest; entry; entry = entry.newer) this.#remove(entry);
  }

  /** The live entries, oldest first. */
  *[Symbol.iterator](): IterableIterator<[string, Value]> {
    const now = this.#options.platform.now();
    for (let entry = this.#oldest; entry; entry = entry.newer)
      if (entry.live && entry.expiresAt > now) yield [entry.key, entry.value];
  }

  #fits(size: number): boolean {
    const { entries, bytes = Number.POSITIVE_INFINITY } = this.#options;
    return this.#size < entries && this.#bytes + size <= bytes;
  }

  #add(entry: Entry<Value>): void {
    if (this.#newest) this.#newest.newer = entry;
    else this.#oldest = entry;
    this.#newest = entry;
    this.#entries.set(entry.key, entry);
    this.#size += 1;
    this.#bytes += entry.size;
  }

  #remove(entry: Entry<Value>): void {
    entry.live = false;
    if (entry.older) entry.older.newer = entry.newer;
    else this.#oldest = entry.newer;
    if (entry.newer) entry.newer.older = entry.older;
    else this.#newest = entry.older;
    if (this.#hand === entry) this.#hand = entry.newer;
    if (this.#sweepFrom === entry) this.#sweepFrom = entry.newer;
    this.#size -= 1;
    this.#bytes -= entry.size;
    this.#entries.set(entry.key, null);
    this.#removedKeys.push(entry.key);
    if (this.#removedKeys.length > MAX_REMOVED) this.#forgetRemoved();
    this.#options.dropped?.(entry.value, entry.key);
  }

  /** Takes the keys that were not added again out of the Map. */
  #forgetRemoved(): void {
    for (const key of this.#removedKeys) if (this.#entries.get(key) === null) this.#entries.delete(key);
    this.#removedKeys.length = 0;
  }

  /** @returns false when nothing is left. */
  #evictOne(): boolean {
    // Each entry that is passed over counts as unread then: the hand stops at the latest in its second round.
    let entry = this.#hand ?? this.#oldest;
    while (entry?.used) {
      entry.used = false;
      entry = entry.newer ?? this.#oldest;
    }
    if (!entry) return false;
    this.#hand = entry;
    this.#remove(entry);
    return true;
  }

  #sweep(max: number): void {
    const now = this.#options.platform.now();
    let entry = this.#sweepFrom ?? this.#oldest;
    for (let checked = 0; entry && checked < max; checked += 1) {
      if (entry.expiresAt <= now) this.#remove(entry);
      entry = entry.newer;
    }
    this.#sweepFrom = entry;
  }

  #sweepAllIfDue(): void {
    const now = this.#options.platform.now();
    if (now - this.#sweptAt < FULL_SWEEP_MS) return;
    this.#sweptAt = now;
    this.#sweepFrom = null;
    this.#sweep(Number.POSITIVE_INFINITY);
  }
}
