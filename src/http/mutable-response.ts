/**
 * A response whose fields can be changed: the same one, or a copy where they cannot, as those of a fetch. One without a body is
 * copied too: an app may answer several requests with it, and the fields of one must not reach another. The answer to a WebSocket's
 * handshake is left as it is.
 */
export function mutableResponse(response: Response): Response {
  if (response.status === 101) return response;
  try {
    // No answer has this field: deleting it shows whether the fields may be changed.
    response.headers.delete("x-edge-nothing");
    if (response.body !== null) return response;
  } catch {
    // They may not.
  }
  const { status, headers, statusText } = response;
  return new Response(response.body, { status, headers, statusText: reasonPhrase(statusText) });
}

/**
 * A reason phrase that a Response can be made with: a tab is legal in it (RFC 9112 §4), and the runtime throws for one as
 * for any control character.
 */
export function reasonPhrase(statusText: string): string {
  return statusText.replace(/\p{Cc}/gu, " ");
}
