import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { type Entry, entrySize } from "./entry.ts";
import { mostRecent } from "./rules/vary.ts";
import type { SelectingFields } from "./selecting-fields.ts";

export interface MemoryEntryStoreOptions {
  platform: Pick<Platform, "now">;
  /** Most bytes, bodies and fields together. */
  bytes: number;
}

const MAX_URLS = 50_000;
/** As in Redis. */
const MAX_VARIANTS = 32;

/** The copy in the isolate: a list of variants per URL, the newest first, bounded by bytes over all URLs. */
export class MemoryEntryStore {
  readonly #urls: BoundedMap<readonly Entry[]>;

  constructor({ platform, bytes }: MemoryEntryStoreOptions) {
    this.#urls = new BoundedMap({
      platform,
      entries: MAX_URLS,
      bytes,
      sizeOf: (entries, key) => key.length + entries.reduce((sum, entry) => sum + entrySize(entry), 0),
      whenFull: "evict",
    });
  }

  get size(): number {
    return this.#urls.size;
  }

  get bytes(): number {
    return this.#urls.bytes;
  }

  /**
   * The variant for a request: of several that match, the most recent by `Date` (RFC 9111 §4). Where one is selected by a
   * secret, none is found before `selecting` has hidden it: that one might be the more recent.
   */
  find(key: string, selecting: SelectingFields): Entry | null {
    const entries = this.variants(key);
    if (!entries.every(({ meta }) => selecting.canTell(meta.vary))) return null;
    const matching = entries.filter(({ meta, variant }) => variant === selecting.variant(meta.vary));
    if (matching.length < 2) return matching[0] ?? null;
    const newest = mostRecent(matching.map(({ meta }) => meta));
    return matching.find(({ meta }) => meta === newest) ?? null;
  }

  /** All that are held of a URL, the newest first. */
  variants(key: string): readonly Entry[] {
    return this.#urls.get(key) ?? [];
  }

  /** Whether the URL is held at all, for some request. */
  holds(key: string): boolean {
    return this.variants(key).length > 0;
  }

  put(key: string, entry: Entry): void {
    const others = this.variants(key).filter((each) => each.variant !== entry.variant);
    this.#set(key, [entry, ...others].slice(0, MAX_VARIANTS));
  }

  /** Counts an entry's bytes anew, where it is still held: its body has got a second form. */
  weigh(key: string, entry: Entry): void {
    const entries = this.variants(key);
    if (entries.includes(entry)) this.#set(key, entries);
  }

  drop(key: string): void {
    this.#urls.delete(key);
  }

  clear(): void {
    this.#urls.clear();
  }

  #set(key: string, entries: readonly Entry[]): void {
    this.#urls.set(key, entries, Math.max(...entries.map((each) => each.keepUntil)));
  }
}
