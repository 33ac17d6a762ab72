/**
 * The origin's address for a request: its scheme, host and base path, with the request's path and query **assigned**.
 * Resolving would let `//evil.example/x` choose another host.
 */
export function originUrl(base: URL, requested: URL): URL {
  const url = new URL(base);
  url.pathname = base.pathname.replace(/\/+$/, "") + requested.pathname;
  url.search = requested.search;
  url.hash = "";
  return url;
}
