import { problem } from "../http/problem.ts";
import type { OriginFetch } from "../request/origin-reply.ts";
import { bodyAtHand } from "./body-at-hand.ts";
import { fetchKey, mayWait, waitForAnother } from "./collapse.ts";
import type { CacheContext, CacheParts, CacheRequest } from "./context.ts";
import { adoptEager } from "./eager.ts";
import type { Entry } from "./entry.ts";
import type { OriginRequest } from "./origin-request.ts";
import type { CacheHandler, CacheReply } from "./outcome.ts";
import { receive } from "./receive.ts";
import { Repeated } from "./repeated.ts";
import { passed, served } from "./reply.ts";
import { revalidateInBackground } from "./revalidate.ts";
import type { FwdReason } from "./rules/cache-status.ts";
import { requestDirectives } from "./rules/directives.ts";
import { originRequestHeaders } from "./rules/validation.ts";
import { standsInAtOnce } from "./stand-in.ts";
import { freshInIsolate, missReason, reuseOf } from "./usable.ts";
import { validatorsFor } from "./validate.ts";

/** The handler of one request, for what was found for it. */
export function cacheHandler(context: CacheContext): CacheHandler {
  return { respond: (origin) => respond(context, origin), repeated: () => new Repeated(context) };
}

/**
 * The handler of a request that is neither looked up nor stored.
 *
 * @param why For `Cache-Status` (RFC 9211 §2.2, §2.8).
 */
export function bypassHandler(
  request: CacheRequest,
  why: { fwd: "bypass" | "method"; detail?: string },
  { observe }: Pick<CacheParts, "observe">,
): CacheHandler {
  return {
    async respond(origin) {
      const { headers } = request.request;
      // Not even a request that no entry could answer reaches the origin then (RFC 9111 §5.2.1.7).
      if (wantsStoredOnly(headers, observe)) throw problem("ONLY_IF_CACHED");
      return passed({ request }, await origin.fetch(headers), why, "BYPASS");
    },
  };
}

/** Serves the entry where it may be served; else asks the origin. */
async function respond(context: CacheContext, origin: OriginFetch): Promise<CacheReply> {
  const { entry, request } = context;
  const { headers } = request.request;
  const reuse = entry && reuseOf(context, entry);
  const newer = reuse?.kind === "fresh" ? null : newerInIsolate(context);
  if (newer && (await bodyAtHand(context, newer))) return served(context, newer, { hit: true }, "HIT");
  const reusable = reuse?.kind === "stale" && (!reuse.revalidate || origin.repeatable);
  if (entry && (reuse?.kind === "fresh" || reusable) && !(await bodyAtHand(context, entry))) {
    return respond({ ...context, entry: null }, origin);
  }
  if (entry && reuse?.kind === "fresh") {
    return served(context, entry, { hit: true, ttl: reuse.lifetime - reuse.age }, "HIT");
  }
  if (entry && reusable) {
    if (reuse.revalidate) revalidateInBackground(context, origin, entry);
    return served(context, entry, { hit: true, ttl: reuse.lifetime - reuse.age }, "STALE");
  }
  if (wantsStoredOnly(headers, context.parts.observe)) throw problem("ONLY_IF_CACHED");
  if (entry && reuse && standsInAtOnce(context, entry, reuse) && (await bodyAtHand(context, entry))) {
    return served(context, entry, { hit: true, detail: "origin-failed" }, "STALE");
  }
  // A part is not stored, and the origin may answer with the part that was asked for.
  if (headers.has("range") && !entry) {
    return passed(context, await origin.fetch(headers), { fwd: missReason(context) }, "MISS");
  }
  const stale: FwdReason = reuse?.kind === "revalidate" ? reuse.because : "stale";
  return askOrigin(context, origin, entry ? stale : missReason(context));
}

/** A cache that only observes serves nothing stored, and leaves such a request to the origin. */
function wantsStoredOnly(headers: Headers, observe: boolean): boolean {
  return !observe && requestDirectives(headers).onlyIfCached;
}

/** What another request has brought since this one was looked up: one whose store answered sooner may be done by now. */
function newerInIsolate(context: CacheContext): Entry | null {
  const { entry, selected, parts } = context;
  const newest = parts.observe ? null : freshInIsolate(context);
  if (!newest || newest === selected) return null;
  return !entry || newest.meta.requestTime > entry.meta.requestTime ? newest : null;
}

/** One request of this isolate asks the origin for an entry; the others wait for its answer. */
async function askOrigin(context: CacheContext, origin: OriginFetch, fwd: FwdReason): Promise<CacheReply> {
  const { parts, request, entry } = context;
  const { method, headers } = request.request;
  const fetching = fetchKey(context);
  if (entry) parts.failures.asks(fetching);
  const eager = adoptEager(context, origin, { asBytes: true });
  let done = method === "GET" ? parts.inFlight.take(fetching) : null;
  if (!done && !eager && mayWait(context, fwd)) {
    const found = await waitForAnother(context);
    if (found && (await bodyAtHand(context, found)))
      return served(context, found, { fwd, collapsed: true }, "HIT");
    done = parts.inFlight.take(fetching);
  }
  const originRequest: OriginRequest = {
    origin,
    candidates: eager?.candidates ?? validatorsFor(context, origin, entry),
    fwd,
    requestTime: eager?.sentAt ?? parts.platform.now(),
    done: done ?? ignore,
  };
  const metas = originRequest.candidates.map(({ meta }) => meta);
  const asking = eager?.asking ?? origin.fetch(originRequestHeaders(headers, metas), { asBytes: true });
  const answering = asking.then((reply) => receive(context, reply, originRequest));
  // The client going away must not end what others wait for: the answer's fields, and a body that is read before it is answered.
  request.waitUntil(answering.then(ignore, ignore));
  try {
    return await answering;
  } catch (error) {
    originRequest.done();
    throw error;
  }
}

function ignore(): void {}
