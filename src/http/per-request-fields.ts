import { remembered } from "../runtime/remembered.ts";
import { laxName } from "./field-name.ts";

/** What the edge sets anew for each request it sends to the origin, and what Cloudflare sets for each it hands to the edge. */
const SET_PER_REQUEST =
  /^(x-user-(id|tier)|x-forwarded-for|x-request-id|traceparent|cf-connecting-ip|cf-ray)$/;

/**
 * What asks for a part of an answer or for none (RFC 9110 §13.1, §14.2): the cache replaces them by its own. The last is a draft's, and Apache
 * still goes by it.
 */
const CONDITIONS = /^(if-.*|range|request-range)$/;

/**
 * Whether what the origin receives under a name belongs to one request alone, so that no stored answer may vary by it: it
 * would match no other request, or one it must not match.
 */
export const isPerRequestField = remembered((name) => {
  const lax = laxName(name);
  return SET_PER_REQUEST.test(lax) || CONDITIONS.test(lax);
});

/**
 * Whether an origin may read a name as that of a condition or a range, and HTTP does not (`If_None_Match`, `Request-Range`), or as a wish
 * for what has changed since (`A-IM`, RFC 3229): beside the cache's own condition, since what the cache has. @param name In lower case.
 */
export const isMisspeltCondition = remembered((name) => {
  const lax = laxName(name);
  return lax === "a-im" || (CONDITIONS.test(lax) && (lax !== name || lax === "request-range"));
});

/** The field with Cloudflare's id of a request. */
export const RAY_FIELD = "cf-ray";

/** `8f0e6d2c4b1a3957-FRA`: Cloudflare's id of a request, and the data centre that answers. */
const RAY = /^([0-9a-f]{16})(?:-[A-Z]{3})?$/;

/** Cloudflare's id of a request, which its own logs and pages show. */
export function rayOf(headers: Headers): string | undefined {
  return RAY.exec(headers.get(RAY_FIELD) ?? "")?.[1];
}
