import type { CacheRule, Route } from "../config/route.ts";
import { isKeylessParameter } from "../http/credential-fields.ts";
import { isNamedBy } from "../http/name-pattern.ts";
import { type QueryPair, queryOf, queryPairs } from "../http/query.ts";
import { isSigned, spelled, spellings } from "../http/url-spelling.ts";

/**
 * The URL that the origin is asked for where the cache reads a request (law 8): without the parameters that the route
 * ignores or does not allow, in one spelling, and sorted where the route says so. What is stored is found by this URL, so
 * that nothing that is left out of the key reaches the origin.
 *
 * A signature is made over the URL as it was written: beside one, parameters are taken away and nothing else is changed.
 */
export function forwardedUrl(url: URL, rule: Pick<CacheRule, "query">, rawPath: Route["rawPath"]): URL {
  return inOrder(spelled(stripped(url, rule), rawPath), rule);
}

/**
 * The URLs under which answers for a URL may be stored, for purges and invalidations, which do not know whether its route
 * takes raw paths and whether it was signed: in one spelling and as it is written, once where these are the same.
 *
 * @param rule Of the route that a GET would match; null where there is none.
 */
export function possibleUrls(url: URL, rule: Pick<CacheRule, "query"> | null): URL[] {
  if (!rule) return spellings(url);
  const urls = spellings(stripped(url, rule)).map((each) => inOrder(each, rule));
  return [...new Map(urls.map((each) => [each.href, each])).values()];
}

function stripped(url: URL, { query }: Pick<CacheRule, "query">): URL {
  if (query.allow === null && query.ignore.length === 0) return url;
  return withQuery(url, (pairs) => pairs.filter((pair) => isForwarded(pair, query)));
}

function inOrder(url: URL, { query }: Pick<CacheRule, "query">): URL {
  return query.sort && !isSigned(url) ? withQuery(url, sorted) : url;
}

/**
 * The edge's own credential always goes on. A pair that holds more than one parameter to an origin that splits at `;` is
 * ignored only where each of them is.
 */
function isForwarded({ name, names }: QueryPair, { allow, ignore }: CacheRule["query"]): boolean {
  if (names.every(isKeylessParameter)) return true;
  if (allow !== null && !isNamedBy(name, allow)) return false;
  return !names.every((each) => isNamedBy(each, ignore));
}

/** By name alone: the order of values under one name may mean something. */
function sorted(pairs: readonly QueryPair[]): QueryPair[] {
  return pairs.toSorted(({ name: one }, { name: other }) => {
    if (one === other) return 0;
    return one < other ? -1 : 1;
  });
}

function withQuery(url: URL, change: (pairs: QueryPair[]) => QueryPair[]): URL {
  const query = queryOf(url);
  if (!query) return url;
  const pairs = change(queryPairs(query));
  const changed = pairs.map(({ text }) => text).join("&");
  if (changed === query) return url;
  const other = new URL(url);
  other.search = pairs.length === 0 ? "" : `?${changed}`;
  return other;
}
