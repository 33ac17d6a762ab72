import { isUnsafeMethod } from "../http/methods.ts";

/**
 * Keeps the invocation alive until a request that may change something is answered. Where a client goes away, the runtime ends what
 * nobody else waits for. But the API may have done what it was asked by then, and what follows from its answer must be done too: it
 * makes stored answers invalid (RFC 9111 §4.4), ends sessions, verifies keys. What changes nothing ends with its client.
 *
 * @returns the same answer.
 */
export function outliveClient(
  { method }: Pick<Request, "method">,
  answering: Promise<Response>,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<Response> {
  if (isUnsafeMethod(method)) waitUntil(answering);
  return answering;
}
