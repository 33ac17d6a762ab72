import * as z from "zod/mini";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { wellFormed } from "../runtime/well-formed.ts";
import type { Batch } from "../store/batch.ts";
import type { Keys } from "../store/keys.ts";

/** What the origin said of a key it accepted (`X-Edge-Caller`), as far as it said anything. */
export interface VerifiedKey {
  userId: string | null;
  tier: string | null;
}

/** The edge believes the origin's answer this long, in the isolate and in Redis. */
const REMEMBERED_SECONDS = 3600;
const MAX_KEYS = 10_000;

const name = z.string().check(wellFormed);
const spoken = z.object({ user_id: z.optional(name), tier: z.optional(name) });
const stored = z.object({ userId: z.nullable(name), tier: z.nullable(name) });

/**
 * API keys that the origin has verified: the answer was 2xx, on a route with `verifiesKeys`, with the key as the only
 * credential. They are known by their hash. The first 401 or 403 forgets a key everywhere.
 */
export function createVerifiedKeys({ platform, keys }: { platform: Platform; keys: Keys }) {
  const known = new BoundedMap<VerifiedKey>({ platform, entries: MAX_KEYS, whenFull: "evict" });
  const keep = (hash: string, key: VerifiedKey) =>
    known.set(hash, key, platform.now() + REMEMBERED_SECONDS * 1000);

  return {
    get: (hash: string): VerifiedKey | undefined => known.get(hash),

    get size(): number {
      return known.size;
    },

    /**
     * Asks Redis along with the batch. This request is still limited by address; the isolate knows the key from the next on.
     */
    look(hash: string, batch: Batch): void {
      batch.read(keys.verifiedKey(hash)).then(
        (text) => {
          const key = text === null ? null : parse(text, stored);
          if (key) keep(hash, key);
        },
        () => {},
      );
    },

    /** @param signal The text of `X-Edge-Caller`, JSON, or undefined. */
    remember(hash: string, signal: string | undefined, batch: Batch): void {
      const said = signal === undefined ? null : parse(signal, spoken);
      const key = { userId: said?.user_id ?? null, tier: said?.tier ?? null };
      keep(hash, key);
      batch.queue((pipeline) =>
        pipeline.set(keys.verifiedKey(hash), JSON.stringify(key), { ex: REMEMBERED_SECONDS }),
      );
    },

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
