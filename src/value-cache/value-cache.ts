import { checkGiven, type OptionRules } from "../config/check-given.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import { jsonOf } from "../runtime/json-text.ts";
import { isNobody } from "../runtime/nobody.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { Outbox } from "../store/outbox.ts";
import type { Store } from "../store/store.ts";
import { Making } from "./making.ts";

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

/** The result of {@link ValueCache.get}. `hit` distinguishes a stored `null` from a missing value. */
export type ValueReply<Value> =
  | {
      /** There is a value. */
      hit: true;
      /** The value, as JSON has it. */
      value: Value;
    }
  | {
      /** There is none. */
      hit: false;
    };

/**
 * A key-value cache for handlers, in `c.var.edge.values`. It stores any JSON value: `0`, `""`, `false` and `null` are hits. Values are in
 * Redis. While the store is lost, they are in the isolate's map, and its changes are written when the store is back. Each method makes a
 * call of its own, and none rejects for an outage.
 */
export interface ValueCache {
  /**
   * Reads a value with at most one call. A stored `null` is a hit.
   *
   * @param name Its name, any text but what `String()` makes of nothing (`""`, `undefined`, `[object Object]`).
   * @returns the value, typed as you say: it is not checked.
   * @throws RangeError for such a name; likewise in the methods below.
   * @example
   * import type { EdgeVariables } from "envoyou-edge";
   *
   * async function total(values: EdgeVariables["edge"]["values"]): Promise<number> {
   *   const reply = await values.get<number>("total");
   *   return reply.hit ? reply.value : 0;
   * }
   */
  get<Value>(name: string): Promise<ValueReply<Value>>;
  /**
   * Stores a value.
   *
   * @param name Its name, any text.
   * @param value Any JSON.
   * @param settings `ttl`: seconds until it is gone, more than 0. Default `cache.ttlSeconds` (the variable `REDIS_CACHE_TTL`, 3600).
   * @returns whether Redis has the value; false while only this isolate has it.
   * @throws TypeError for a value that JSON cannot represent, or that holds what is nothing in JSON (a Map, a Response), {@link ConfigError} for another setting than `ttl`, and for one
   *   that is not greater than 0 or is above 2,147,483,648.
   * @example
   * import type { EdgeVariables } from "envoyou-edge";
   *
   * const keep = (values: EdgeVariables["edge"]["values"], total: number): Promise<boolean> =>
   *   values.set("total", total, { ttl: 300 });
   */
  set(name: string, value: unknown, settings?: { ttl?: number }): Promise<boolean>;
  /**
   * Deletes a value.
   *
   * @param name Its name.
   * @returns whether Redis has deleted it; false while only this isolate has.
   * @example
   * import type { EdgeVariables } from "envoyou-edge";
   *
   * const forget = (values: EdgeVariables["edge"]["values"]): Promise<boolean> => values.delete("total");
   */
  delete(name: string): Promise<boolean>;
  /**
   * Reads a value. On a miss it calls `fetchValue` once and stores the result, with a second call; not where this isolate has set or
   * deleted the value meanwhile, for that is newer. While one request of an isolate makes a value, others wait for it: up to 2 s, then one of
   * them makes it too, and 10 s in all. They do not wait where it fails. So `fetchValue` may not ask for the same name.
   *
   * @param name Its name, any text.
   * @param fetchValue Makes the value: any JSON.
   * @param settings As for {@link set}.
   * @returns the value.
   * @throws the error of `fetchValue`, and stores nothing then; and the errors of {@link set}.
   * @example
   * import { createEdge, type EdgeEnv } from "envoyou-edge";
   * import { Hono } from "hono";
   *
   * const { edge } = createEdge();
   * const app = new Hono<EdgeEnv>();
   * app.get("/report", edge({ cache: {} }), async (c) => {
   *   const report = await c.var.edge.values.getOrSet("report", () => ({ madeAt: Date.now() }), { ttl: 300 });
   *   return c.json(report);
   * });
   */
  getOrSet<Value>(
    name: string,
    fetchValue: () => Promise<Value> | Value,
    settings?: { ttl?: number },
  ): Promise<Value>;
}

/** A write of this isolate: the value's JSON, or null for a deletion. */
interface Change {
  json: string | null;
  expiresAt: number;
}

const SETTINGS: OptionRules = {
  ttl: {
    fix: (value) =>
      typeof value === "number" && value > 0 && value <= MAX_TTL_SECONDS
        ? null
        : `A lifetime must be more than 0 seconds, and at most ${MAX_TTL_SECONDS}.`,
    optional: true,
  },
};
/** As long as a response may be fresh (RFC 9111 §1.2.2). */
const MAX_TTL_SECONDS = 2 ** 31;

/** The values of an isolate. {@link ValueCache} says what each method does. */
export function createValueCache(options: ValueCacheOptions): ValueCache {
  const { store, keys, platform, ttlSeconds = 3600, entries = 10_000, bytes = 8 * 1024 * 1024 } = options;
  const onRedis = (options.useRedis ?? true) && store.configured;
  const values = new BoundedMap<Change>({
    platform,
    entries,
    bytes,
    sizeOf,
    whenFull: "evict",
  });

  /** By name, the last change of this isolate: however long it is ago, and whether there was room for the value. */
  const lastChanges = new BoundedMap<object>({
    platform,
    entries,
    bytes: MAX_NAMES_BYTES,
    sizeOf: (_, name) => 2 * name.length + 64,
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
  const making = new Making(platform);

  async function get<Value>(name: string): Promise<ValueReply<Value>> {
    checkName(name);
    // A change that waits to be written to Redis is newer than the value in Redis; a long value is here alone.
    const waiting = pending.get(name);
    if (!onRedis || waiting) return replyOf(jsonHere(name));
    const here = values.get(name);
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

  async function set(name: string, value: unknown, settings: { ttl?: number } = {}): Promise<boolean> {
    checkGiven(settings, "values", SETTINGS);
    const { ttl = ttlSeconds } = settings;
    const json = jsonOf(value);
    return write(name, { json, expiresAt: platform.now() + ttl * 1000 });
  }

  async function remove(name: string): Promise<boolean> {
    return write(name, { json: null, expiresAt: platform.now() + ttlSeconds * 1000 });
  }

  async function getOrSet<Value>(
    name: string,
    fetchValue: () => Promise<Value> | Value,
    settings: { ttl?: number } = {},
  ): Promise<Value> {
    checkGiven(settings, "values", SETTINGS);
    const asked = lastChanges.get(name);
    const reply = await get<Value>(name);
    if (reply.hit) return reply.value;
    // What was set meanwhile is newer than the reply.
    const isSet = () => lastChanges.get(name) !== asked && jsonHere(name) !== null;
    const done = await making.turn(name, isSet);
    const here = done ? reply : replyOf<Value>(jsonHere(name));
    if (here.hit) return here.value;
    try {
      const before = lastChanges.get(name);
      const value = await fetchValue();
      // What was set or deleted meanwhile is newer than what was fetched before it.
      const written = lastChanges.get(name) === before ? set(name, value, settings) : null;
      // It is here: nobody else waits for Redis.
      done?.();
      await written;
      return value;
    } finally {
      done?.();
    }
  }

  /** What this isolate has, or is to write: null where it has nothing, or knows of a deletion. */
  function jsonHere(name: string): string | null {
    const here = values.get(name) ?? pending.get(name);
    return here && !isOver(here) ? here.json : null;
  }

  async function write(name: string, change: Change): Promise<boolean> {
    checkName(name);
    values.set(name, change, change.expiresAt);
    lastChanges.set(name, {});
    if (!onRedis) return false;
    // What is too long for the batch of an outage's end is deleted by it: the value from before must not come back.
    const kept = sizeOf(change, name) > MAX_PENDING_VALUE_BYTES ? { ...change, json: null } : change;
    // It waits however soon it is over: the value from before may live longer.
    pending.put(name, kept, Number.POSITIVE_INFINITY);
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
    const px = Math.ceil(expiresAt - platform.now());
    return batch.queue((pipeline) =>
      json === null || px <= 0 ? pipeline.del(key) : pipeline.set(key, json, { px }),
    );
  }

  function isOver({ expiresAt }: Change): boolean {
    return expiresAt <= platform.now();
  }

  return { get, set, delete: remove, getOrSet };
}

/** @throws RangeError for the name of nothing, which would be everybody's. */
function checkName(name: unknown): void {
  if (typeof name !== "string" || isNobody(name))
    throw new RangeError("A value's name is a text that names something");
}

function replyOf<Value>(json: string | null): ValueReply<Value> {
  if (json === null) return { hit: false };
  try {
    return { hit: true, value: JSON.parse(json) as Value };
  } catch {
    return { hit: false };
  }
}

/** Of the names of what was changed. */
const MAX_NAMES_BYTES = 2 * 1024 * 1024;

/** All that an outage has left shares its batches: one value must not make them too long. */
const MAX_PENDING_VALUE_BYTES = 256 * 1024;

function sizeOf({ json }: Change, name: string): number {
  return (json?.length ?? 0) + name.length + 64;
}
