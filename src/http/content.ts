/**
 * Whether a GET or HEAD has content (RFC 9112 §6.3), which the runtime's fetch cannot forward: an answer to the request
 * without it would be the answer to another request.
 */
export function hasUnforwardableContent({ method, headers }: Pick<Request, "method" | "headers">): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  if (headers.has("transfer-encoding")) return true;
  const length = headers.get("content-length");
  // Repeated equal lengths are one length (RFC 9110 §8.6).
  return length !== null && !/^[\s0,]*$/.test(length);
}
