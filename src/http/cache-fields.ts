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
  "pragma",
  "vary",
]);

/** Fields that one kind of cache goes by in place of `Cache-Control` (RFC 9213 §2.2, and their predecessor). */
export const TARGETED_CACHE_FIELDS: readonly string[] = [
  "cdn-cache-control",
  "cloudflare-cdn-cache-control",
  "surrogate-control",
];

/** Forbids all caches to store an answer. A field for one kind of cache would outweigh `Cache-Control` there (RFC 9213 §2.2). */
export function forbidStoring(headers: Headers): void {
  for (const name of TARGETED_CACHE_FIELDS) headers.delete(name);
  headers.delete("expires");
  headers.set("cache-control", "no-store");
}
