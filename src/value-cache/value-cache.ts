import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { Outbox } from "../store/outbox.ts";
import type { Store } from "../store/store.ts";

export interface ValueCacheOptions {
  store: Store;
  keys: Keys;
  platform: Platform;
  /** Default lifetime of a value, s. Default 3600. */
  ttlSeconds?: number;
  /** `false` stores values in the isolate only. Default true. */
  useRedis?: boolean;
  /** Maximum number of values in the isolate. Default 10000. */
  entries?: number;
  /** Maximum bytes of their JSON. Default 8 MiB. */
  bytes?: number;
}

/** The result of `get`. `hit` distinguishes a stored `null` from a missing value. */
export type ValueReply<Value> = { hit: true; value: Value } | { hit: false };

/** A write of this isolate: the value's JSON, or null for a deletion. */
interface Change {
  json: string | null;
  expiresAt: number;
}

/**
 * A key-value cache for handlers. It stores any JSON value: `0`, `""`, `false` and `null` are hits. Values are in Redis. While
 * the store is lost, they are in the isolate's map, and its changes are written when the store is back.
 */
export function createValueCache(options: ValueCacheOptions) {
  const { store, keys, platform, ttlSeconds = 3600, entries = 10_000, bytes = 8 * 1024 * 1024 } = options;
  const onRedis = (options.useRedis ?? true) && store.configured;
  const values = new BoundedMap<Change>({
    platform,
    entries,
    bytes,
    sizeOf,
    whenFull: "evict",
  });

  const pending = new Outbox<Change>({
    platform,
    entries,
    bytes,
    sizeOf,
    write: (batch, change, name) => queueWrite(name, change, batch),
  });
  store.onRecovery((batch) => pending.replay(batch));

  /** Reads a value with at most one call. A stored `null` is a hit. It never rejects for an outage. */
  async function get<Value>(name: string): Promise<ValueReply<Value>> {
    // A change that waits to be written to Redis is newer than the value in Redis.
    const here = pending.get(name) ?? values.get(name);
    if (!onRedis || pending.get(name)) return replyOf(here?.json ?? null);
    const batch = store.batch();
    const read = batch.read(keys.value(name));
    await batch.send();
    try {
      return replyOf(await read);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return replyOf(here?.json ?? null);
    }
  }

  /**
   * Stores a value.
   *
   * @param settings `ttl`: lifetime in seconds.
   * @returns whether Redis has the value; false while only this isolate has it.
   * @throws TypeError for a value that JSON cannot represent, RangeError for a `ttl` that is not greater than 0.
   */
  async function set(
    name: string,
    value: unknown,
    { ttl = ttlSeconds }: { ttl?: number } = {},
  ): Promise<boolean> {
    const json = JSON.stringify(value);
    if (json === undefined) throw new TypeError("A cached value must be JSON");
    if (!(ttl > 0)) throw new RangeError("A lifetime must be more than 0 seconds");
    return write(name, { json, expiresAt: platform.now() + ttl * 1000 });
  }

  /** Deletes a value. @returns whether Redis has deleted it; false while only this isolate has. */
  async function remove(name: string): Promise<boolean> {
    return write(name, { json: null, expiresAt: platform.now() + ttlSeconds * 1000 });
  }

  /**
   * Reads a value. On a miss it calls `fetchValue` once and stores the result.
   *
   * @throws the error of `fetchValue`, and stores nothing then; and the errors of `set`.
   */
  async function getOrSet<Value>(
    name: string,
    fetchValue: () => Promise<Value> | Value,
    settings: { ttl?: number } = {},
  ): Promise<Value> {
    const reply = await get<Value>(name);
    if (reply.hit) return reply.value;
    const value = await fetchValue();
    await set(name, value, settings);
    return value;
  }

  async function write(name: string, change: Change): Promise<boolean> {
    values.set(name, change, change.expiresAt);
    if (!onRedis) return false;
    // What is too long for the batch of an outage's end is deleted by it: the value from before must not come back.
    const kept = sizeOf(change, name) > MAX_PENDING_VALUE_BYTES ? { ...change, json: null } : change;
    pending.put(name, kept, change.expiresAt);
    const batch = store.batch();
    const written = queueWrite(name, change, batch);
    await batch.send();
    try {
      await written;
      if (pending.get(name) === kept) pending.delete(name);
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return false;
    }
  }

  function queueWrite(name: string, { json, expiresAt }: Change, batch: Batch): Promise<unknown> {
    const key = keys.value(name);
    const px = Math.max(1, Math.ceil(expiresAt - platform.now()));
    return batch.queue((pipeline) => (json === null ? pipeline.del(key) : pipeline.set(key, json, { px })));
  }

  return { get, set, delete: remove, getOrSet };
}

export type ValueCache = ReturnType<typeof createValueCache>;

function replyOf<Value>(json: string | null): ValueReply<Value> {
  if (json === null) return { hit: false };
  try {
    return { hit: true, value: JSON.parse(json) as Value };
  } catch {
    return { hit: false };
  }
}

/** All that an outage has left shares its batches: one value must not make them too long. */
const MAX_PENDING_VALUE_BYTES = 256 * 1024;

function sizeOf({ json }: Change, name: string): number {
  return (json?.length ?? 0) + name.length + 64;
}
