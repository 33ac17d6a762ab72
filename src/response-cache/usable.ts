import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import type { FwdReason } from "./rules/cache-status.ts";
import { cutShort, type Freshness, freshnessOf } from "./rules/freshness.ts";
import { mayReuse, mayServeOnError, type Reuse } from "./rules/reuse.ts";

/** What of a request decides how an entry may be used. */
export type Using = Pick<CacheContext, "rule" | "staleSince" | "entry" | "parts"> & {
  request: Pick<CacheContext["request"], "request">;
};

/**
 * Whether the requester may be given the entry. RFC 9111 §3.5 seen from the requester: whoever carries credentials may
 * expect an answer of their own, unless the stored one says that it is for everybody. One that was stored for credentials while the route
 * had another scope, and does not say so, is for nobody now.
 */
export function isForRequester(
  { rule, requester }: Pick<CacheContext, "rule" | "requester">,
  { shareable, meta }: Pick<Entry, "shareable" | "meta">,
): boolean {
  return rule.scope !== "public" || shareable || (requester === "anonymous" && !meta.credentials);
}

/** How long the entry is fresh; a soft purge ends that for the entry that was looked up. */
export function entryFreshness({ rule, staleSince, entry }: Using, each: Entry): Freshness {
  const freshness = freshnessOf(each.meta, rule);
  return staleSince === null || each !== entry ? freshness : cutShort(freshness, each.meta, staleSince);
}

/** How the entry may be used for the request (RFC 9111 §4). */
export function reuseOf(context: Using, entry: Entry): Reuse {
  return mayReuse(reuseFacts(context, entry));
}

/** Whether the entry may stand in for an origin that fails (RFC 5861 §4). */
export function mayStandIn(context: CacheContext, entry: Entry): boolean {
  return mayServeOnError(reuseFacts(context, entry));
}

/** What the isolate holds for the request by now: fresh, for this requester, and not purged; else null. */
export function freshInIsolate(context: CacheContext): Entry | null {
  const { parts, address, selecting } = context;
  const found = parts.memory.held(address, selecting);
  if (!found || !isForRequester(context, found) || reuseOf(context, found).kind !== "fresh") return null;
  return parts.withdrawals.statusOf(address, found).kind === "none" ? found : null;
}

/** Why there is no entry for the request (RFC 9211 §2.2). */
export function missReason({ varyMiss, address, parts }: CacheContext): FwdReason {
  return varyMiss || parts.memory.holds(address) ? "vary-miss" : "uri-miss";
}

function reuseFacts(context: Using, entry: Entry) {
  const { rule, parts, request } = context;
  return {
    stored: entry.meta,
    requestHeaders: request.request.headers,
    rule,
    now: parts.platform.now(),
    freshness: entryFreshness(context, entry),
  };
}
