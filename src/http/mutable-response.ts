/**
 * The response, or where its fields cannot be changed, as those of a fetch, a copy whose can. A WebSocket's is left as it is.
 */
export function mutableResponse(response: Response): Response {
  if (response.status === 101) return response;
  try {
    // Nobody sends it: only whether it may be done is asked.
    response.headers.delete("x-edge-nothing");
    return response;
  } catch {
    return new Response(response.body, response);
  }
}
