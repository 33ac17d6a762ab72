import { HINTED_CREDENTIALS } from "../http/credential-fields.ts";
import { compileLimits } from "./compile-limits.ts";
import type { Config } from "./config.ts";
import { ConfigError, type ConfigIssue } from "./config-error.ts";
import type { AlgorithmTable } from "./limit-algorithms.ts";
import { checkLimits } from "./limit-input.ts";
import { limitVariables } from "./limit-variables.ts";
import { readLists, readStore } from "./read-store.ts";
import { type Environment, readVariables } from "./read-variables.ts";
import { type Route, type RouteInput, unmatchedRoute } from "./route.ts";

/**
 * What {@link loadConfigWith} is for a whole edge, for limits alone: the same variables are read in the same way, as far as limits
 * need any, and of a route its limits. It needs no schema library, which is a fifth of what limits alone weigh.
 *
 * @param routes As `edge()` makes them: one, for every path.
 * @throws ConfigError that names every issue, what was found and the fix.
 */
export function loadLimitsWith(
  algorithms: AlgorithmTable,
  env: Environment,
  routes: readonly RouteInput[],
): Config {
  const issues: ConfigIssue[] = [];
  const warnings: string[] = [];
  const values = readVariables(limitVariables, env, issues, warnings);
  const compiled = routes.map((route, index): Route => {
    const place = `routes[${index}]`;
    const compiledAt = (input: unknown, list: string) =>
      compileLimits(
        checkLimits(input, `${place}.${list}`, { algorithms, issues }) ?? [],
        route.path,
        `${place}.${list}`,
        { algorithms, issues, warnings },
      );
    return {
      ...unmatchedRoute,
      name: route.path,
      path: route.path,
      limits: compiledAt(route.limits, "limits"),
      tiers: new Map(
        Object.entries(route.tiers ?? {}).map(([tier, list]) => [tier, compiledAt(list, `tiers.${tier}`)]),
      ),
      onStoreFailure: route.onStoreFailure ?? unmatchedRoute.onStoreFailure,
    };
  });
  const lists = readLists(values, issues);
  checkDenied(lists, issues);
  const config: Config = {
    ...NOT_IN_USE,
    // Preflights ask it whether a field is one, and nothing else does.
    credentials: HINTED_CREDENTIALS as never,
    mode: values.EDGE_MODE,
    store: readStore(env, values, issues),
    storeDeadlineMs: values.STORE_DEADLINE_MS,
    isolateMaxAgeMs: values.ISOLATE_MAX_AGE_MS,
    prefixes: { cache: "", session: "", rateLimit: values.REDIS_RATE_LIMIT_PREFIX },
    redisFor: { rateLimit: values.USE_REDIS_RATE_LIMIT, sessions: false, cache: false },
    identitySecrets: values.IDENTITY_SECRET,
    ipv6Prefix: values.RATE_LIMIT_IPV6_PREFIX,
    lists,
    logLevel: values.LOG_LEVEL,
    routes: compiled,
    warnings,
  };
  if (issues.length > 0) throw new ConfigError(issues);
  return config;
}

/** Nobody is known here by a user or a key: an entry that names one would refuse nobody. */
function checkDenied({ deny: { users, keys } }: Config["lists"], issues: ConfigIssue[]): void {
  if (users.size + keys.size === 0) return;
  const fix = "Name addresses and ranges alone, or use createEdge(): here callers are known by nothing else.";
  issues.push({ place: "DENY_LIST", found: "a user or a key", fix });
}

/** Settings of what takes no part. */
const NOT_IN_USE = {
  origin: null,
  originToken: null,
  originDeadlineMs: 0,
  session: { secrets: [], idleSeconds: 0, absoluteSeconds: 0, offlineGraceSeconds: 0, maxPerUser: 0 },
  sessionDatabase: null,
  assets: null,
  deployedVersion: null,
  serviceTokens: [],
  adminTokens: [],
  consoleHost: null,
  apiHost: null,
  metricsTokens: [],
  apiKeys: [],
  jwt: null,
  corsOrigins: null,
  trustedOrigins: [],
  corsExposed: [],
  cache: { ttlSeconds: 0, maxBodyBytes: 0, isolateBytes: 0 },
  authBasePath: "",
  healthPath: "",
};
