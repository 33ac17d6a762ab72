import type { Platform } from "../platform.ts";
import { BoundedMap } from "../store/index.ts";
import { type Entry, entrySize } from "./entry.ts";
import { variantText } from "./variants.ts";

export interface IsolateTierOptions {
  platform: Pick<Platform, "now">;
  /** Most bytes, bodies and fields together. */
  bytes: number;
}

const MOST_URLS = 50_000;
/** As in Redis. */
const MOST_VARIANTS = 32;

/** The copy in the isolate: a list of variants per URL, the newest first, bounded by bytes over all URLs. */
export class IsolateTier {
  readonly #urls: BoundedMap<readonly Entry[]>;

  constructor({ platform, bytes }: IsolateTierOptions) {
    this.#urls = new BoundedMap({
      platform,
      entries: MOST_URLS,
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

  /** The variant for a request: of several that match, the newest (RFC 9111 §4.1). */
  find(key: string, request: Headers): Entry | null {
    return (
      this.#urls.get(key)?.find((entry) => entry.variant === variantText(entry.meta.vary, request)) ?? null
    );
  }

  /** Whether the URL is held at all, for some request. */
  holds(key: string): boolean {
    return this.#urls.get(key) !== undefined;
  }

  put(key: string, entry: Entry): void {
    const others = (this.#urls.get(key) ?? []).filter((each) => each.variant !== entry.variant);
    const entries = [entry, ...others].slice(0, MOST_VARIANTS);
    this.#urls.set(key, entries, Math.max(...entries.map((each) => each.keepUntil)));
  }

  drop(key: string): void {
    this.#urls.delete(key);
  }
}
