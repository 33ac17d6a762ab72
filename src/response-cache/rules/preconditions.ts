import { CONTENT_DIGESTS, policiesWithNonce } from "../../http/content.ts";
import { parseHttpDate } from "../../http/http-date.ts";
import { entityTag, entityTags, weaklyEqual } from "./entity-tag.ts";
import type { RequestFacts } from "./message.ts";

/**
 * Whether the client already has what would be served: its `If-None-Match`, or without one its `If-Modified-Since`
 * (RFC 9111 §4.3.2, RFC 9110 §13.2.2). Only for GET and HEAD, and only in place of a 200 (§13.2.1); an `If-Modified-Since`
 * that is no date is ignored.
 *
 * @param isStored whether it comes out of the cache: only there may `Date` stand in for `Last-Modified` (RFC 9111 §4.3.2;
 *   RFC 9110 §13.1.3 has everybody else ignore the condition).
 */
export function clientHasIt(
  request: Pick<RequestFacts, "method" | "headers">,
  status: number,
  headers: Headers,
  isStored: boolean,
): boolean {
  if (status !== 200 || (request.method !== "GET" && request.method !== "HEAD")) return false;
  const noneMatch = request.headers.get("if-none-match");
  if (noneMatch !== null) {
    const tags = entityTags(noneMatch);
    if (tags === "*") return true;
    const own = entityTag(headers.get("etag"));
    return own !== null && tags.some((tag) => weaklyEqual(tag, own));
  }
  const since = parseHttpDate(request.headers.get("if-modified-since"));
  if (since === null) return false;
  // Where the response has no `Last-Modified`, its `Date` is the latest it can have been modified.
  const date = isStored ? parseHttpDate(headers.get("date")) : null;
  const modified = parseHttpDate(headers.get("last-modified")) ?? date;
  return modified !== null && modified <= since;
}

/** Describes the content that a 304 does not have (RFC 9110 §15.4.5). */
const OF_THE_CONTENT = [
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-range",
  "content-type",
  "digest",
  "repr-digest",
  "transfer-encoding",
  ...CONTENT_DIGESTS,
];

/**
 * The fields of a 304 in place of a response: all that a cache or a browser goes by (`Cache-Control`, `Content-Location`,
 * `Date`, `ETag`, `Expires`, `Vary`, `Age`, CORS, …), without those that describe the content. `Last-Modified` only where
 * there is no `ETag` to tell the representation by.
 */
export function notModifiedHeaders(served: Headers): Headers {
  const fields = new Headers(served);
  for (const name of [...OF_THE_CONTENT, ...policiesWithNonce(served)]) fields.delete(name);
  if (fields.has("etag")) fields.delete("last-modified");
  return fields;
}
