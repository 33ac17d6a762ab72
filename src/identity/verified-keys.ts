import * as z from "zod/mini";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { wellFormed } from "../runtime/well-formed.ts";
import type { Batch } from "../store/batch.ts";
import type { Keys } from "../store/keys.ts";

/** The user and tier that the origin's `X-Edge-Caller` names for an accepted key; null where it names none. */
export interface VerifiedKey {
  userId: string | null;
  tier: string | null;
}

/** How long a verified key counts, in the isolate and in Redis, s. */
const REMEMBERED_SECONDS = 3600;
const MAX_KEYS = 10_000;

const name = z.string().check(wellFormed);
const signalled = z.object({ user_id: z.optional(name), tier: z.optional(name) });
const stored = z.object({ userId: z.nullable(name), tier: z.nullable(name) });

/**
 * API keys that the origin has verified: it answered 2xx on a route with `verifiesKeys`, and the key was the only credential.
 * They are stored by their hash. The first 401 or 403 deletes a key from this isolate and from Redis.
 */
export function createVerifiedKeys({ platform, keys }: { platform: Platform; keys: Keys }) {
  const known = new BoundedMap<VerifiedKey>({ platform, entries: MAX_KEYS, whenFull: "evict" });
  const keep = (hash: string, key: VerifiedKey) =>
    known.set(hash, key, platform.now() + REMEMBERED_SECONDS * 1000);

  return {
    /** The key with this hash, if this isolate has it. */
    get: (hash: string): VerifiedKey | undefined => known.get(hash),

    get size(): number {
      return known.size;
    },

    /** Queues a read of the key. This request is still limited by address; the next one finds the key in the isolate. */
    look(hash: string, batch: Batch): void {
      batch.read(keys.verifiedKey(hash)).then(
        (text) => {
          const key = text === null ? null : parse(text, stored);
          if (key) keep(hash, key);
        },
        () => {},
      );
    },

    /** Stores a key as verified. @param signal The JSON of `X-Edge-Caller`, or undefined. Malformed JSON counts as none. */
    remember(hash: string, signal: string | undefined, batch: Batch): void {
      const named = signal === undefined ? null : parse(signal, signalled);
      const key = { userId: named?.user_id ?? null, tier: named?.tier ?? null };
      keep(hash, key);
      batch.queue((pipeline) =>
        pipeline.set(keys.verifiedKey(hash), JSON.stringify(key), { ex: REMEMBERED_SECONDS }),
      );
    },

    /** Deletes a key that the origin has refused. */
    forget(hash: string, batch: Batch): void {
      known.delete(hash);
      batch.queue((pipeline) => pipeline.del(keys.verifiedKey(hash)));
    },
  };
}

export type VerifiedKeys = ReturnType<typeof createVerifiedKeys>;

function parse<Shape>(text: string, schema: z.ZodMiniType<Shape>): Shape | null {
  try {
    const result = z.safeParse(schema, JSON.parse(text));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}
