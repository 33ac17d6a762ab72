/**
 * Rate limits: several windows at once, true cost, true waits, and a local twin for when Redis does not answer.
 *
 * Where a count lives, who may change it, when it dies. Every change goes through `ledger.ts`.
 *
 * | where | what | changed by | dies |
 * |---|---|---|---|
 * | Redis, counter | units of a caller in one window | @upstash/ratelimit (one sliding window, cost 1, no lease), else the script | two windows + 1 s after its first unit |
 * | Redis, bucket | tokens left, last refill | the script | when it would be full again |
 * | Redis, log | one member per unit | the script, which trims it at each use | a window after its last unit |
 * | isolate, lease | units that Redis has counted and nobody has spent | the script's grant, then spending | with its window; not spent without a trip after `ISOLATE_MAX_AGE_MS` |
 * | isolate, block | a caller, policy and cost that Redis has refused | a denial | when it could pass, at most after `ISOLATE_MAX_AGE_MS` |
 * | isolate, seen | Redis's last raw counts: for headers and to seed the twin | every reply | with its window, or as the least recently used |
 * | isolate, twin | the same algorithms' counts | a decision without Redis | with its window; a live one is never dropped |
 * | isolate, owed | units admitted while the breaker was open | such an admission | at recovery, sent once or lapsed |
 *
 * Nothing is ever given back: there are no refunds.
 */
export type { HeaderOptions } from "./headers.ts";
export type { LedgerBounds } from "./ledger.ts";
export {
  createLimiter,
  type Limiter,
  type LimiterOptions,
  type LimitOptions,
  type LimitResult,
  policiesOf,
} from "./limiter.ts";
export type { ListInput } from "./lists.ts";
export type { PeekedLimit } from "./peek.ts";
export { type LimitSource, type LimitVerdict, quotaProblem } from "./verdict.ts";
