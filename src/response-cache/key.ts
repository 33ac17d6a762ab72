import type { CacheRule } from "../config/route.ts";
import { isKeylessParameter } from "../http/credential-fields.ts";

/**
 * A URL as the cache knows it: scheme dropped, host in lower case, the query as written, but for credentials and what the
 * route ignores. Fragments never reach a server.
 */
export function cacheUrl(url: URL, query: CacheRule["query"] = { ignore: [], sort: false }): string {
  const bare = `${url.host.toLowerCase()}${url.pathname}`;
  if (url.search === "") return bare;
  const pairs = url.search
    .slice(1)
    .split("&")
    .filter((pair) => {
      const name = parameterName(pair);
      // The edge's own credential is never part of a key, and so never of a purge either. Another may be a name that means
      // something else: it stays in the key, which stands in Redis as a keyed hash only.
      return !isKeylessParameter(name) && !query.ignore.some((pattern) => matches(name, pattern));
    });
  // By name alone: the order of values under one name may mean something.
  if (query.sort) pairs.sort((one, other) => compare(parameterName(one), parameterName(other)));
  return `${bare}${pairs.length > 0 ? `?${pairs.join("&")}` : ""}`;
}

function parameterName(pair: string): string {
  const name = pair.split("=", 1)[0] ?? "";
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** `utm_*` is every name that starts with `utm_`. */
function matches(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
