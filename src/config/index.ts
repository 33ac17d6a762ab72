/** The environment and the routes, validated once per isolate: {@link loadConfig} gives a Config or throws a ConfigError. */

export { compileRoutes } from "./compile-routes.ts";
export type { Config, ConfiguredKey, JwtConfig, OriginBinding, OriginConfig } from "./config.ts";
export { ConfigError, type ConfigMistake } from "./config-error.ts";
export { durationMs } from "./duration.ts";
export { loadConfig } from "./load.ts";
export { decodedPath, type RouteMatcher, routeMatcher } from "./match.ts";
export {
  type CacheRule,
  type CacheRuleInput,
  type Duration,
  defineRoutes,
  type LimitInput,
  type Policy,
  type Route,
  type RouteInput,
  unmatchedRoute,
} from "./route.ts";
