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
  useRedis?: boolean;
  /** Most values in the isolate. Default 10000. */
  entries?: number;
  /** Most bytes of their JSON. Default 8 MiB. */
  bytes?: number;
}

/** `hit` tells a stored `null` from nothing stored. */
export type ValueReply<Value> = { hit: true; value: Value } | { hit: false };

/** What the isolate knows of a value: its JSON, or null where it was deleted. */
interface Kept {
  json: string | null;
  expiresAt: number;
}

/**
 * A key-value cache for handlers, for any JSON value: `0`, `""`, `false` and `null` are values, not misses. In Redis, and
 * in the isolate's map while Redis does not answer; what was set or deleted meanwhile is told to Redis when it is back.
 */
export function createValueCache(options: ValueCacheOptions) {
  const { store, keys, platform, ttlSeconds = 3600, entries = 10_000, bytes = 8 * 1024 * 1024 } = options;
  const onRedis = (options.useRedis ?? true) && store.configured;
  const kept = new BoundedMap<Kept>({
    platform,
    entries,
    bytes,
    sizeOf: sizeOfKept,
    whenFull: "evict",
  });

  const untold = new Outbox<Kept>({
    platform,
    entries,
    bytes,
    sizeOf: sizeOfKept,
    write: (batch, change, name) => queueTell(name, change, batch),
  });
  store.onRecovery((batch) => untold.replay(batch));

  /** One batch at most; `undefined` never comes out, `null` only where it was set. */
  async function get<Value>(name: string): Promise<ValueReply<Value>> {
    // What Redis has not been told is known better here.
    const here = untold.get(name) ?? kept.get(name);
    if (!onRedis || untold.get(name)) return replyOf(here?.json ?? null);
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

  /** @returns whether Redis has it; false: this isolate alone. */
  async function set(
    name: string,
    value: unknown,
    { ttl = ttlSeconds }: { ttl?: number } = {},
  ): Promise<boolean> {
    const json = JSON.stringify(value);
    if (json === undefined) throw new TypeError("A cached value must be JSON");
    if (!(ttl > 0)) throw new RangeError("A lifetime must be more than 0 seconds");
    return tell(name, { json, expiresAt: platform.now() + ttl * 1000 });
  }

  async function remove(name: string): Promise<boolean> {
    return tell(name, { json: null, expiresAt: platform.now() + ttlSeconds * 1000 });
  }

  /**
   * The value, or what `fetchValue` gives, stored. A fetch that fails is called once; its error is handed on and nothing is
   * stored.
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

  async function tell(name: string, change: Kept): Promise<boolean> {
    kept.set(name, change, change.expiresAt);
    if (!onRedis) return false;
    untold.put(name, change, change.expiresAt);
    const batch = store.batch();
    const told = queueTell(name, change, batch);
    await batch.send();
    try {
      await told;
      if (untold.get(name) === change) untold.delete(name);
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return false;
    }
  }

  function queueTell(name: string, { json, expiresAt }: Kept, batch: Batch): Promise<unknown> {
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

function sizeOfKept({ json }: Kept, name: string): number {
  return (json?.length ?? 0) + name.length + 64;
}
