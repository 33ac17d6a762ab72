import { isHere } from "./body.ts";
import type { CacheContext } from "./context.ts";
import type { CacheReply, RepeatedHit } from "./outcome.ts";
import { served } from "./reply.ts";
import { mayReuse } from "./rules/reuse.ts";
import { serveWhole } from "./serve.ts";
import { isForRequester } from "./usable.ts";

/** A request that says nothing of the answer it wants. */
const NO_FIELDS: Pick<Headers, "get"> = { get: () => null };

type Asked = Pick<CacheContext, "parts" | "rule" | "address" | "requester">;

/**
 * What answers the requests that ask for what one has asked for. It holds nothing of that request itself. A class, because there is one
 * for each URL: functions made by 10,000 calls would each be an object more.
 */
export class Repeated implements RepeatedHit {
  readonly #asked: Asked;

  constructor({ parts, rule, address, requester }: Asked) {
    this.#asked = { parts, rule, address, requester };
  }

  answer(request: Request): CacheReply | null {
    const { parts, rule, address, requester } = this.#asked;
    const { memory, withdrawals, admission, platform } = parts;
    if (parts.observe || withdrawals.purgesSince !== null) return null;
    const variants = memory.variants(address);
    const entry = variants[0];
    // Of several variants, or by fields of the request, the one for it is selected in another place.
    if (!entry || variants.length > 1 || entry.meta.vary.length > 0) return null;
    if (!isHere(entry.body) || entry.meta.status !== 200 || !isForRequester({ rule, requester }, entry))
      return null;
    if (withdrawals.statusOf(address, entry).kind !== "none" || admission.mayBeWritten(address, entry))
      return null;
    const reuse = mayReuse({ stored: entry.meta, requestHeaders: NO_FIELDS, rule, now: platform.now() });
    if (reuse.kind !== "fresh") return null;
    const context = { parts, request: { request }, rule, staleSince: null, entry };
    return served(context, entry, { hit: true, ttl: reuse.lifetime - reuse.age }, "HIT", serveWhole);
  }
}
