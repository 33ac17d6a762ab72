/**
 * The origin's URL for a request: its scheme, host and base path with the request's path and query. The path is put behind
 * the host and not resolved, because `//evil.example/x` would resolve to another host.
 *
 * @param base `ORIGIN_URL`: http or https, without user, query and fragment.
 */
export function originUrl(base: URL, requested: URL): URL {
  const path = base.pathname.replace(/\/+$/, "") + requested.pathname;
  // `search` is "" for an empty query too, and an origin may tell `/x?` from `/x` (RFC 3986 §6.2.3).
  const query = requested.search || (/^[^#]*\?/.test(requested.href) ? "?" : "");
  return new URL(base.origin + path + query);
}
