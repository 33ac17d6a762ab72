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
  /** Seconds a value lives where `set` names none. Default 3600. */
  ttlSeconds?: number;
  /** false keeps values in the isolate. Default true. */
  useRedis?: boolean;
  /** Most values in the isolate. Default 10000. */
  entries?: number;
  /** Most bytes of their JSON. Default 8 MiB. */
  bytes?: number;
}

/** `hit` distinguishes a stored `null` from nothing stored. */
export type ValueReply<Value> = { hit: true; value: Value } | { hit: false };

/** What the isolate knows of a value: its JSON, or null where it was deleted. */
interface Change {
  json: string | null;
  expiresAt: number;
}

/**
 * A key-value cache for handlers, for any JSON value: `0`, `""`, `false` and `null` are values, not misses. In Redis, and
 * in the isolate's map while Redis does not answer; what was set or deleted meanwhile is written when Redis is back.
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

  /** Makes one call at most. A `null` that was set is a hit. */
  async function get<Value>(name: string): Promise<ValueReply<Value>> {
    // What is not yet written to Redis is newer here.
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
   * @param settings `ttl`: seconds.
   * @returns whether Redis has it; false: only this isolate has, so far.
   * @throws TypeError where the value is no JSON, RangeError where `ttl` is not more than 0.
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

  /** @returns whether Redis has deleted it; false: only this isolate has, so far. */
  async function remove(name: string): Promise<boolean> {
    return write(name, { json: null, expiresAt: platform.now() + ttlSeconds * 1000 });
  }

  /**
   * The value, or where there is none, what `fetchValue` returns; that is stored. `fetchValue` is called once at most. Its
   * error is thrown on, and nothing is stored then.
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
    pending.put(name, change, change.expiresAt);
    const batch = store.batch();
    const written = queueWrite(name, change, batch);
    await batch.send();
    try {
      await written;
      if (pending.get(name) === change) pending.delete(name);
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

function sizeOf({ json }: Change, name: string): number {
  return (json?.length ?? 0) + name.length + 64;
}
