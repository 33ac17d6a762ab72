/** The methods registered as safe (RFC 9110 §16.1.1). A cache treats any other as unsafe. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PRI", "PROPFIND", "QUERY", "REPORT", "SEARCH"]);

/** Whether a request with this method may change something. @param method Upper case. */
export function isUnsafeMethod(method: string): boolean {
  return !SAFE.has(method);
}

/**
 * Whether the answer to a request with this method holds the request's own fields (RFC 9110 §9.3.8): with it whoever sent the
 * request is told what the edge has added, and so `ORIGIN_TOKEN`. `TRACK` is what IIS calls it.
 *
 * @param method Upper case.
 */
export function echoesRequest(method: string): boolean {
  return method === "TRACE" || method === "TRACK";
}

/** A number of hops that nobody needs more of. */
const MAX_HOPS = 255;

/**
 * How often an OPTIONS may be forwarded (RFC 9110 §7.6.2), or null where it does not say. The field means nothing to other methods but TRACE,
 * which goes no further anyway.
 */
export function maxForwards({ method, headers }: Pick<Request, "method" | "headers">): number | null {
  const text = method === "OPTIONS" ? headers.get("max-forwards") : null;
  return text !== null && /^\d+$/.test(text) ? Math.min(Number(text), MAX_HOPS) : null;
}
