/** What the package `envoyou-edge` is for an app of your own: the middlewares, and the types of what they take and give. */
export { ConfigError, type ConfigIssue } from "./config/config-error.ts";
export type { EdgeSettings } from "./config/edge-settings.ts";
export {
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
export type { EmittedEvent, Sink } from "./events/sink.ts";
export type {
  AppContext,
  CacheOptions,
  EdgeOptions,
  KeyFunction,
  LimitedInfo,
  LimitingOptions,
  LimitKey,
  MiddlewareLimit,
  RateLimitOptions,
  SessionOptions,
} from "./middleware/options.ts";
export {
  type EdgeEnv,
  type EdgeVariables,
  edge,
  rateLimit,
  responseCache,
  session,
} from "./middleware.ts";
export type { LimitOptions, LimitResult } from "./ratelimit/handler-limit.ts";
export { type Connection, createRequester, type RequesterOptions } from "./store/requester.ts";
