import type { Batch } from "../store/batch.ts";
import type { WaitUntil } from "../store/client.ts";
import type { Entry } from "./entry.ts";
import type { SelectingFields } from "./selecting-fields.ts";

/** Variants of one URL that a store holds; beyond it the oldest leaves. */
export const MAX_VARIANTS = 32;

/** What a URL's entries are found by. */
export interface EntryAddress {
  /** The URL as the cache knows it: without scheme, credentials and ignored parameters. */
  url: string;
  /** Hash of {@link url}: what entries of all audiences and schemes have in common. */
  urlHash: string;
  /** Hash of {@link url} in one spelling, where it is written in another (`rawPath`, a signature): purges reach it by both. */
  spelledHash?: string;
  /** Hash of URL, scheme and audience: the variants of one audience are stored under it. */
  key: string;
  /** Where everybody's entries are. Invalidations are noted there for all audiences. */
  sharedKey: string;
  /** Hash of the user whose own entries they are, where it is one's. */
  user?: string | null;
}

/** When what is stored for a URL became invalid (`hard`) or stale (`soft`), ms since the epoch; 0 where it never did. */
export interface InvalidatedAt {
  hard: number;
  soft: number;
}

/** The origin has withdrawn a variant: in place of it, it gave an answer that may not be stored. */
export interface Withdrawal {
  /** The variant's text, and the selecting fields it is made of. */
  variant: string;
  vary: readonly string[];
  /** The id of the withdrawn entry. */
  id: string;
  /** When the request was sent whose answer withdrew it, ms since the epoch: entries of later requests stay. */
  requestTime: number;
}

/** A variant that was not selected, as far as a search tells of it. */
export interface OtherVariant {
  /** Opaque, for {@link EntryStore.variant}. */
  name: string;
  /** A strong entity tag, by which the origin may name the variant. */
  tag: string;
  /** Whether it may be served to whoever carries credentials. */
  shareable: boolean;
}

export interface EntryQuery {
  /** Hidden already ({@link SelectingFields.hide}). */
  selecting: SelectingFields;
  /** The id of what the isolate holds for this request, or null: the store need not send it again. */
  heldId: string | null;
  /** The time from which purges are to be told, as a score; null where the isolate has read them lately. */
  purgesSince: string | null;
  /** The time from which changes are to be told with the purges, as a score. */
  changesSince: string;
  /** What the isolate holds is fresh: only what takes it out of use is to be told. Default false. */
  toldOnly?: boolean;
  /** Answers of the request's route are known to vary: variants are searched for at once. Default false. */
  varies?: boolean;
  /** Of the request, for a second call where answers turn out to vary. Default nobody waits for it. */
  waitUntil?: WaitUntil;
}

/**
 * What is left of a write once its batch is back, or null. It never throws.
 *
 * @param again What is to be written once more is queued on it, at once; of several writes it is one call.
 */
export type RestOfWrite = ((again: Batch) => Promise<void> | void) | null;

export type Finding = {
  /** Variants whose entity tags the origin may be sent. */
  others: readonly OtherVariant[];
  invalidatedAt: InvalidatedAt;
  /**
   * What the request selects is withdrawn where its own request was sent no later than this, ms since the epoch. Absent
   * where nothing was, and in a store that does not hold what is withdrawn.
   */
  withdrawnAt?: number;
  /** Purges and changes that other isolates have written: members and scores by turns. */
  purges: readonly unknown[];
  /** The log of purges is none: any of them may be lost. */
  purgesLost?: boolean;
  /** Answers of the URL vary. */
  varies?: boolean;
} & (
  | { kind: "nothing" }
  /** The URL is stored, but not for such a request. */
  | { kind: "other-variants" }
  /** What the caller holds. */
  | { kind: "same" }
  /** Nothing was searched for: see {@link EntryQuery.toldOnly}. */
  | { kind: "told-only" }
  | { kind: "entry"; entry: Entry }
  /** What is stored cannot be read. */
  | { kind: "corrupt" }
);

/**
 * A store of entries: a list of variants per address. A finding is not yet an answer: whether an entry was invalidated or
 * purged since its request left is for the caller to decide, from what the finding tells.
 *
 * A store that is reached over the network queues its commands on the batch before it returns; its promises settle with
 * the batch and reject with a StoreError. The isolate's own store answers at once and ignores the batch.
 */
export interface EntryStore {
  /** Searches for the variant that a request selects. */
  find(address: EntryAddress, query: EntryQuery, batch: Batch): Finding | Promise<Finding>;
  /** Reads a variant by its name; null where it is gone or cannot be read. */
  variant(address: EntryAddress, name: string, batch: Batch): Entry | null | Promise<Entry | null>;
  /**
   * Stores a variant in place of the one with the same text. Settles once the write is queued, not once it has arrived:
   * a write that is lost is a miss later.
   *
   * @param isNew A search for this very request found nothing under the address: the write may be cheaper then.
   * @returns what is left to do then: a long body is sent by a call of its own.
   */
  put(address: EntryAddress, entry: Entry, isNew: boolean, batch: Batch): RestOfWrite | Promise<RestOfWrite>;
  /**
   * Fetches the body of an entry that was found without it, by a call of its own (law 9).
   *
   * @returns whether the entry has it now. False where it is gone or cannot be read, or the store does not answer in time.
   */
  fetchBody(address: EntryAddress, entry: Entry): boolean | Promise<boolean>;
  /** Notes that what is stored for the URL is invalid or stale, for all audiences. The later of two times counts. */
  invalidate(address: EntryAddress, at: InvalidatedAt, batch: Batch): void | Promise<void>;
  /** Removes a variant, and what an earlier request may yet bring of it. */
  withdraw(address: EntryAddress, withdrawal: Withdrawal, batch: Batch): void | Promise<void>;
}
