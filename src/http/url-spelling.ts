import { isSignatureParameter } from "./credential-fields.ts";
import { withoutEnds } from "./path.ts";
import { queryOf, queryPairs } from "./query.ts";

/** RFC 3986 §2.3. */
const UNRESERVED = /[A-Za-z0-9._~-]/;

/**
 * A path or a query in the one spelling that the cache stores, purges and asks the origin for (RFC 3986 §6.2.2): escapes in
 * upper case, and unreserved characters without one. What an escape stands for stays the same.
 */
export function oneSpelling(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const char = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return UNRESERVED.test(char) ? char : encoded.toUpperCase();
  });
}

/**
 * The address in {@link oneSpelling}.
 *
 * @param asWritten The route takes raw paths. Then, and where the query holds a signature over the URL as it was written,
 *   nothing is changed.
 */
export function spelled(url: URL, asWritten = false): URL {
  return asWritten || isSigned(url) ? url : inOneSpelling(url);
}

/** Whether the query holds a signature, by any name that an origin may find in it. */
export function isSigned(url: URL): boolean {
  if (!/sig|hmac|%/i.test(url.search)) return false;
  const query = queryOf(url);
  return query ? queryPairs(query).some(({ names }) => names.some(isSignatureParameter)) : false;
}

/** The address as it was written and in one spelling: once, where they are the same. */
export function spellings(url: URL): URL[] {
  const other = inOneSpelling(url);
  return other === url ? [url] : [other, url];
}

/**
 * The addresses that an origin which forgives spellings may read as this one (`forgive`), and under which it is stored: without what
 * ends its segments, and in small letters. The last is a guess: what of it is a name of the origin's own is in the case that this one has.
 */
export function forgivenUrls(url: URL): [plain: URL, small: URL] {
  const plain = withPath(url, withoutEnds(url.pathname));
  return [plain, withPath(url, plain.pathname.toLowerCase())];
}

function withPath(url: URL, pathname: string): URL {
  if (pathname === url.pathname) return url;
  const other = new URL(url);
  other.pathname = pathname;
  return other;
}

/** Of a host's name the final dot, which says that the name is whole (RFC 3986 §3.2.2). */
const FINAL_DOT = /^([^/:?]+)\.(?=[/:])/;

/** An address without its scheme, `host/path?query`, as purges name it: in one spelling, and the host without a final dot. */
export function purgedAs(address: string): string {
  return oneSpelling(address).replace(FINAL_DOT, "$1");
}

/** A purge's prefix, `host/path/`, as it was written and as the entries' addresses are spelled. */
export function prefixSpellings(prefix: string): string[] {
  const slash = prefix.indexOf("/");
  const host = prefix.slice(0, slash);
  const written = new URL(`https://host${prefix.slice(slash)}`).pathname;
  return [...new Set([oneSpelling(written), written].map((path) => `${host}${path}`))];
}

function inOneSpelling(url: URL): URL {
  const path = oneSpelling(url.pathname);
  const query = oneSpelling(url.search);
  if (path === url.pathname && query === url.search) return url;
  const other = new URL(url);
  other.pathname = path;
  // Assigning an empty text would take the `?` of an empty query away.
  if (query !== url.search) other.search = query;
  return other;
}
