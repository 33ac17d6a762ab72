/**
 * The rules of the response cache, as pure functions: RFC 9111 (caching), RFC 9110 (validators, conditions, ranges),
 * RFC 5861 (stale-while-revalidate, stale-if-error), RFC 9211 (`Cache-Status`) and RFC 9213 (`CDN-Cache-Control`).
 * Nothing here waits, reads a clock or knows of a store. Instants are milliseconds since the epoch; durations are seconds.
 */
export { currentAge, initialAge } from "./age.ts";
export { type CacheStatus, cacheStatus, type FwdReason } from "./cache-status.ts";
export { acceptsGzip, forbidsTransform } from "./content-coding.ts";
export {
  type Qualified,
  type RequestDirectives,
  type ResponseDirectives,
  requestDirectives,
  responseDirectives,
  type Seconds,
} from "./directives.ts";
export { eligibility } from "./eligibility.ts";
export { entityTag, entityTags, isWeak, stronglyEqual, weakened, weaklyEqual } from "./entity-tag.ts";
export { freshened } from "./freshening.ts";
export {
  cutShort,
  type Freshness,
  type FreshnessRule,
  freshnessOf,
  type Retention,
  retentionSeconds,
  timeToLive,
} from "./freshness.ts";
export { formatHttpDate, parseHttpDate } from "./http-date.ts";
export { invalidatedUrls, isUnsafe } from "./invalidation.ts";
export type { RequestFacts, ResponseFacts } from "./message.ts";
export { NEEDED_BY_THE_RULES } from "./needed-fields.ts";
export { clientHasIt, notModifiedHeaders } from "./preconditions.ts";
export { type RangeAnswer, rangeOf } from "./range.ts";
export { mayReuse, mayServeOnError, type Reuse, type ReuseFacts } from "./reuse.ts";
export { type Asker, type Claim, SCOPE_TABLE, type Scope, type ScopeRefusal } from "./scope-table.ts";
export { servedFields } from "./serving.ts";
export { isOriginError } from "./status.ts";
export { fieldsOf, headersOf, isStoredResponse, type StoredResponse } from "./stored.ts";
export { claimOf, type Exchange, type StoreRefusal, type StoreVerdict, storing } from "./storing.ts";
export {
  confirmedBy,
  isValidatable,
  judgedByHead,
  originRequestHeaders,
  validationCandidates,
} from "./validation.ts";
export { fieldKey, mostRecent, selectingFields, variantKey } from "./vary.ts";
