/**
 * Fields a stored response is checked by. Neither `Connection` nor a qualified directive may take them away: without its
 * `Cache-Control` a response would be reused as if it had said nothing. RFC 9110 §7.6.1 forbids naming fields that are
 * meant for every recipient.
 */
export const CACHE_FIELDS: ReadonlySet<string> = new Set([
  "age",
  "cache-control",
  "cdn-cache-control",
  "content-encoding",
  "content-type",
  "date",
  "etag",
  "expires",
  "last-modified",
  "vary",
]);
