/**
 * The origin's URL for a request: its scheme, host and base path with the request's path and query. It assigns the path and
 * does not resolve it, because `//evil.example/x` would resolve to another host.
 */
export function originUrl(base: URL, requested: URL): URL {
  const url = new URL(base);
  url.pathname = base.pathname.replace(/\/+$/, "") + requested.pathname;
  // `search` is "" for an empty query too, and an origin may tell `/x?` from `/x` (RFC 3986 §6.2.3).
  url.search = requested.search || (/^[^#]*\?/.test(requested.href) ? "?" : "");
  url.hash = "";
  return url;
}
