import { crc32 } from "node:zlib";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { type Entry, entrySize } from "./entry.ts";
import type { EntryAddress } from "./entry-store.ts";

/** Entries in the shared store that were asked for once in this isolate, and their bytes. */
const MAX_ASKED_ONCE = 1000;
const MAX_ASKED_ONCE_BYTES = 6_000_000;
/** Entries that wait for a second request, and for how long, ms. */
const MAX_WAITING = 5000;
const WINDOW_MS = 600_000;

/**
 * Which entries the isolate writes to the store that all share. Whoever asks for many different URLs once must not fill it
 * (law 5): of entries that were asked for once it holds a number from each isolate; further ones are written when
 * somebody asks for them again. Until then they are in the isolate.
 */
export class Admission {
  readonly #askedOnce: BoundedMap<number>;
  readonly #waiting: BoundedMap<true>;
  readonly #platform: Pick<Platform, "now">;

  constructor(platform: Pick<Platform, "now">) {
    this.#platform = platform;
    this.#askedOnce = new BoundedMap({
      platform,
      entries: MAX_ASKED_ONCE,
      bytes: MAX_ASKED_ONCE_BYTES,
      sizeOf: (size) => size,
      whenFull: "refuse",
    });
    this.#waiting = new BoundedMap({ platform, entries: MAX_WAITING, whenFull: "evict" });
  }

  /** Whether an entry of which nothing was stored is written now. */
  admits(address: EntryAddress, entry: Entry): boolean {
    const name = nameOf(address, entry);
    if (this.#takeWaiting(name) || this.#askedOnce.get(name) !== undefined) return true;
    // As text it is a third longer.
    if (this.#askedOnce.set(name, entrySize(entry) + entry.body.size / 3, entry.keepUntil)) return true;
    this.#waiting.set(name, true, this.#platform.now() + WINDOW_MS);
    return false;
  }

  /** Notes that an entry is asked for again. @returns whether it is to be written now. */
  askedAgain(address: EntryAddress, entry: Entry): boolean {
    if (this.#askedOnce.size + this.#waiting.size === 0) return false;
    const name = nameOf(address, entry);
    this.#askedOnce.delete(name);
    return this.#takeWaiting(name);
  }

  /** Whether {@link askedAgain} would note or write anything. */
  mayBeWritten(address: EntryAddress, entry: Entry): boolean {
    if (this.#askedOnce.size + this.#waiting.size === 0) return false;
    const name = nameOf(address, entry);
    return this.#askedOnce.get(name) !== undefined || this.#waiting.get(name) !== undefined;
  }

  #takeWaiting(name: string): boolean {
    return this.#waiting.get(name) === true && this.#waiting.delete(name);
  }
}

function nameOf({ key }: EntryAddress, { variant }: Entry): string {
  return variant === "" ? key : `${key} ${crc32(variant)}`;
}
