import { BoundedMap } from "../runtime/bounded-map.ts";
import { hex } from "../runtime/hex.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import { sharedKeyOf } from "./address.ts";
import { isHere } from "./body.ts";
import type { ChangeMember } from "./changes.ts";
import { decodeEntry, type EncodedEntry, type Entry, encodeEntry, takeBody } from "./entry.ts";
import {
  type EntryAddress,
  type EntryQuery,
  type EntryStore,
  type Finding,
  type InvalidatedAt,
  type LongWrite,
  MAX_VARIANTS,
  type OtherVariant,
  type Withdrawal,
} from "./entry-store.ts";
import { namingTag } from "./naming-tag.ts";
import { MAX_LIFE_MS } from "./purge-log.ts";
import {
  findScript,
  HAS_AUDIENCES,
  INVALIDATION_FIELDS,
  invalidateScript,
  putScript,
  VARYLESS,
  withdrawScript,
} from "./redis-scripts.ts";

/** Bytes of a long body as text: every plan of Upstash takes a request, and gives a reply, of 1 MB. Less is learnt. */
const MAX_COMMAND_BYTES = 1_000_000 - 160 * 1024;
/** Nobody waits for the write of a long body, ms. */
const LONG_WRITE_MS = 10_000;
/** Ms for which a variant's withdrawal is kept where nothing else of the URL is. */
const WITHDRAWAL_LIFE_MS = 3_600_000;
/** A fill that took longer may have met a write, or a later answer, ms: it looks for one. */
const QUICK_FILL_MS = 1000;
/** Ms beside the call to the store that a quick fill may take from its answer to Redis. */
const FILL_MARGIN_MS = 800;
/**
 * Writes to URLs of which nothing is stored, that one isolate notes at a time: whoever writes to many URLs must not fill the
 * store (law 5).
 */
const MAX_EMPTY_STAMPS = 500;
/** Different `Vary` fields of one URL that are tried, the newest first. */
const MAX_VARY_SETS = 4;

export interface RedisEntryStoreOptions {
  keys: Pick<Keys, "response" | "purges" | "changes">;
  platform: Pick<Platform, "now">;
  /** Opens batches for long bodies. */
  store: Pick<Store, "batchApart" | "longestCallMs">;
}

/**
 * Entries in Redis, for all isolates. One hash per address: `vary` (a line per set of names), `order` (variants, oldest
 * first), and for each variant `i:` its id, `e:` the entry, `b:` its body where that is long, `t:` the tag by which the origin
 * may name it and `w:` when it was withdrawn; and when the URL's entries were invalidated. A variant's name is the SHA-1 of its text.
 */
export class RedisEntryStore implements EntryStore {
  readonly #keys: RedisEntryStoreOptions["keys"];
  readonly #platform: RedisEntryStoreOptions["platform"];
  readonly #store: RedisEntryStoreOptions["store"];
  /** URLs whose writes are noted although nothing of them may be stored. */
  readonly #emptyStamps: BoundedMap<true>;
  /**
   * Ms for which a write is noted where nothing of its URL is stored: as long as a quick fill that was under way may yet take
   * to arrive.
   */
  readonly #emptyStampMs: number;
  /** No longer body is sent: the store has refused one of this length, or is known to. */
  #maxBytes = MAX_COMMAND_BYTES;

  constructor({ keys, platform, store }: RedisEntryStoreOptions) {
    this.#keys = keys;
    this.#store = store;
    this.#platform = platform;
    this.#emptyStampMs = QUICK_FILL_MS + Math.max(2000, store.longestCallMs + FILL_MARGIN_MS);
    this.#emptyStamps = new BoundedMap({ platform, entries: MAX_EMPTY_STAMPS, whenFull: "refuse" });
  }

  async find({ key, sharedKey }: EntryAddress, query: EntryQuery, batch: Batch): Promise<Finding> {
    const { purgesSince, changesSince, heldId, selecting } = query;
    const now = this.#platform.now();
    const reply = await batch.run<unknown>(
      findScript,
      [this.#keys.response(key), this.#keys.purges(), this.#keys.response(sharedKey), this.#keys.changes()],
      [purgesSince ?? "", heldId ?? "", now, changesSince, ...selecting.asArguments()],
    );
    const [purges, invalidatedAt, id, text, others] = Array.isArray(reply) ? (reply as unknown[]) : [];
    // What is no answer of the script must not pass for "nothing stored, nothing purged".
    if (!Array.isArray(purges) || !Array.isArray(invalidatedAt))
      throw new StoreError("malformed", "The reply is none that the script gives");
    const [hard = 0, soft = 0, withdrawnAt = 0] = invalidatedAt.map((each) => Number(each) || 0);
    const found = {
      purges,
      invalidatedAt: { hard, soft },
      ...(withdrawnAt > 0 && { withdrawnAt }),
      others: othersIn(others),
    };
    if (id === undefined || id === null) return { kind: "nothing", ...found };
    if (id === 0) return { kind: "other-variants", ...found };
    if (heldId !== null && id === heldId) return { kind: "same", ...found };
    const entry = typeof text === "string" ? decodeEntry(text) : null;
    // The script has found it by the request's fields: one that says otherwise belongs elsewhere.
    const selected = entry?.variant === selecting.variant(entry?.meta.vary ?? []);
    return entry && selected ? { kind: "entry", entry, ...found } : { kind: "corrupt", ...found };
  }

  async variant({ key }: EntryAddress, name: string, batch: Batch): Promise<Entry | null> {
    const hash = this.#keys.response(key);
    const [text, withdrawnAt] =
      (await batch.queue<unknown[]>((pipeline) => pipeline.hmget(hash, `e:${name}`, `w:${name}`))) ?? [];
    const entry = typeof text === "string" ? decodeEntry(text) : null;
    return entry && entry.meta.requestTime > (Number(withdrawnAt) || 0) ? entry : null;
  }

  async put(address: EntryAddress, entry: Entry, isNew: boolean, batch: Batch): Promise<LongWrite> {
    // Where nothing is stored, neither is the body that was.
    if (isNew && isHere(entry.body)) delete entry.body.apart;
    const encoded = await encodeEntry(entry);
    if (!encoded) return null;
    const { body } = encoded;
    if (!body) {
      this.#queuePut(address, entry, encoded, isNew, batch);
      return null;
    }
    if (body.text.length > this.#maxBytes) return null;
    return async () => {
      const apart = this.#store.batchApart(LONG_WRITE_MS);
      const written = this.#queuePut(address, entry, encoded, isNew, apart);
      await apart.send();
      try {
        if ((await written) !== 0) entry.body.apart = body.apart;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (error.code === "size") this.#maxBytes = Math.min(this.#maxBytes, body.text.length - 1);
      }
    };
  }

  /**
   * An answer that does not vary, at an address where nothing is (`isNew`), is two plain commands in place of a script of
   * four, unless it took its time or is long; a variant that another isolate stores at the same moment may be lost. They leave
   * what {@link invalidate} has noted meanwhile.
   */
  #queuePut(
    { key, sharedKey, urlHash }: EntryAddress,
    entry: Entry,
    { text, body }: EncodedEntry,
    isNew: boolean,
    batch: Batch,
  ): Promise<unknown> {
    const hash = this.#keys.response(key);
    const { vary, requestTime } = entry.meta;
    const now = this.#platform.now();
    const keepMs = Math.max(1000, Math.min(MAX_LIFE_MS, Math.ceil(entry.keepUntil - now)));
    const isQuick = !body && now - requestTime < QUICK_FILL_MS;
    if (key !== sharedKey) this.#markAudience(sharedKey, keepMs, batch);
    if (isNew && isQuick && vary.length === 0) {
      const names = { vary: "-", order: VARYLESS, [`i:${VARYLESS}`]: entry.id };
      const fields = { ...names, [`e:${VARYLESS}`]: text, [`t:${VARYLESS}`]: tagLine(entry) };
      const stored = batch.queue((pipeline) => pipeline.hset(hash, fields));
      void batch.queue((pipeline) => pipeline.pexpire(hash, keepMs));
      return stored;
    }
    const beside = body?.text ?? (entry.body.apart ? "kept" : "none");
    const member: ChangeMember | "" = isQuick ? "" : `h${urlHash}`;
    const settings = [keepMs, MAX_VARIANTS, MAX_VARY_SETS, tagLine(entry), beside, requestTime, now, member];
    const names = [hash, this.#keys.changes()];
    return batch.run(putScript, names, [setOf(vary), entry.variant, entry.id, text, ...settings]);
  }

  async fetchBody({ key }: EntryAddress, { variant, body }: Entry): Promise<boolean> {
    if (isHere(body)) return true;
    const batch = this.#store.batchApart();
    const field = `b:${await sha1(variant)}`;
    const reading = batch.queue<unknown>((pipeline) => pipeline.hget(this.#keys.response(key), field));
    await batch.send();
    try {
      const text = await reading;
      return typeof text === "string" && takeBody(body, text);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return false;
    }
  }

  async invalidate({ urlHash, sharedKey }: EntryAddress, at: InvalidatedAt, batch: Batch): Promise<void> {
    const kinds = (["hard", "soft"] as const).filter((kind) => at[kind] > 0);
    const schemes = ["https:", "http:"].map((scheme) => sharedKeyOf(urlHash, scheme));
    const other = schemes.find((each) => each !== sharedKey) ?? sharedKey;
    const names = [this.#keys.response(sharedKey), this.#keys.changes(), this.#keys.response(other)];
    const noted = this.#emptyStamps.set(sharedKey, true, this.#platform.now() + this.#emptyStampMs);
    await Promise.all(
      kinds.map((kind) => {
        const member: ChangeMember = `${kind === "hard" ? "h" : "s"}${urlHash}`;
        const emptyMs = noted ? this.#emptyStampMs : "";
        const args = [INVALIDATION_FIELDS[kind], at[kind], this.#platform.now(), member, emptyMs];
        return batch.run(invalidateScript, names, args);
      }),
    );
  }

  /** A later entry stays. The time is kept as long as a fill may take: an earlier one may yet arrive. */
  async withdraw({ key }: EntryAddress, withdrawal: Withdrawal, batch: Batch): Promise<void> {
    const { variant, vary, id, requestTime } = withdrawal;
    const member: ChangeMember = `d${key}`;
    await batch.run(
      withdrawScript,
      [this.#keys.response(key), this.#keys.changes()],
      [setOf(vary), variant, id, requestTime, WITHDRAWAL_LIFE_MS, this.#platform.now(), member],
    );
  }

  /** Says beside everybody's entries that others of the URL are stored elsewhere, so that a write finds something to mark. */
  #markAudience(sharedKey: string, keepMs: number, batch: Batch): void {
    const hash = this.#keys.response(sharedKey);
    void batch.queue((pipeline) => pipeline.hset(hash, { [HAS_AUDIENCES]: 1 }));
    for (const when of ["NX", "GT"] as const) {
      void batch.queue((pipeline) => pipeline.pexpire(hash, keepMs, when));
    }
  }
}

/** As the scripts name a variant. */
async function sha1(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text))));
}

/** The selecting fields as a line of `vary`. */
function setOf(vary: readonly string[]): string {
  return vary.length === 0 ? "-" : vary.join(",");
}

/** The tag by which the origin may name the entry; a leading `+` says that it is shareable. */
function tagLine(entry: Entry): string {
  const tag = namingTag(entry);
  return tag === null ? "" : `${entry.shareable ? "+" : "-"}${tag}`;
}

function othersIn(reply: unknown): OtherVariant[] {
  const others: OtherVariant[] = [];
  const list: unknown[] = Array.isArray(reply) ? reply : [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    const [name, line] = [list[index], list[index + 1]];
    if (typeof name === "string" && typeof line === "string") {
      others.push({ name, tag: line.slice(1), shareable: line.startsWith("+") });
    }
  }
  return others;
}
