import { admits } from "../config/access.ts";
import type { Route } from "../config/route.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { Outbox } from "../store/outbox.ts";
import type { Replay } from "../store/recovery.ts";
import { textIn } from "../store/replies.ts";
import type { KeyClaim } from "./caller.ts";
import {
  type KeyStatus,
  keyStatusArguments,
  keyStatusScript,
  mergedStatus,
  parseKeyStatus,
  VERIFIED_SECONDS,
  type VerifiedKey,
} from "./key-status.ts";
import { UnknownKeys } from "./unknown-keys.ts";

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

type SentKey = Exclude<KeyClaim, { kind: "absent" }>;

interface Known extends VerifiedKey {
  /** When the origin was asked, ms since the epoch. The verification holds `VERIFIED_SECONDS` from then. */
  askedAt: number;
  /** When the origin, or Redis, was last asked, ms since the epoch. */
  heardAt: number;
  /** When this isolate learned of it from the origin, ms since the epoch: Redis may have it a little later. */
  learnedAt: number;
}

const MAX_KEYS = 10_000;
/** Ends of keys that nobody is known to have verified, within 300 s: whoever makes keys up causes one with each. */
const MAX_STRANGERS = 1000;

/**
 * API keys that the origin has verified by `X-Edge-Caller`, stored by their hash. A verification holds 300 s. A 401, a 403
 * or `X-Edge-Caller: null` ends it in this isolate at once and in every other within `ISOLATE_MAX_AGE_MS`: the request that
 * finds it older than that has it read from Redis along with its batch, before anybody is let in by it.
 *
 * An acceptance counts from when the origin was asked, an end from when it was told. So an answer that was asked for before
 * an end, in whatever isolate, verifies nothing. Where clocks of isolates differ, the two are compared with that difference.
 */
export function createVerifiedKeys(options: VerifiedKeysOptions) {
  const { platform, keys, isolateMaxAgeMs = 5000, inUse = true } = options;
  const known = new BoundedMap<Known>({ platform, entries: MAX_KEYS, whenFull: "evict" });
  const unknown = new UnknownKeys({ platform, entries: MAX_KEYS, maxAgeMs: isolateMaxAgeMs });
  /** When each key ended, ms since the epoch. */
  const ended = new BoundedMap<number>({ platform, entries: MAX_KEYS, whenFull: "evict" });
  const strangers = new BoundedMap<true>({ platform, entries: MAX_STRANGERS, whenFull: "refuse" });
  /** Ends that Redis does not have yet. */
  const pendingEnds = new Outbox<number>({
    platform,
    entries: MAX_KEYS,
    write: (batch, endedAt, hash) => write(batch, hash, { endedAt, accepted: null }, true),
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

    /** Whether a caller who is refused by address need not be asked about. */
    isHopeless: (key: KeyClaim, addressHash: string) => unknown.has(key, addressHash),

    /**
     * Queues a read of the key.
     *
     * @param addressHash The hash of the caller's address.
     * @returns the second step, to be called when the batch is back: the claim as it is known then, the same object where
     * nothing has changed. A key that is verified already stays so where Redis does not answer (law 2).
     */
    look(claim: SentKey, batch: Batch, addressHash = ""): () => Promise<KeyClaim> {
      const { hash } = claim;
      const lookedAt = platform.now();
      const reply = batch
        .read(keys.keyStatus(hash))
        .then((found) => {
          hear(hash, found, lookedAt);
          return true;
        })
        .catch((error: unknown) => error instanceof StoreError && error.code === "absent");
      return async () => {
        const heard = await reply;
        const key = known.get(hash);
        if (key && isAsClaimed(key, claim)) return claim;
        if (key) return { kind: "verified", hash, name: null, userId: key.userId, tier: key.tier };
        if (heard) unknown.note(hash, addressHash);
        if (claim.kind === "unverified" && heard) return claim;
        return { kind: "unverified", hash, ...(!heard && { unchecked: true }) };
      };
    },

    /**
     * Stores a key as verified.
     *
     * @param askedAt When the origin was asked, ms since the epoch: an end that came since then holds. Default now.
     */
    remember(hash: string, { userId, tier }: VerifiedKey, batch: Batch, askedAt = platform.now()): void {
      const learnedAt = platform.now();
      if (lapseOf(askedAt) <= learnedAt) return;
      const status = { endedAt: 0, accepted: { userId, tier, askedAt } };
      // An answer that took its time is as old as its request: whoever goes by it next asks Redis whether the key has ended.
      take(hash, status, { heardAt: askedAt, learnedAt });
      write(batch, hash, status, true).catch(() => {});
    },

    /**
     * Ends a key's verification. Where Redis cannot be told, it is told when it is back.
     *
     * @param always Keep the end although nobody has verified the key: an operator's word. Otherwise it is kept of the first
     *   1000 such keys within 300 s.
     * @returns whether Redis has been told. It never rejects.
     */
    async forget(hash: string, batch: Batch, always = false): Promise<boolean> {
      const endedAt = platform.now();
      const lapsesAt = lapseOf(endedAt);
      const kept = always || known.get(hash) !== undefined || strangers.set(hash, true, lapsesAt);
      const status = { endedAt, accepted: null };
      if (kept) take(hash, status, { heardAt: endedAt, learnedAt: endedAt });
      try {
        await write(batch, hash, status, kept);
        return true;
      } catch (error) {
        const noStore = error instanceof StoreError && error.code === "absent";
        if (kept && !noStore) pendingEnds.put(hash, endedAt, lapsesAt);
        return false;
      }
    },
  };

  /** Adds a word of the origin or of Redis to what this isolate knows. */
  function take(hash: string, said: KeyStatus, times: Pick<Known, "heardAt" | "learnedAt">): void {
    const endedBefore = ended.get(hash) ?? 0;
    const before = { endedAt: endedBefore, accepted: known.get(hash) ?? null };
    const { endedAt, accepted } = mergedStatus(before, said);
    if (endedAt > endedBefore) ended.set(hash, endedAt, lapseOf(endedAt));
    if (accepted === null) known.delete(hash);
    else if (accepted === said.accepted)
      known.set(hash, { ...accepted, ...times }, lapseOf(accepted.askedAt));
  }

  /** Adds what Redis says of a key. What it does not have is over, unless this isolate learned of it since it asked. */
  function hear(hash: string, found: string | null, lookedAt: number): void {
    const key = known.get(hash);
    const status = parseKeyStatus(found, hash);
    if (key && lookedAt > Math.max(key.heardAt, key.learnedAt)) known.delete(hash);
    take(hash, status, { heardAt: lookedAt, learnedAt: key?.learnedAt ?? lookedAt });
  }

  /** When a word of this time no longer matters; one of the future is of a clock that is wrong. */
  function lapseOf(time: number): number {
    return Math.min(time, platform.now()) + VERIFIED_SECONDS * 1000;
  }

  /** Queues the write of a status, and takes in what Redis makes of it. @throws StoreError by the promise. */
  async function write(batch: Batch, hash: string, status: KeyStatus, always: boolean): Promise<void> {
    const writtenAt = platform.now();
    const args = keyStatusArguments(status, always, hash);
    const reply = await batch.run(keyStatusScript, [keys.keyStatus(hash)], args);
    hear(hash, textIn(reply), writtenAt);
  }
}

export type VerifiedKeys = ReturnType<typeof createVerifiedKeys>;

/** Whether it is the same user's still, of the same tier. */
function isAsClaimed({ userId, tier }: VerifiedKey, claim: KeyClaim): boolean {
  return claim.kind === "verified" && claim.userId === userId && claim.tier === tier;
}
