import type { Unstable_Config as WranglerConfig } from "wrangler";

/**
 * What is wrong where Cloudflare's Workers Cache is on: it answers before the Worker runs, so that no limit, no access and no
 * `DENY_LIST` holds for what it has, and no purge or ended session of the edge reaches it.
 *
 * @returns null where it is off for the entrypoint that the edge is.
 */
export function workersCacheIssue({ cache, exports }: WranglerConfig): string | null {
  const own = exports?.default;
  const said = own && "cache" in own ? own.cache?.enabled : undefined;
  if (!(said ?? cache?.enabled)) return null;
  const where = said === undefined ? "[cache]" : "[exports.default.cache]";
  return `${where} has enabled = true: Cloudflare would answer before the edge, without its limits, access and DENY_LIST, and no purge would reach what it has. Remove it: the edge has a cache of its own, the key cache of a route.`;
}
