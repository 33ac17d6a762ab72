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

/** A parameter with one of these words holds a signature over the URL as it was written. */
const SIGNATURE = /(^|[^a-z])(signature|sig|hmac)([^a-z]|$)/i;

/**
 * The address in {@link oneSpelling}.
 *
 * @param asWritten The route takes raw paths. Then, and where the query holds a signature, nothing is changed.
 */
export function spelled(url: URL, asWritten = false): URL {
  if (asWritten || isSigned(url)) return url;
  const path = oneSpelling(url.pathname);
  const query = oneSpelling(url.search);
  if (path === url.pathname && query === url.search) return url;
  const other = new URL(url);
  other.pathname = path;
  other.search = query;
  return other;
}

function isSigned({ search, searchParams }: URL): boolean {
  return search !== "" && [...searchParams.keys()].some((name) => SIGNATURE.test(name));
}

/** The address as it was written and in one spelling: once, where they are the same. */
export function spellings(url: URL): URL[] {
  const other = new URL(url);
  other.pathname = oneSpelling(url.pathname);
  other.search = oneSpelling(url.search);
  return other.href === url.href ? [url] : [other, url];
}

/** A purge's prefix, `host/path/`, as it was written and as the entries' addresses are spelled. */
export function prefixSpellings(prefix: string): string[] {
  const slash = prefix.indexOf("/");
  const host = prefix.slice(0, slash);
  const written = new URL(`https://host${prefix.slice(slash)}`).pathname;
  return [...new Set([oneSpelling(written), written].map((path) => `${host}${path}`))];
}
