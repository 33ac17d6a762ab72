import { BoundedMap } from "../runtime/bounded-map.ts";
import { hex } from "../runtime/hex.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { listIn } from "../store/replies.ts";
import type { Store } from "../store/store.ts";
import { sharedKeyOf } from "./address.ts";
import { isHere } from "./body.ts";
import { type ChangeMember, MISSED } from "./changes.ts";
import { decodeEntry, type EncodedEntry, type Entry, encodeEntry, takeBody } from "./entry.ts";
import {
  type EntryAddress,
  type EntryQuery,
  type EntryStore,
  type Finding,
  type InvalidatedAt,
  MAX_VARIANTS,
  type OtherVariant,
  type RestOfWrite,
  type Withdrawal,
} from "./entry-store.ts";
import { namingTag } from "./naming-tag.ts";
import { MAX_LIFE_MS } from "./purge-log.ts";
import { isQuick, quickFillTakesMs } from "./quick-fill.ts";
import { findScript, invalidateScript, MARKERS, putScript, withdrawScript } from "./redis-scripts.ts";

/** Bytes of a long body as text: every plan of Upstash takes a request, and gives a reply, of 1 MB. Less is learnt. */
const MAX_COMMAND_BYTES = 1_000_000 - 160 * 1024;
/** Nobody waits for the write of a long body, ms. */
const LONG_WRITE_MS = 10_000;
/** Ms for which a variant's withdrawal is kept where nothing else of the URL is. */
const WITHDRAWAL_LIFE_MS = 3_600_000;
/**
 * Writes to URLs of which nothing is stored, that one isolate notes at a time: whoever writes to many URLs must not fill the
 * store (law 5).
 */
const MAX_EMPTY_STAMPS = 500;
/** Different `Vary` fields of one URL that are tried, the newest first. */
const MAX_VARY_SETS = 4;

export interface RedisEntryStoreOptions {
  keys: Pick<Keys, "response" | "variants" | "longBody" | "invalidatedAt" | "purges" | "changes">;
  platform: Pick<Platform, "now">;
  /** Opens batches for long bodies, and for variants that the request's batch did not ask for. */
  store: Pick<Store, "batch" | "batchApart" | "longestCallMs">;
}

/**
 * Entries in Redis, for all isolates. An answer that does not vary is one text: its id, a line feed, and the entry. Of a URL whose
 * answers vary there is a marker in its place and a hash: `vary` (a line per set of names), `order` (variants, oldest
 * first), and for each variant `i:` its id, `e:` the entry, `b:` its body where that is long, `t:` the tag by which the origin
 * may name it and `w:` when it was withdrawn. A variant's name is the SHA-1 of its text. When the URL was invalidated stands in
 * a key of its own, which no fill writes over.
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
    this.#emptyStampMs = quickFillTakesMs(store.longestCallMs);
    this.#emptyStamps = new BoundedMap({ platform, entries: MAX_EMPTY_STAMPS, whenFull: "refuse" });
  }

  async find(address: EntryAddress, query: EntryQuery, batch: Batch): Promise<Finding> {
    const { key, urlHash } = address;
    const stampKey = this.#keys.invalidatedAt(urlHash);
    const reading = batch.readAll(query.toldOnly ? [stampKey] : [stampKey, this.#keys.response(key)]);
    const purging = this.#readPurges(query, batch);
    const searching = query.varies && !query.toldOnly ? this.#search(key, query, batch) : null;
    searching?.catch(() => {});
    const [[stamp = null, text = null], purged] = await Promise.all([reading, purging]);
    const told: Told = { ...purged, invalidatedAt: invalidationIn(stamp), others: [] };
    if (query.toldOnly) return { kind: "told-only", ...told };
    if (text === MARKERS.varies) {
      told.varies = true;
      return { ...told, ...(await (searching ?? this.#searchApart(key, query))) };
    }
    if (text === null || text === MARKERS.written) return { kind: "nothing", ...told };
    if (/^\d+$/.test(text)) return { kind: "nothing", ...told, withdrawnAt: Number(text) };
    const end = text.indexOf("\n");
    const id = text.slice(0, end);
    if (end !== -1 && id === query.heldId) return { kind: "same", ...told };
    const entry = decodeEntry(text.slice(end + 1), key);
    const isPlain = entry?.id === id && entry.variant === "" && entry.meta.vary.length === 0;
    return isPlain ? { kind: "entry", entry, ...told } : { kind: "corrupt", ...told };
  }

  /** After the entries in the same batch: a purge between the two is seen. A log that somebody has written over is told as lost. */
  async #readPurges({ purgesSince, changesSince }: EntryQuery, batch: Batch) {
    if (purgesSince === null) return { purges: [] };
    const [purges, changes] = await Promise.all([
      this.#readScores(this.#keys.purges(), purgesSince, batch),
      this.#readScores(this.#keys.changes(), changesSince, batch),
    ]);
    const all = [...(purges ?? []), ...(changes ?? [MISSED, this.#platform.now()])];
    return { purges: all, ...(purges === null && { purgesLost: true }) };
  }

  /** Members and scores by turns; null where the key holds something else. */
  async #readScores(key: string, since: string, batch: Batch): Promise<readonly unknown[] | null> {
    const from = since === "-inf" ? since : Number(since);
    const options = { byScore: true, withScores: true } as const;
    try {
      return listIn(await batch.queue((pipeline) => pipeline.zrange(key, from, "+inf", options)));
    } catch (error) {
      if (error instanceof StoreError && error.redisCode === "WRONGTYPE") return null;
      throw error;
    }
  }

  /** Looks for a variant. It is queued at once. */
  async #search(key: string, { selecting, heldId }: EntryQuery, batch: Batch): Promise<Searched> {
    const reply = await batch.run(
      findScript,
      [this.#keys.variants(key)],
      [heldId ?? "", ...selecting.asArguments()],
    );
    // What is no answer of the script must not pass for "nothing stored".
    const [gone, id, text, others] = listIn(reply);
    const withdrawnAt = Number(gone) || 0;
    const found = { ...(withdrawnAt > 0 && { withdrawnAt }), others: othersIn(others) };
    if (id === undefined || id === null) return { kind: "nothing", ...found };
    if (id === 0) return { kind: "other-variants", ...found };
    if (heldId !== null && id === heldId) return { kind: "same", ...found };
    const entry = typeof text === "string" ? decodeEntry(text, key) : null;
    // The script has found it by the request's fields: one that says otherwise belongs elsewhere.
    if (entry?.variant !== selecting.variant(entry?.meta.vary ?? [])) return { kind: "corrupt", ...found };
    if (entry.body.apart) entry.body.apart.inHash = true;
    return { kind: "entry", entry, ...found };
  }

  /** That the URL's answers vary is learnt from the request's batch: a second call, once per isolate and route. */
  async #searchApart(key: string, query: EntryQuery): Promise<Searched> {
    await query.selecting.hide();
    const batch = this.#store.batch(query.waitUntil);
    const searching = this.#search(key, query, batch);
    await batch.send();
    try {
      return await searching;
    } catch (error) {
      if (error instanceof StoreError) return { kind: "other-variants", others: [] };
      throw error;
    }
  }

  async variant({ key }: EntryAddress, name: string, batch: Batch): Promise<Entry | null> {
    const hash = this.#keys.variants(key);
    const reply = await batch.queue((pipeline) => pipeline.hmget(hash, `e:${name}`, `w:${name}`));
    const [text, withdrawnAt] = listIn(reply);
    const entry = typeof text === "string" ? decodeEntry(text, key) : null;
    if (entry?.body.apart) entry.body.apart.inHash = true;
    return entry && entry.meta.requestTime > (Number(withdrawnAt) || 0) ? entry : null;
  }

  async put(address: EntryAddress, entry: Entry, isNew: boolean, batch: Batch): Promise<RestOfWrite> {
    // Where nothing is stored, neither is the body that was.
    if (isNew && isHere(entry.body)) delete entry.body.apart;
    const encoded = await encodeEntry(entry, address.key);
    if (!encoded) return null;
    const { body } = encoded;
    // Its body is where no variant looks for it.
    if (!isHere(entry.body) && !entry.body.apart?.inHash && entry.meta.vary.length > 0) return null;
    if (!body) return this.#putShort(address, entry, encoded, isNew, batch);
    if (body.text.length > this.#maxBytes) return null;
    return async () => {
      const apart = this.#store.batchApart(LONG_WRITE_MS);
      const writing = this.#queuePut(address, entry, encoded, apart);
      await apart.send();
      try {
        const written = await writing;
        if (written !== 0) entry.body.apart = { ...body.apart, ...(written === 2 && { inHash: true }) };
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (error.code === "size") this.#maxBytes = Math.min(this.#maxBytes, body.text.length - 1);
      }
    };
  }

  /**
   * An answer that does not vary, at an address where nothing is (`isNew`), is one plain command in place of a script of four,
   * unless it took its time. It writes over nothing: where a write was noted meanwhile, or another isolate was first, the
   * script decides which of the two stays.
   */
  #putShort(
    address: EntryAddress,
    entry: Entry,
    encoded: EncodedEntry,
    isNew: boolean,
    batch: Batch,
  ): RestOfWrite {
    const now = this.#platform.now();
    if (!isNew || entry.meta.vary.length > 0 || !isQuick(entry, now)) {
      void this.#queuePut(address, entry, encoded, batch);
      return null;
    }
    const { key } = address;
    const text = `${entry.id}\n${encoded.text}`;
    const px = keepMsOf(entry, now);
    this.#markAudience(address, px, batch);
    const storing = batch.queue((pipeline) => pipeline.set(this.#keys.response(key), text, { nx: true, px }));
    let isTaken = false;
    storing.then(
      (stored) => {
        isTaken = stored === null;
      },
      () => {},
    );
    return (again) => {
      if (isTaken) void this.#queuePut(address, entry, encoded, again);
    };
  }

  #queuePut(
    address: EntryAddress,
    entry: Entry,
    { text, body }: EncodedEntry,
    batch: Batch,
  ): Promise<unknown> {
    const { key, urlHash } = address;
    const { vary, requestTime } = entry.meta;
    const now = this.#platform.now();
    const keepMs = keepMsOf(entry, now);
    this.#markAudience(address, keepMs, batch);
    const beside = body?.text ?? (entry.body.apart ? "kept" : "none");
    const ending: (ChangeMember | typeof MISSED)[] = [`h${urlHash}`, `d${key}`, MISSED];
    const looked = !body && isQuick(entry, now) ? [] : ending;
    const bounds = [keepMs, MAX_VARIANTS, MAX_VARY_SETS];
    const settings = [...bounds, tagLine(entry), beside, requestTime, now, ...looked];
    const { response, changes, invalidatedAt, variants, longBody } = this.#keys;
    const names = [response(key), changes(), invalidatedAt(urlHash), variants(key), longBody(key)];
    return batch.run(putScript, names, [setOf(vary), entry.variant, entry.id, text, ...settings]);
  }

  async fetchBody({ key }: EntryAddress, { variant, body }: Entry): Promise<boolean> {
    if (isHere(body)) return true;
    const batch = this.#store.batchApart();
    const { variants, longBody } = this.#keys;
    const field = `b:${await sha1(variant)}`;
    const reading = batch.queue((pipeline) =>
      body.apart?.inHash ? pipeline.hget(variants(key), field) : pipeline.get(longBody(key)),
    );
    await batch.send();
    try {
      const text = await reading;
      return typeof text === "string" && takeBody(body, text);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return false;
    }
  }

  async invalidate({ urlHash }: EntryAddress, at: InvalidatedAt, batch: Batch): Promise<void> {
    const kinds = (["hard", "soft"] as const).filter((kind) => at[kind] > 0);
    const shared = ["https:", "http:"].map((scheme) => this.#keys.response(sharedKeyOf(urlHash, scheme)));
    const names = [this.#keys.invalidatedAt(urlHash), this.#keys.changes(), ...shared];
    const noted = this.#emptyStamps.set(urlHash, true, this.#platform.now() + this.#emptyStampMs);
    await Promise.all(
      kinds.map((kind) => {
        const member: ChangeMember = `${kind === "hard" ? "h" : "s"}${urlHash}`;
        const emptyMs = noted ? this.#emptyStampMs : "";
        return batch.run(invalidateScript, names, [kind, at[kind], this.#platform.now(), member, emptyMs]);
      }),
    );
  }

  /** A later entry stays. The time is kept as long as a fill may take: an earlier one may yet arrive. */
  async withdraw({ key }: EntryAddress, withdrawal: Withdrawal, batch: Batch): Promise<void> {
    const { variant, vary, id, requestTime } = withdrawal;
    const member: ChangeMember = `d${key}`;
    const { response, changes, variants, longBody } = this.#keys;
    await batch.run(
      withdrawScript,
      [response(key), changes(), variants(key), longBody(key)],
      [setOf(vary), variant, id, requestTime, WITHDRAWAL_LIFE_MS, this.#platform.now(), member],
    );
  }

  /** Keeps the place of an invalidation where the entry is one audience's, so that a write to the URL knows how long it may live. */
  #markAudience({ key, sharedKey, urlHash }: EntryAddress, px: number, batch: Batch): void {
    if (key === sharedKey) return;
    const name = this.#keys.invalidatedAt(urlHash);
    void batch.queue((pipeline) => pipeline.set(name, "", { nx: true, px }));
    void batch.queue((pipeline) => pipeline.pexpire(name, px, "GT"));
  }
}

/** What is told beside what is found. */
type Told = Pick<Finding, "purges" | "purgesLost" | "invalidatedAt" | "others" | "varies">;

type Searched = DistributiveOmit<Finding, "purges" | "invalidatedAt">;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function invalidationIn(stamp: string | null): InvalidatedAt {
  const [hard = 0, soft = 0] = (stamp ?? "").split(" ").map((each) => Number(each) || 0);
  return { hard, soft };
}

function keepMsOf({ keepUntil }: Entry, now: number): number {
  return Math.max(1000, Math.min(MAX_LIFE_MS, Math.ceil(keepUntil - now)));
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
