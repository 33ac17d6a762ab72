import { hasContent } from "../../http/content.ts";
import type { RequestFacts } from "./message.ts";

/**
 * Whether a request is one that a stored response could ever answer, or become the answer to.
 *
 * - `method`: not GET or HEAD.
 * - `bypass`: it has content, which is in no key (RFC 9110 §9.3.1), or the preconditions `If-Match` and
 *   `If-Unmodified-Since`, which only the origin may evaluate (RFC 9111 §4.3.2).
 */
export function eligibility({ method, headers }: RequestFacts): "eligible" | "method" | "bypass" {
  if (method !== "GET" && method !== "HEAD") return "method";
  if (hasContent({ headers, body: null })) return "bypass";
  return headers.has("if-match") || headers.has("if-unmodified-since") ? "bypass" : "eligible";
}
