import { isHere } from "./body.ts";
import type { CacheContext } from "./context.ts";
import type { RepeatedHit } from "./outcome.ts";
import { served } from "./reply.ts";
import { mayReuse } from "./rules/reuse.ts";
import { serveWhole } from "./serve.ts";
import { isForRequester } from "./usable.ts";

/** A request that says nothing of the answer it wants. */
const NO_FIELDS: Pick<Headers, "get"> = { get: () => null };

/** What answers the requests that ask for what this one has asked for. It holds nothing of this request itself. */
export function repeatedHit({
  parts,
  rule,
  address,
  requester,
}: Pick<CacheContext, "parts" | "rule" | "address" | "requester">): RepeatedHit {
  const { memory, withdrawals, admission, platform } = parts;
  return (request) => {
    if (parts.observe || withdrawals.purgesSince !== null) return null;
    const [entry, ...others] = memory.variants(address);
    // Of several variants, or by fields of the request, the one for it is selected in another place.
    if (!entry || others.length > 0 || entry.meta.vary.length > 0) return null;
    if (!isHere(entry.body) || entry.meta.status !== 200 || !isForRequester({ rule, requester }, entry))
      return null;
    if (withdrawals.statusOf(address, entry).kind !== "none" || admission.mayBeWritten(address, entry))
      return null;
    const reuse = mayReuse({ stored: entry.meta, requestHeaders: NO_FIELDS, rule, now: platform.now() });
    if (reuse.kind !== "fresh") return null;
    const context = { parts, request: { request }, rule, staleSince: null, entry };
    return served(context, entry, { hit: true, ttl: reuse.lifetime - reuse.age }, "HIT", serveWhole);
  };
}
