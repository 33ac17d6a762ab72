import { isKeylessParameter } from "../http/credential-fields.ts";
import { queryOf, queryPairs } from "../http/query.ts";

/**
 * A URL as the cache knows it: as the origin is asked for it, without the scheme. The edge's own credential is never part
 * of a key, and so never of a purge either: it decides the audience. Another may be a name that means something else: it
 * stays in the key, which stands in Redis as a keyed hash only.
 */
export function cacheUrl(url: URL): string {
  const bare = `${url.host.toLowerCase()}${url.pathname}`;
  const query = queryOf(url);
  if (query === null) return bare;
  const pairs = queryPairs(query);
  const kept = pairs.filter(({ names }) => !names.every(isKeylessParameter));
  return kept.length === 0 ? bare : `${bare}?${kept.map(({ text }) => text).join("&")}`;
}
