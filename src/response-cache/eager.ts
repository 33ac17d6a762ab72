import type { EagerReply, OriginFetch, OriginFetchOptions } from "../request/origin-reply.ts";
import { fetchKey } from "./collapse.ts";
import type { CacheContext, CacheLookup, EagerPlan } from "./context.ts";
import { heldOf } from "./lookup.ts";
import { requestDirectives } from "./rules/directives.ts";
import type { Requester } from "./rules/scope-table.ts";
import { isValidatable, originRequestHeaders } from "./rules/validation.ts";
import { standsInAtOnce } from "./stand-in.ts";
import { reuseOf } from "./usable.ts";
import type { Candidate } from "./validate.ts";

/** Null where the isolate can answer, or the answer depends on who asks. */
export function eagerPlan(lookup: CacheLookup, requester: Requester): EagerPlan | null {
  const { parts, request, address } = lookup;
  const { headers, method } = request.request;
  if (requester !== "anonymous" || requestDirectives(headers).onlyIfCached) return null;
  const held = heldOf(lookup);
  const status = held ? parts.withdrawals.statusOf(address, held) : null;
  const staleSince = status?.kind === "soft" ? status.since : null;
  const found = { entry: held, selected: held, others: [], varyMiss: false, isNew: false };
  const context: CacheContext = { ...lookup, ...found, requester, staleSince };
  const reuse = held && reuseOf(context, held);
  if (reuse && (reuse.kind !== "revalidate" || standsInAtOnce(context, held, reuse))) return null;
  const validated = held && isValidatable(held.meta) ? held : null;
  return {
    headers: originRequestHeaders(headers, validated ? [validated.meta] : []),
    validated,
    begin: (forMs) => (method === "GET" ? parts.inFlight.take(fetchKey(context), forMs) : () => {}),
  };
}

/** What an eager fetch brings to a request, and the stored responses whose validators it was sent with. */
export interface Adopted extends Pick<EagerReply, "sentAt"> {
  asking: ReturnType<EagerReply["adopt"]>;
  candidates: readonly Candidate[];
}

/**
 * Adopts the request's eager fetch, where it was one and what it asks is still the question: it may have been sent with the
 * validators of an entry that was purged or replaced meanwhile.
 */
export function adoptEager(
  { eager, entry }: CacheContext,
  origin: OriginFetch,
  options: OriginFetchOptions,
): Adopted | null {
  if (!origin.eager) return null;
  const validated = eager?.validated ?? null;
  if (validated && validated !== entry) {
    origin.eager.giveUp();
    return null;
  }
  return {
    sentAt: origin.eager.sentAt,
    asking: origin.eager.adopt(options),
    candidates: validated ? [{ meta: validated.meta, at: { kind: "here", entry: validated } }] : [],
  };
}
