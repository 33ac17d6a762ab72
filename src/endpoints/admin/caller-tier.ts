import type { Route } from "../../config/route.ts";
import type { VerifiedKeys } from "../../identity/verified-keys.ts";
import type { TierWindow } from "../../ratelimit/limiter.ts";
import type { Sessions } from "../../session/sessions.ts";
import type { Batch } from "../../store/batch.ts";
import { lookUpKey } from "./keys.ts";

/** The tier that a caller has: null for none, undefined where it is not known. */
export type KnownTier = string | null | undefined;

export interface TierSources {
  sessions: { service: Pick<Sessions["service"], "list"> };
  /** Whether there is a `SESSION_SECRET`. */
  hasSessions: boolean;
  verifiedKeys: Pick<VerifiedKeys, "get" | "look">;
}

/** The tier of a user's sessions, where all are known and have the same. A user without one may come with a JWT, of which nothing is stored. */
export async function tierOfUser(user: string, { sessions, hasSessions }: TierSources): Promise<KnownTier> {
  if (!hasSessions) return undefined;
  const { records, complete } = await sessions.service.list(user);
  if (!complete) return undefined;
  const [tier, ...others] = new Set(records.map(({ record }) => record.tier));
  return others.length > 0 ? undefined : tier;
}

/** The tier of a key that the origin has verified, by its hash. Queues a read; what it returns is called when the batch is back. */
export function tierOfHash(
  hash: string,
  { verifiedKeys }: TierSources,
  batch: Batch,
): () => Promise<KnownTier> {
  const heard = lookUpKey(hash, verifiedKeys, batch);
  return async () => {
    const key = await heard();
    return key.kind === "verified" ? key.tier : undefined;
  };
}

/**
 * Whether a caller with this tier is counted by a window, as the limits choose it: by those of the tier where the route has any, else by
 * the route's own. Null where the tier matters and is not known, as that of all who share an address.
 */
export function isCurrent(
  { tier, policy }: Pick<TierWindow, "tier"> & { policy: Pick<TierWindow["policy"], "by"> },
  { tiers }: Pick<Route, "tiers">,
  known: KnownTier,
): boolean | null {
  if (tiers.size === 0) return true;
  if (known === undefined || policy.by === "address") return null;
  return tier === (known !== null && tiers.has(known) ? known : null);
}
