/** RFC 9110 §15.1: a response with one of these may be stored and given a heuristic lifetime without saying anything. */
const HEURISTICALLY_CACHEABLE: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501,
]);

/**
 * Final statuses that are never stored, whatever they say.
 *
 * - 206 and 304 need a cache that combines parts (RFC 9111 §3, §3.3, §3.4): this one stores whole responses.
 * - 412, 416 and 417 answer request fields that are in no key (RFC 9110 §13, §14, §10.1.1).
 * - 400, 406, 408, 411, 413, 415 and 426 find fault with the request: its syntax, its fields, its content or its time (RFC 9110
 *   §15.5). Where all answers of an origin state a lifetime, one request with an odd field would take the resource from everybody.
 * - 407 and 421 concern a hop (RFC 9110 §15.5.8, §15.5.20); 425 the request's timing (RFC 8470 §5.2).
 * - 428, 429, 431 and 511 "MUST NOT be stored by a cache" (RFC 6585 §3–§6).
 */
const NEVER_STORED: ReadonlySet<number> = new Set([
  206, 304, 400, 406, 407, 408, 411, 412, 413, 415, 416, 417, 421, 425, 426, 428, 429, 431, 511,
]);

/** Statuses whose requirements on caching are kept here: what `must-understand` asks about (RFC 9111 §5.2.2.3). */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409,
  410, 411, 413, 414, 415, 422, 426, 451, 500, 501, 502, 503, 504, 505,
]);

/** Nothing there, or no such method: what may be otherwise in a moment. */
const MISSING: ReadonlySet<number> = new Set([404, 405, 410, 414, 501]);

/** Whether the status says that there is nothing, so that it is remembered only briefly. */
export function isMissing(status: number): boolean {
  return MISSING.has(status);
}

export function isHeuristicallyCacheable(status: number): boolean {
  return HEURISTICALLY_CACHEABLE.has(status);
}

/** Final (RFC 9111 §3), and not one of those that are never stored. */
export function isStorable(status: number): boolean {
  return status >= 200 && status <= 599 && !NEVER_STORED.has(status);
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
  if (status === 206 || status === 304) return false;
  return (status >= 200 && status <= 399) || OF_THE_RESOURCE.has(status);
}
