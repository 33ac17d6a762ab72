/**
 * A response whose fields can be changed: the same one, or a copy where they cannot, as those of a fetch. The answer to a
 * WebSocket's handshake is left as it is.
 */
export function mutableResponse(response: Response): Response {
  if (response.status === 101) return response;
  try {
    // No answer has this field: deleting it shows whether the fields may be changed.
    response.headers.delete("x-edge-nothing");
    return response;
  } catch {
    return new Response(response.body, response);
  }
}
