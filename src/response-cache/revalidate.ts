import { contentLength } from "../http/content.ts";
import type { OriginFetch } from "../request/origin-reply.ts";
import { fetchKey } from "./collapse.ts";
import type { CacheContext } from "./context.ts";
import { adoptEager } from "./eager.ts";
import type { Entry } from "./entry.ts";
import { fill, outlineOf } from "./fill.ts";
import { asGet, freshen } from "./freshen.ts";
import { isOriginError } from "./rules/status.ts";
import { originRequestHeaders } from "./rules/validation.ts";
import { noteOutcome } from "./stand-in.ts";
import { confirmedEntry, validatorsFor } from "./validate.ts";
import { withdrawIfGone } from "./withdraw.ts";

/** Validates a stale entry in the background, once however many requests are served it meanwhile (RFC 5861 §3). */
export function revalidateInBackground(context: CacheContext, origin: OriginFetch, entry: Entry): void {
  const { address, request, parts } = context;
  const fetching = fetchKey(context);
  if (parts.failures.isPaused(fetching)) return;
  const done = parts.inFlight.take(`${address.key} revalidation`);
  if (!done) return;
  parts.failures.asks(fetching);
  request.waitUntil(revalidate(context, origin, entry).then(done, done));
}

async function revalidate(found: CacheContext, origin: OriginFetch, entry: Entry): Promise<void> {
  const context = asGet(found);
  const { parts, request } = context;
  // With GET, whatever the request is: a HEAD brings nothing that a GET could be answered with (RFC 9110 §9.3.2).
  const eager = found.request.request.method === "GET" ? adoptEager(context, origin, {}) : null;
  const requestTime = eager?.sentAt ?? parts.platform.now();
  const candidates = eager?.candidates ?? validatorsFor(context, origin, entry);
  const metas = candidates.map(({ meta }) => meta);
  const reply = await (eager?.asking ??
    origin.fetch(originRequestHeaders(request.request.headers, metas), { method: "GET" }));
  const failed = reply.kind === "failed" || isOriginError(reply.response.status);
  noteOutcome(context, failed, requestTime);
  if (failed) return;
  const { response } = reply;
  if (response.status === 304) {
    const valid = await confirmedEntry(context, response.headers, candidates);
    if (valid) await freshen(context, valid, response.headers, requestTime);
    return;
  }
  const outlined = await outlineOf(context, response, requestTime);
  if (outlined.kind === "outline") {
    // A body that breaks off leaves what was there: it may yet stand in for an origin that fails.
    await fill(context, outlined.outline, response.body, contentLength(response.headers));
  } else if (outlined.because === "response") {
    await withdrawIfGone(context, { method: "GET", ranged: false }, response.status, requestTime);
  }
}
