/**
 * The response cache: RFC 9111 in front of the origin, an isolate copy in front of Redis; and a key-value cache for
 * handlers. The rules are pure functions in `rules/`; whose a stored answer is, is one table there.
 */
export {
  createResponseCache,
  type PurgeRequest,
  type ResponseCache,
  type ResponseCacheOptions,
} from "./response-cache.ts";
export { NEEDED_BY_THE_RULES } from "./rules/index.ts";
export type { CacheTurn, OriginFetch } from "./turn.ts";
export { createValueCache, type ValueCache, type ValueCacheOptions, type ValueReply } from "./values.ts";
