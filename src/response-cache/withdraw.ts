import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import { saysGone } from "./rules/status.ts";

/**
 * The origin has answered in full what may not be stored: the entry that this very request selects is not what the origin
 * says any more, and is withdrawn here and in Redis (RFC 9111 §4.3.3). Not for any other answer, so that no odd request
 * empties the cache: not where the origin was sent another method or a `Range`, not where the request carries a credential
 * that the entry's had not.
 *
 * @param asked What the origin was sent.
 * @param requestTime Ms since the epoch: entries of later requests stay, and earlier ones that arrive later do not.
 */
export async function withdrawIfGone(
  context: CacheContext,
  asked: { method: string; ranged: boolean },
  status: number,
  requestTime: number,
): Promise<void> {
  const { selected } = context;
  if (!selected || asked.method !== "GET" || asked.ranged || !saysGone(status)) return;
  if (await maySpeakFor(context, selected)) withdraw(context, selected, requestTime);
}

/** Withdraws an entry, and no other variant and no other audience's. */
export function withdraw(
  { parts, address, request }: CacheContext,
  { variant, id, meta }: Entry,
  requestTime: number,
): void {
  const withdrawal = { variant, vary: meta.vary, id, requestTime };
  parts.withdrawals.invalidate([{ address, withdrawal }], request);
}

/**
 * Whether it is decided by an entry's `askedBy` who may speak for it. Not of callers' own entries; nor where the operator has said that
 * the answer does not depend on which verified caller asks.
 */
export function isComparedByCredentials({
  rule,
  requester,
}: Pick<CacheContext, "rule" | "requester">): boolean {
  if (requester === "anonymous" || rule.scope === "caller") return false;
  return rule.scope !== "shared" || requester !== "verified";
}

/** Whether what the origin tells this requester of an entry holds for those who are given it. */
export async function maySpeakFor(context: CacheContext, entry: Entry): Promise<boolean> {
  const { rule, requester, selecting, request } = context;
  if (requester === "anonymous" || rule.scope === "caller") return true;
  if (!entry.meta.credentials) return false;
  return !isComparedByCredentials(context) || entry.askedBy === (await selecting.credentials(request));
}
