/**
 * What the package `envoyou-edge` is for an app of your own: middlewares for limits, sessions and an HTTP cache over Upstash's Redis, and
 * the types of what they take and give.
 *
 * @module
 */
export type { DatabaseBinding, DatabaseStatement } from "./config/config.ts";
export { ConfigError, type ConfigIssue } from "./config/config-error.ts";
export type { EdgeSettings } from "./config/edge-settings.ts";
export type { Refilling } from "./config/limit-algorithms.ts";
export type { BucketLimitInput, LimitBase, WindowLimitInput } from "./config/limit-input.ts";
export {
  type Algorithm,
  type CacheRuleInput,
  type Duration,
  defineRoutes,
  type InvalidatesInput,
  type LimitInput,
  type RouteInput,
} from "./config/route.ts";
export { type CreateEdgeOptions, createEdge, type EdgeMiddlewares } from "./create-edge.ts";
export {
  type CreateLimitsOptions,
  createLimits,
  type LimitsEnv,
  type LimitsMiddlewares,
} from "./create-limits.ts";
export type { LogLevel } from "./events/level.ts";
export type { EmittedEvent, LogFields, Sink } from "./events/sink.ts";
export type { EventName } from "./events/table.ts";
export type { EdgeUser } from "./identity/confirmed.ts";
export type { SessionClaims } from "./identity/session-token.ts";
export type {
  AppContext,
  ByKey,
  CacheOptions,
  EdgeOptions,
  KeyFunction,
  LimitedInfo,
  LimitingOptions,
  LimitKey,
  MiddlewareLimit,
  RateLimitArguments,
  RateLimitOptions,
  SessionOptions,
} from "./middleware/options.ts";
export type { EdgeEnv, EdgeVariables } from "./middleware/variables.ts";
export { edge, rateLimit, responseCache, session } from "./middleware.ts";
export type { LimitOptions, LimitResult } from "./ratelimit/handler-limit.ts";
export type { HandlerLimiter } from "./ratelimit/limiter.ts";
export type { LimitSource, LimitVerdict, VerdictFacts } from "./ratelimit/verdict.ts";
export type {
  CreatedSession,
  FoundSession,
  HandlerSessions,
  SessionEnding,
  SessionInput,
} from "./session/handler-sessions.ts";
export type { KeptSession, SessionFields, SessionRecord } from "./session/record.ts";
export type { ActiveSession } from "./session/verdict.ts";
export { StoreError, type StoreErrorCode } from "./store/errors.ts";
export { type Connection, createRequester, type RequesterOptions } from "./store/requester.ts";
export type { ValueCache, ValueReply } from "./value-cache/value-cache.ts";
