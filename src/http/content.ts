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
