/** RFC 9110 §15.1: a response with one of these may be stored and given a heuristic lifetime without saying anything. */
const HEURISTICALLY_CACHEABLE: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501,
]);

/** Of a part, of what has changed, and of nothing new: they need a cache that combines parts (RFC 9111 §3, §3.3, §3.4; RFC 3229 §10.4.1). This one stores whole responses. */
const NOT_WHOLE: ReadonlySet<number> = new Set([206, 226, 304]);

/** Nothing there, or no such method: what may be otherwise in a moment. */
const MISSING: ReadonlySet<number> = new Set([404, 405, 410, 414, 501]);

/**
 * Errors that everybody gets who asks for the resource. No other is stored, whatever it says: it finds fault with one request, by its
 * fields or by who asks (RFC 9110 §15.5, an unregistered one as a 400; RFC 6585 §3–§6 forbid some), or the origin has failed in it.
 * Where all answers of an origin state a lifetime, one request with an odd field or a wrong token would take the resource from everybody.
 */
const STORED_ERRORS: ReadonlySet<number> = new Set([...MISSING, 451]);

/** Statuses whose requirements on caching are kept here: what `must-understand` asks about (RFC 9111 §5.2.2.3). */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  ...[200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308],
  ...STORED_ERRORS,
]);

/** Whether the status says that there is nothing, so that it is remembered only briefly. */
export function isMissing(status: number): boolean {
  return MISSING.has(status);
}

export function isHeuristicallyCacheable(status: number): boolean {
  return HEURISTICALLY_CACHEABLE.has(status);
}

/** Final (RFC 9111 §3), whole, and no error that is one request's. */
export function isStorable(status: number): boolean {
  if (status >= 400) return STORED_ERRORS.has(status);
  return status >= 200 && !NOT_WHOLE.has(status);
}

export function isUnderstood(status: number): boolean {
  return UNDERSTOOD.has(status);
}

/** 5xx that say something of the request or the server, and not that it has failed (RFC 9110 §15.6, RFC 2295, 4918, 5842, 2774, 6585). */
const NO_FAILURES: ReadonlySet<number> = new Set([501, 505, 506, 507, 508, 510, 511]);

/**
 * The answers that count as an error (RFC 5861 §4): 500, 502, 503, 504, and every 5xx that is registered nowhere, which is
 * to be treated as a 500 (RFC 9110 §15). Cloudflare answers the Worker's fetch with 520 to 530 where it cannot reach the origin.
 */
export function isOriginError(status: number): boolean {
  return status >= 500 && !NO_FAILURES.has(status);
}

/** Client errors that speak of the resource. The others speak of the request: its syntax, its fields, its rate. */
const OF_THE_RESOURCE: ReadonlySet<number> = new Set([401, 402, 403, 404, 405, 410, 414, 451]);

/**
 * Whether a full answer with this status says what the resource is now, so that an older answer is no longer it: content, a
 * redirect, or that there is nothing to be had. A 5xx says that the origin failed (RFC 9111 §4.3.3).
 */
export function saysGone(status: number): boolean {
  if (NOT_WHOLE.has(status)) return false;
  return (status >= 200 && status <= 399) || OF_THE_RESOURCE.has(status);
}
