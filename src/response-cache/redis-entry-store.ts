import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { decodeEntry, type Entry, encodeEntry } from "./entry.ts";
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
import { MAX_LIFE_MS } from "./purge-log.ts";
import {
  findScript,
  INVALIDATION_FIELDS,
  invalidateScript,
  putScript,
  VARYLESS,
  withdrawScript,
} from "./redis-scripts.ts";

/** Different `Vary` fields of one URL that are tried, the newest first. */
const MAX_VARY_SETS = 4;

export interface RedisEntryStoreOptions {
  keys: Pick<Keys, "response" | "purges">;
  platform: Pick<Platform, "now">;
}

/**
 * Entries in Redis, for all isolates. One hash per address: `vary` (a line per set of names), `order` (variants, oldest
 * first), and for each variant `i:` its id, `e:` the entry, `t:` the tag by which the origin may name it and `w:` when it
 * was withdrawn; and when the URL's entries were invalidated. A variant's name is the SHA-1 of its text.
 */
export class RedisEntryStore implements EntryStore {
  readonly #keys: RedisEntryStoreOptions["keys"];
  readonly #platform: RedisEntryStoreOptions["platform"];

  constructor({ keys, platform }: RedisEntryStoreOptions) {
    this.#keys = keys;
    this.#platform = platform;
  }

  async find({ key, sharedKey }: EntryAddress, query: EntryQuery, batch: Batch): Promise<Finding> {
    const { purgesSince, heldId, selecting } = query;
    const reply = await batch.run<unknown>(
      findScript,
      [this.#keys.response(key), this.#keys.purges(), this.#keys.response(sharedKey)],
      [purgesSince ?? "", heldId ?? "", this.#platform.now(), ...selecting.asArguments()],
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

  /**
   * An answer that does not vary, at an address where nothing is (`isNew`), is two plain commands in place of a script of
   * four; a variant that another isolate stores at the same moment may be lost.
   */
  async put({ key }: EntryAddress, entry: Entry, isNew: boolean, batch: Batch): Promise<void> {
    const hash = this.#keys.response(key);
    const text = await encodeEntry(entry);
    const { vary } = entry.meta;
    const keepMs = Math.max(1000, Math.min(MAX_LIFE_MS, Math.ceil(entry.keepUntil - this.#platform.now())));
    if (isNew && vary.length === 0) {
      const names = { vary: "-", order: VARYLESS, [`i:${VARYLESS}`]: entry.id };
      const fields = { ...names, [`e:${VARYLESS}`]: text, [`t:${VARYLESS}`]: tagLine(entry) };
      void batch.queue((pipeline) => pipeline.hset(hash, fields));
      void batch.queue((pipeline) => pipeline.pexpire(hash, keepMs));
      return;
    }
    void batch.run(
      putScript,
      [hash],
      [setOf(vary), entry.variant, entry.id, text, keepMs, MAX_VARIANTS, MAX_VARY_SETS, tagLine(entry)],
    );
  }

  async invalidate({ sharedKey }: EntryAddress, at: InvalidatedAt, batch: Batch): Promise<void> {
    const kinds = (["hard", "soft"] as const).filter((kind) => at[kind] > 0);
    const hash = this.#keys.response(sharedKey);
    await Promise.all(
      kinds.map((kind) =>
        batch.run(invalidateScript, [hash], [INVALIDATION_FIELDS[kind], at[kind], MAX_LIFE_MS]),
      ),
    );
  }

  /** A later entry stays. The time is kept as long as what other isolates may hold of the variant. */
  async withdraw({ key }: EntryAddress, withdrawal: Withdrawal, batch: Batch): Promise<void> {
    const { variant, vary, id, requestTime } = withdrawal;
    await batch.run(
      withdrawScript,
      [this.#keys.response(key)],
      [setOf(vary), variant, id, requestTime, MAX_LIFE_MS],
    );
  }
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
