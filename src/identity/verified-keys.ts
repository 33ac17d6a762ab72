import * as z from "zod/mini";
import { admits } from "../config/access.ts";
import type { Route } from "../config/route.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { wellFormed } from "../runtime/well-formed.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { Outbox } from "../store/outbox.ts";
import type { Replay } from "../store/recovery.ts";
import type { KeyClaim } from "./caller.ts";

/** The user and tier that the origin's `X-Edge-Caller` names for an accepted key; null where it names none. */
export interface VerifiedKey {
  userId: string | null;
  tier: string | null;
}

export interface VerifiedKeysOptions {
  platform: Platform;
  keys: Keys;
  /** How long the isolate goes by what it heard of a key, ms: `ISOLATE_MAX_AGE_MS`. Default 5000. */
  isolateMaxAgeMs?: number;
  /** Whether any route has `verifiesKeys`. Where none has, no key can be verified. Default true. */
  inUse?: boolean;
  /** `Store.onRecovery`: ends that Redis has not heard of are written when it is back. */
  onRecovery?(replay: Replay): void;
}

interface Known extends VerifiedKey {
  /** The end of the verification, ms since the epoch. */
  until: number;
  /** When the origin, or Redis, was last asked, ms since the epoch. */
  heardAt: number;
}

/** The end of a verification. Times are ms since the epoch. */
interface End {
  at: number;
  /** When Redis was told: until then it may still say that the key is verified. */
  toldAt: number;
}

/** How long a verification holds, in the isolate and in Redis, s. */
const VERIFIED_SECONDS = 300;
const MAX_KEYS = 10_000;
/** Keys that Redis does not know, from one address within `ISOLATE_MAX_AGE_MS`, before it is asked of no more. */
const MAX_UNKNOWN = 10;

const text = z.nullable(z.string().check(wellFormed));
const stored = z.object({ userId: text, tier: text, until: z.number() });

/**
 * API keys that the origin has verified by `X-Edge-Caller`, stored by their hash. A verification holds 300 s. A 401, a 403
 * or `X-Edge-Caller: null` ends it in this isolate at once and in every other within `ISOLATE_MAX_AGE_MS`: the request that
 * finds it older than that has it read from Redis along with its batch, before anybody is let in by it.
 */
export function createVerifiedKeys(options: VerifiedKeysOptions) {
  const { platform, keys, isolateMaxAgeMs = 5000, inUse = true } = options;
  const known = new BoundedMap<Known>({ platform, entries: MAX_KEYS, whenFull: "evict" });
  /** Of keys that Redis does not know: each by its hash, and how many came from an address, for `isolateMaxAgeMs`. */
  const unknown = new BoundedMap<number>({ platform, entries: MAX_KEYS, whenFull: "evict" });
  const ended = new BoundedMap<End>({ platform, entries: MAX_KEYS, whenFull: "evict" });
  const pendingEnds = new Outbox<true>({
    platform,
    entries: MAX_KEYS,
    write: (batch, _, hash) => deleteFrom(batch, hash),
  });
  options.onRecovery?.((batch) => pendingEnds.replay(batch));

  return {
    /** The verified key with this hash, as far as this isolate knows. */
    get(hash: string): VerifiedKey | undefined {
      const key = known.get(hash);
      return key && { userId: key.userId, tier: key.tier };
    },

    get size(): number {
      return known.size;
    },

    /**
     * Whether Redis is to be asked of a request's key: the isolate has heard nothing of it for `ISOLATE_MAX_AGE_MS`, or does
     * not know it, and the route verifies keys or lets no caller without credentials in.
     */
    isDue(key: KeyClaim, { access, verifiesKeys }: Pick<Route, "access" | "verifiesKeys">): boolean {
      if (!inUse || key.kind === "absent") return false;
      if (key.kind === "unverified") return verifiesKeys || (access !== "public" && admits(access, "key"));
      const heardAt = known.get(key.hash)?.heardAt;
      return heardAt !== undefined && Math.abs(platform.now() - heardAt) > isolateMaxAgeMs;
    },

    /**
     * Whether a caller who is refused by address need not be asked about: Redis has just said that it does not know this key,
     * or has said so of several keys from this address.
     */
    isHopeless(key: KeyClaim, addressHash: string): boolean {
      if (key.kind !== "unverified") return false;
      return unknown.get(key.hash) !== undefined || (unknown.get(addressHash) ?? 0) >= MAX_UNKNOWN;
    },

    /**
     * Queues a read of the key.
     *
     * @param addressHash The hash of the caller's address.
     * @returns the second step, to be called when the batch is back: the claim as it is known then, the same object where
     * nothing has changed. A key that is verified already stays so where Redis does not answer (law 2).
     */
    look(
      claim: Exclude<KeyClaim, { kind: "absent" }>,
      batch: Batch,
      addressHash?: string,
    ): () => Promise<KeyClaim> {
      const { hash } = claim;
      const askedAt = platform.now();
      const reply = batch.read(keys.verifiedKey(hash)).then(
        (found) => {
          hear(hash, found, askedAt);
          return true;
        },
        (error: unknown) => error instanceof StoreError && error.code === "absent",
      );
      return async () => {
        const heard = await reply;
        const key = known.get(hash);
        if (key && isAsClaimed(key, claim)) return claim;
        if (key) return { kind: "verified", hash, name: null, userId: key.userId, tier: key.tier };
        if (heard) noteUnknown(hash, addressHash);
        if (claim.kind === "unverified" && heard) return claim;
        return { kind: "unverified", hash, ...(!heard && { unchecked: true }) };
      };
    },

    /**
     * Stores a key as verified.
     *
     * @param askedAt When the origin was asked, ms since the epoch: an end that came since then holds. Default now.
     */
    remember(hash: string, { userId, tier }: VerifiedKey, batch: Batch, askedAt?: number): void {
      const now = platform.now();
      if (askedAt !== undefined && askedAt <= (ended.get(hash)?.at ?? Number.NEGATIVE_INFINITY)) return;
      const key = { userId, tier, until: now + VERIFIED_SECONDS * 1000 };
      known.set(hash, { ...key, heardAt: now }, key.until);
      ended.delete(hash);
      pendingEnds.delete(hash);
      batch.queue((pipeline) =>
        pipeline.set(keys.verifiedKey(hash), JSON.stringify(key), { ex: VERIFIED_SECONDS }),
      );
    },

    /**
     * Ends a key's verification. Where Redis cannot be told, it is told when it is back.
     *
     * @returns whether Redis has been told. It never rejects.
     */
    async forget(hash: string, batch: Batch): Promise<boolean> {
      const until = platform.now() + VERIFIED_SECONDS * 1000;
      known.delete(hash);
      ended.set(hash, { at: platform.now(), toldAt: Number.POSITIVE_INFINITY }, until);
      try {
        await deleteFrom(batch, hash);
        return true;
      } catch (error) {
        const noStore = error instanceof StoreError && error.code === "absent";
        if (!noStore && ended.get(hash) !== undefined) pendingEnds.put(hash, true, until);
        return false;
      }
    },
  };

  /** Applies what Redis said of a key, unless this isolate has heard something newer since it asked. */
  function hear(hash: string, found: string | null, askedAt: number): void {
    if (askedAt <= (ended.get(hash)?.toldAt ?? Number.NEGATIVE_INFINITY)) return;
    if ((known.get(hash)?.heardAt ?? Number.NEGATIVE_INFINITY) >= askedAt) return;
    const key = found === null ? null : parse(found);
    if (key && key.until > platform.now()) known.set(hash, { ...key, heardAt: askedAt }, key.until);
    else known.delete(hash);
  }

  function noteUnknown(hash: string, addressHash = ""): void {
    const until = platform.now() + isolateMaxAgeMs;
    if (unknown.get(hash) === undefined) unknown.set(hash, 1, until);
    unknown.set(addressHash, (unknown.get(addressHash) ?? 0) + 1, until);
  }

  /** @throws StoreError by the promise. */
  async function deleteFrom(batch: Batch, hash: string): Promise<void> {
    await batch.queue((pipeline) => pipeline.del(keys.verifiedKey(hash)));
    const end = ended.get(hash);
    const toldAt = platform.now();
    if (end) ended.set(hash, { ...end, toldAt }, toldAt + VERIFIED_SECONDS * 1000);
  }
}

export type VerifiedKeys = ReturnType<typeof createVerifiedKeys>;

/** Whether it is the same user's still, of the same tier. */
function isAsClaimed({ userId, tier }: VerifiedKey, claim: KeyClaim): boolean {
  return claim.kind === "verified" && claim.userId === userId && claim.tier === tier;
}

function parse(found: string): z.infer<typeof stored> | null {
  try {
    const result = z.safeParse(stored, JSON.parse(found));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}
