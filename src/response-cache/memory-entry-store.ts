import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { isHere } from "./body.ts";
import { type Entry, entrySize } from "./entry.ts";
import {
  type EntryAddress,
  type EntryQuery,
  type EntryStore,
  type Finding,
  type InvalidatedAt,
  MAX_VARIANTS,
  type OtherVariant,
  type Withdrawal,
} from "./entry-store.ts";
import { namingTag } from "./naming-tag.ts";
import { shareTexts } from "./rules/stored.ts";
import { mostRecent } from "./rules/vary.ts";
import type { SelectingFields } from "./selecting-fields.ts";

export interface MemoryEntryStoreOptions {
  platform: Pick<Platform, "now">;
  /** Most bytes, bodies and fields together. */
  bytes: number;
}

type Key = Pick<EntryAddress, "key">;
type UrlHash = Pick<EntryAddress, "urlHash">;

const MAX_URLS = 50_000;
/** URLs whose invalidation is remembered. */
const MAX_INVALIDATIONS = 10_000;
/** Variants whose withdrawal is remembered, bytes of their names, and for how long, ms: a fill may take as long to end. */
const MAX_WITHDRAWALS = 10_000;
const MAX_WITHDRAWAL_BYTES = 4 * 1024 * 1024;
const WITHDRAWAL_LIFE_MS = 3_600_000;

/**
 * Entries in the isolate: the only store, or the copy in front of Redis. A list of variants per address, the newest
 * first, bounded by bytes over all of them. It answers at once, so a hit in it costs no call.
 */
export class MemoryEntryStore implements EntryStore {
  readonly #urls: BoundedMap<readonly Entry[]>;
  readonly #invalidatedAt = new Map<string, InvalidatedAt>();
  readonly #withdrawnAt: BoundedMap<number>;
  /** When another isolate has withdrawn some variant of an address. */
  readonly #droppedAt: BoundedMap<number>;
  /** Invalidations up to then may be forgotten. */
  #forgottenUpTo = 0;
  readonly #platform: MemoryEntryStoreOptions["platform"];

  constructor({ platform, bytes }: MemoryEntryStoreOptions) {
    this.#platform = platform;
    this.#withdrawnAt = new BoundedMap({
      platform,
      entries: MAX_WITHDRAWALS,
      bytes: MAX_WITHDRAWAL_BYTES,
      sizeOf: (_, name) => 2 * name.length + 128,
      whenFull: "evict",
    });
    this.#droppedAt = new BoundedMap({ platform, entries: MAX_WITHDRAWALS, whenFull: "evict" });
    this.#urls = new BoundedMap({
      platform,
      entries: MAX_URLS,
      bytes,
      sizeOf: (entries, key) => key.length + entries.reduce((sum, entry) => sum + entrySize(entry), 0),
      whenFull: "evict",
    });
  }

  /** Addresses, bytes, and URLs with an invalidation. */
  get sizes(): { urls: number; bytes: number; invalidations: number } {
    return { urls: this.#urls.size, bytes: this.#urls.bytes, invalidations: this.#invalidatedAt.size };
  }

  find(address: Key & UrlHash, { selecting, heldId }: Pick<EntryQuery, "selecting" | "heldId">): Finding {
    const entry = this.held(address, selecting);
    const others: OtherVariant[] = [];
    for (const each of this.variants(address)) {
      const tag = each === entry ? null : namingTag(each);
      if (tag !== null) others.push({ name: each.variant, tag, shareable: each.shareable });
    }
    const found = { others, invalidatedAt: this.invalidatedAt(address), purges: [] };
    if (!entry) return { kind: this.holds(address) ? "other-variants" : "nothing", ...found };
    return entry.id === heldId ? { kind: "same", ...found } : { kind: "entry", entry, ...found };
  }

  /**
   * The variant for a request: of several that match, the most recent by `Date` (RFC 9111 §4). Where one is selected by a
   * secret, none is found before `selecting` has hidden it: that one might be the more recent.
   */
  held(address: Key, selecting: SelectingFields): Entry | null {
    const entries = this.variants(address);
    if (!entries.every(({ meta }) => selecting.canTell(meta.vary))) return null;
    const matching = entries.filter(({ meta, variant }) => variant === selecting.variant(meta.vary));
    if (matching.length < 2) return matching[0] ?? null;
    const newest = mostRecent(matching.map(({ meta }) => meta));
    return matching.find(({ meta }) => meta === newest) ?? null;
  }

  variant(address: Key, name: string): Entry | null {
    return this.variants(address).find(({ variant }) => variant === name) ?? null;
  }

  /** All that are held of an address, the newest first. */
  variants({ key }: Key): readonly Entry[] {
    return this.#urls.get(key) ?? [];
  }

  /** Whether the address is held at all, for some request. */
  holds(address: Key): boolean {
    return this.variants(address).length > 0;
  }

  /** Whether the variant was withdrawn since the entry's request left: then {@link put} does nothing. */
  isWithdrawn(address: Key, { variant, meta }: Entry): boolean {
    return meta.requestTime <= (this.#withdrawnAt.get(withdrawalKey(address, variant)) ?? 0);
  }

  /**
   * Whether a fill comes too late: an answer to a later request has withdrawn the variant, here or, perhaps, elsewhere; or has
   * taken its place; or what was written meanwhile is forgotten.
   */
  isOutdated(address: Key, entry: Entry): boolean {
    const { requestTime } = entry.meta;
    const held = this.variant(address, entry.variant)?.meta.requestTime ?? 0;
    const droppedAt = Math.max(this.#forgottenUpTo, this.#droppedAt.get(address.key) ?? 0);
    return this.isWithdrawn(address, entry) || requestTime <= droppedAt || requestTime < held;
  }

  put(address: Key, entry: Entry): null {
    if (this.isWithdrawn(address, entry)) return null;
    shareTexts(entry.meta);
    const others = this.variants(address).filter((each) => each.variant !== entry.variant);
    this.#set(address.key, [entry, ...others].slice(0, MAX_VARIANTS));
    return null;
  }

  /** What was only ever here has its body. */
  fetchBody(_: Key, { body }: Entry): boolean {
    return isHere(body);
  }

  withdraw(address: Key, { variant, requestTime }: Pick<Withdrawal, "variant" | "requestTime">): void {
    const key = withdrawalKey(address, variant);
    const at = Math.max(requestTime, this.#withdrawnAt.get(key) ?? 0);
    this.#withdrawnAt.set(key, at, this.#platform.now() + WITHDRAWAL_LIFE_MS);
    const left = this.variants(address).filter(
      (each) => each.variant !== variant || each.meta.requestTime > requestTime,
    );
    if (left.length > 0) this.#set(address.key, left);
    else this.drop(address);
  }

  /** Counts an entry's bytes anew, where it is still held: its body has got a second form. */
  weigh(address: Key, entry: Entry): void {
    const entries = this.variants(address);
    if (entries.includes(entry)) this.#set(address.key, entries);
  }

  /** Removes what requests up to then have brought; what they are yet to bring is outdated. */
  dropOlder(address: Key, requestTime: number): void {
    const at = Math.max(requestTime, this.#droppedAt.get(address.key) ?? 0);
    this.#droppedAt.set(address.key, at, this.#platform.now() + WITHDRAWAL_LIFE_MS);
    const variants = this.variants(address);
    const left = variants.filter(({ meta }) => meta.requestTime > requestTime);
    if (left.length === variants.length) return;
    if (left.length > 0) this.#set(address.key, left);
    else this.drop(address);
  }

  /** Removes everything that is held; what is known of invalidations and withdrawals stays. Fills of requests up to then are outdated. */
  dropAll(requestTime: number): void {
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, requestTime);
    this.#urls.clear();
  }

  /** Removes all variants of an address. */
  drop({ key }: Key): void {
    this.#urls.delete(key);
  }

  invalidate({ urlHash }: UrlHash, { hard, soft }: InvalidatedAt): void {
    if (hard === 0 && soft === 0) return;
    const known = this.invalidatedAt({ urlHash });
    this.#invalidatedAt.delete(urlHash);
    this.#invalidatedAt.set(urlHash, { hard: Math.max(known.hard, hard), soft: Math.max(known.soft, soft) });
    if (this.#invalidatedAt.size > MAX_INVALIDATIONS) this.#forgetHalf();
  }

  /** What is held cannot be checked by what is forgotten, so that it goes: once for many writes to URLs that differ. */
  #forgetHalf(): void {
    let forgotten = 0;
    for (const [urlHash, { hard, soft }] of [...this.#invalidatedAt].slice(0, MAX_INVALIDATIONS / 2)) {
      this.#invalidatedAt.delete(urlHash);
      forgotten = Math.max(forgotten, hard, soft);
    }
    this.dropAll(forgotten);
  }

  invalidatedAt({ urlHash }: UrlHash): InvalidatedAt {
    return this.#invalidatedAt.get(urlHash) ?? { hard: 0, soft: 0 };
  }

  /** The oldest leave where all have more bytes than there are: the map would refuse the list, and none would be held. */
  #set(key: string, entries: readonly Entry[]): void {
    const keepUntil = Math.max(...entries.map((each) => each.keepUntil));
    for (let held = entries; held.length > 0; held = held.slice(0, -1))
      if (this.#urls.set(key, held, keepUntil)) return;
  }
}

function withdrawalKey({ key }: Key, variant: string): string {
  return `${key} ${variant}`;
}
