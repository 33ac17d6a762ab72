type Framed = Pick<Request, "method" | "headers" | "body">;

/**
 * Whether a GET or HEAD has content (RFC 9112 §6.3), which the runtime's fetch cannot forward: an answer to the request
 * without it would be the answer to another request.
 */
export function hasUnforwardableContent(request: Framed): boolean {
  return (request.method === "GET" || request.method === "HEAD") && hasContent(request);
}

/** Whether a request has content, by what its fields say of it (RFC 9112 §6.3). */
export function hasContent({ headers, body }: Omit<Framed, "method">): boolean {
  if (headers.has("transfer-encoding")) return true;
  const length = headers.get("content-length");
  // HTTP/2 needs neither field (RFC 9113 §8.1.1); without content the runtime then gives no body.
  if (length === null) return body !== null;
  // Repeated equal lengths are one length (RFC 9110 §8.6).
  return !/^[\s0,]*$/.test(length);
}

/** A body that is said to be at most this long, bytes: what an origin sends in a few packets. */
export const SHORT_BODY_BYTES = 64 * 1024;

/** A body of which nothing moves for this long has stalled, ms. */
export const BODY_SILENCE_MS = 60_000;

/** The length that a message says its content has, bytes, or null where it says none (RFC 9110 §8.6). */
export function contentLength(headers: Headers): number | null {
  const text = headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Whether a body is said to be short. */
export function isShortBody(headers: Headers): boolean {
  return (contentLength(headers) ?? Number.POSITIVE_INFINITY) <= SHORT_BODY_BYTES;
}

/**
 * Digests of the very bytes that a message carries (RFC 9530 §2, RFC 1864): of a part those of the part, and of no content those of
 * nothing. `Repr-Digest` and `Digest` are of the whole, whatever is sent of it.
 */
export const CONTENT_DIGESTS: readonly string[] = ["content-digest", "content-md5"];

const POLICIES = ["content-security-policy", "content-security-policy-report-only"];

/**
 * The policies among the fields that name the scripts of one page by a nonce (CSP Level 3 §2.3.1, §7.1). They belong to its bytes: with
 * those of an earlier answer, whose scripts have another nonce, none of them would run.
 */
export function policiesWithNonce(headers: Headers): string[] {
  return POLICIES.filter((name) => /'nonce-/i.test(headers.get(name) ?? ""));
}

/** Whether content has a coding (RFC 9110 §8.4). `identity` is none, though it should not be said. */
export function isCoded(headers: Pick<Headers, "get">): boolean {
  return !/^[\s,]*(identity[\s,]*)*$/i.test(headers.get("content-encoding") ?? "");
}
