import { originFix, trustedOrigins } from "../http/cors-origins.ts";
import { CredentialNames } from "../http/credential-fields.ts";
import { isFieldName } from "../http/field-name.ts";
import {
  checkIgnoredCookies,
  checkOwnedPaths,
  checkShadowed,
  type PlacedRoute,
  unreachableAccess,
  unreachableTiers,
  uselessLeases,
} from "./check-routes.ts";
import { checkShared } from "./check-shared.ts";
import { compileRoutes } from "./compile-routes.ts";
import type { AssetsBinding, Config, JwtConfig, OriginBinding, OriginConfig } from "./config.ts";
import { ConfigError, type ConfigIssue, shown } from "./config-error.ts";
import type { AlgorithmTable } from "./limit-algorithms.ts";
import { readApiKeys } from "./read-api-keys.ts";
import { readHosts } from "./read-hosts.ts";
import { checkRedisUrl, readLists, readStore } from "./read-store.ts";
import { type Environment, readVariables, valueIn } from "./read-variables.ts";
import type { RouteInput } from "./route.ts";
import { readSessionDatabase } from "./session-database.ts";
import { type VariableName, type VariableValues, variables } from "./variables-table.ts";
import { warnOfSwitches } from "./warnings.ts";

/** What the checks of several variables share. */
interface Loading {
  algorithms: AlgorithmTable;
  env: Environment;
  values: VariableValues;
  issues: ConfigIssue[];
  warnings: string[];
}

/**
 * Reads the environment and the routes; `edge/load-config.ts` hands the algorithms in.
 *
 * @param routes The list of `src/routes.ts`; a variable `ROUTES` (array or JSON text) takes its place.
 * @throws ConfigError that names every issue, what was found and the fix.
 */
export function loadConfigWith(
  algorithms: AlgorithmTable,
  env: Environment,
  routes: readonly RouteInput[],
): Config {
  const issues: ConfigIssue[] = [];
  const warnings: string[] = [];
  const values = readVariables(variables, env, issues, warnings);
  const loading: Loading = { algorithms, env, values, issues, warnings };

  const store = readStore(env, values, issues);
  checkRedisUrl(env, issues);
  const origin = readOrigin(loading);
  warnOfSwitches(values, origin, warnings);
  const apiKeys = readApiKeys(values.API_KEYS, issues);
  const jwt = readJwt(loading);
  const placed = readRoutes(loading, routes);
  const session = readSession(loading);
  const { HEALTH_PATH: healthPath, AUTH_BASE_PATH: authBasePath } = values;
  checkPlaced(loading, placed, { apiKeys, jwt, session });

  const config: Config = {
    mode: values.EDGE_MODE,
    store,
    storeDeadlineMs: values.STORE_DEADLINE_MS,
    isolateMaxAgeMs: values.ISOLATE_MAX_AGE_MS,
    ...readRedisUse(loading),
    origin,
    originToken: values.ORIGIN_TOKEN,
    originDeadlineMs: values.ORIGIN_DEADLINE_MS,
    session,
    sessionDatabase: readSessionDatabase(values.SESSION_DB, issues),
    assets: readAssets(loading),
    deployedVersion: readDeployedVersion(loading),
    identitySecrets: values.IDENTITY_SECRET,
    serviceTokens: values.SERVICE_TOKEN,
    adminTokens: values.ADMIN_TOKEN,
    ...readHosts(values, origin, issues),
    metricsTokens: readMetricsTokens(loading),
    apiKeys,
    jwt,
    ...readCorsOrigins(loading),
    credentials: readCredentials(loading),
    corsExposed: readCorsExposed(loading),
    cache: {
      ttlSeconds: values.REDIS_CACHE_TTL,
      maxBodyBytes: values.CACHE_MAX_BODY_BYTES,
      isolateBytes: values.CACHE_ISOLATE_BYTES,
    },
    ipv6Prefix: values.RATE_LIMIT_IPV6_PREFIX,
    lists: readLists(values, issues),
    authBasePath,
    healthPath,
    logLevel: values.LOG_LEVEL,
    routes: placed.map(({ route }) => route),
    warnings,
  };
  if (issues.length > 0) throw new ConfigError(issues);
  return config;
}

/** What no route shows alone: routes beside each other, and beside the variables. */
function checkPlaced(
  { values, issues, warnings }: Loading,
  placed: readonly PlacedRoute[],
  { apiKeys, jwt, session }: Pick<Config, "apiKeys" | "jwt" | "session">,
): void {
  const { HEALTH_PATH: healthPath, AUTH_BASE_PATH: authBasePath } = values;
  checkShadowed(placed, issues);
  checkShared(placed, { issues, warnings });
  checkOwnedPaths({ healthPath, authBasePath }, placed, issues);
  checkIgnoredCookies(placed, jwt?.cookie ?? null, issues);
  const hasTierClaim = jwt?.tierClaim != null;
  const apiKeyTiers = apiKeys.map(({ tier }) => tier);
  const hasSessions = session.secrets.length > 0;
  warnings.push(...unreachableTiers(placed, { apiKeyTiers, hasSessions, hasTierClaim }));
  const hasApiKeys = apiKeys.length > 0;
  warnings.push(...unreachableAccess(placed, { hasApiKeys, hasSessions, hasJwt: jwt !== null }));
  warnings.push(...uselessLeases(placed));
}

/** What opens the metrics stands in the settings of a monitoring system, so it must open nothing else. */
function readMetricsTokens({ values, issues }: Loading): string[] {
  const { METRICS_TOKEN: tokens, ADMIN_TOKEN, SERVICE_TOKEN, ORIGIN_TOKEN } = values;
  for (const [name, others] of Object.entries({ ADMIN_TOKEN, SERVICE_TOKEN, ORIGIN_TOKEN: [ORIGIN_TOKEN] })) {
    if (!tokens.some((token) => others.includes(token))) continue;
    const fix = "Make one of its own: `openssl rand -base64 32`. It must open nothing but the metrics.";
    issues.push({ place: "METRICS_TOKEN", found: `the same token as ${name}`, fix });
  }
  return tokens;
}

function readRedisUse({ values }: Loading): Pick<Config, "prefixes" | "redisFor"> {
  return {
    prefixes: {
      cache: values.REDIS_CACHE_PREFIX,
      rateLimit: values.REDIS_RATE_LIMIT_PREFIX,
      session: values.REDIS_SESSION_PREFIX,
    },
    redisFor: {
      rateLimit: values.USE_REDIS_RATE_LIMIT,
      sessions: values.USE_REDIS_SESSIONS,
      cache: values.USE_REDIS_CACHE,
    },
  };
}

function readOrigin({ values, issues }: Loading): OriginConfig | null {
  const { ORIGIN_URL: url, ORIGIN: binding } = values;
  if (binding === undefined) return url ? { kind: "url", url } : null;
  if (!isBinding(binding)) {
    issues.push({
      place: "ORIGIN",
      found: typeof binding === "string" ? "a text" : shown(binding),
      fix: "Must be a service binding; an address goes into ORIGIN_URL.",
    });
    return null;
  }
  return { kind: "binding", binding, url: url ?? new URL("http://origin") };
}

function readAssets({ values: { ASSETS: binding }, issues }: Loading): AssetsBinding | null {
  if (binding === undefined) return null;
  if (isBinding(binding)) return binding;
  const found = typeof binding === "string" ? "a text" : shown(binding);
  issues.push({
    place: "ASSETS",
    found,
    fix: "Must be the binding of [assets] in wrangler.toml, not a variable.",
  });
  return null;
}

/** The binding tells the version's id, which is a UUID. */
function readDeployedVersion({ values: { CF_VERSION_METADATA: binding }, issues }: Loading): string | null {
  if (binding === undefined) return null;
  const { id } = Object(binding) as { id?: unknown };
  if (typeof id === "string") return /^[0-9a-f]{8}/i.exec(id)?.[0].toLowerCase() ?? null;
  const found = typeof binding === "string" ? "a text" : shown(binding);
  const fix = "Must be the binding of [version_metadata] in wrangler.toml, not a variable.";
  issues.push({ place: "CF_VERSION_METADATA", found, fix });
  return null;
}

function isBinding(value: unknown): value is OriginBinding {
  return typeof value === "object" && value !== null && "fetch" in value && typeof value.fetch === "function";
}

function readSession({ values, issues }: Loading): Config["session"] {
  const { SESSION_IDLE_SECONDS: idleSeconds, SESSION_ABSOLUTE_SECONDS: absoluteSeconds } = values;
  if (idleSeconds > absoluteSeconds) {
    issues.push({
      place: "SESSION_IDLE_SECONDS",
      found: String(idleSeconds),
      fix: `Must not be longer than SESSION_ABSOLUTE_SECONDS (${absoluteSeconds}).`,
    });
  }
  return {
    secrets: values.SESSION_SECRET,
    idleSeconds,
    absoluteSeconds,
    offlineGraceSeconds: values.SESSION_OFFLINE_GRACE_SECONDS,
    maxPerUser: values.SESSION_MAX_PER_USER,
  };
}

function readJwt(loading: Loading): JwtConfig | null {
  const { values, issues } = loading;
  const { JWT_SECRET: secrets, JWT_ISSUER: issuer, JWT_AUDIENCE: audiences, JWT_COOKIE: cookie } = values;
  const jwksUrl = values.JWT_JWKS_URL?.href ?? null;
  if (cookie !== null && !isFieldName(cookie))
    issues.push({ place: "JWT_COOKIE", found: shown(cookie), fix: "Write the name of a cookie." });
  if (secrets.length === 0) warnOfUnused(["JWT_SECRET_ISSUER", "JWT_SECRET_AUDIENCE"], "JWT_SECRET", loading);
  if (secrets.length === 0 && !jwksUrl) {
    const unused = ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_TIER_CLAIM", "JWT_COOKIE"] as const;
    warnOfUnused(unused, "JWT_SECRET nor JWT_JWKS_URL", loading);
    return null;
  }
  const missing = (place: VariableName, what: string) =>
    issues.push({ place, found: "nothing", fix: `Set it: with JWT_JWKS_URL the ${what} must be checked.` });
  if (jwksUrl && !issuer) missing("JWT_ISSUER", "issuer");
  if (jwksUrl && audiences.length === 0) missing("JWT_AUDIENCE", "audience");
  const forKeySet = { issuer, audiences };
  const { JWT_SECRET_ISSUER, JWT_SECRET_AUDIENCE } = values;
  // Beside a key set JWT_ISSUER and JWT_AUDIENCE are the key set's; without one they can only mean the tokens of JWT_SECRET.
  const shared = jwksUrl ? { issuer: null, audiences: [] } : forKeySet;
  const forSecrets = {
    issuer: JWT_SECRET_ISSUER ?? shared.issuer,
    audiences: JWT_SECRET_AUDIENCE.length > 0 ? JWT_SECRET_AUDIENCE : shared.audiences,
  };
  return { secrets, jwksUrl, forKeySet, forSecrets, tierClaim: values.JWT_TIER_CLAIM, cookie };
}

/** Settings of tokens that no key verifies: every such token is an API key then. */
function warnOfUnused(names: readonly VariableName[], missing: string, { env, warnings }: Loading): void {
  for (const name of names.filter((each) => valueIn(env, each) !== undefined))
    warnings.push(
      `${name} has no effect: ${missing.includes(" nor ") ? "neither" : "no"} ${missing} is set.`,
    );
}

function readCorsOrigins({ values, issues }: Loading): Pick<Config, "corsOrigins" | "trustedOrigins"> {
  const place = "CORS_ALLOWED_ORIGINS";
  const origins = values[place].filter((origin) => origin !== "");
  for (const origin of origins) {
    const fix = originFix(origin);
    if (fix !== null) issues.push({ place, found: shown(origin), fix });
  }
  return { corsOrigins: origins.length > 0 ? origins : null, trustedOrigins: trustedOrigins(origins) };
}

/** A name that no request has would leave the answers of several callers one. */
function readCredentials({ values, issues }: Loading): CredentialNames {
  const place = "CREDENTIAL_FIELDS";
  const names = values[place];
  for (const name of names) {
    if (!/^-?$|[\s*=?&;]|:$/.test(name)) continue;
    issues.push({
      place,
      found: shown(name),
      fix: "Write whole names, with commas between: X-Tenant, -page_key.",
    });
  }
  return new CredentialNames(names);
}

function readCorsExposed({ values, issues }: Loading): string[] {
  const place = "CORS_EXPOSED_HEADERS";
  const names = values[place].filter((name) => name !== "");
  for (const name of names) {
    if (name !== "*" && isFieldName(name)) continue;
    const fix =
      "Write names of response fields: X-Total-Count. With credentials a browser takes * for a name.";
    issues.push({ place, found: shown(name), fix });
  }
  return names;
}

function readRoutes(
  { algorithms, values, issues, warnings }: Loading,
  routes: readonly RouteInput[],
): PlacedRoute[] {
  const variable = values.ROUTES;
  const compile = (list: unknown, place: string) =>
    compileRoutes(list, { cacheTtlSeconds: values.REDIS_CACHE_TTL, place, algorithms, issues, warnings });
  if (variable === undefined) return compile(routes, "routes");
  if (typeof variable !== "string") return compile(variable, "ROUTES");
  try {
    return compile(JSON.parse(variable), "ROUTES");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    issues.push({
      place: "ROUTES",
      found: `${shown(variable)}, which is not JSON`,
      fix: "Write a JSON list of routes, or remove it to use src/routes.ts.",
    });
    return [];
  }
}
