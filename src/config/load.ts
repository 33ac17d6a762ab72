import { logLevels } from "../events/level.ts";
import { compileRoutes } from "./compile-routes.ts";
import type { Config, ConfiguredKey, JwtConfig, OriginBinding, OriginConfig } from "./config.ts";
import { ConfigError, type ConfigIssue, described, shown } from "./config-error.ts";
import type { RouteInput } from "./route.ts";
import { type Environment, Variables } from "./variables.ts";

/**
 * Reads the environment and the routes.
 *
 * @param routes The list of `src/routes.ts`; a variable `ROUTES` (array or JSON text) takes its place.
 * @throws ConfigError that names every issue, what was found and the fix.
 */
export function loadConfig(env: Environment, routes: readonly RouteInput[]): Config {
  const issues: ConfigIssue[] = [];
  const warnings: string[] = [];
  const read = new Variables(env, issues);
  const aliased = (name: string, alias: string, fallback: string) => {
    const own = read.text(name);
    const old = read.text(alias);
    if (own === null && old !== null)
      warnings.push(`${alias} is the old name of ${name}: it works, but rename it.`);
    return own ?? old ?? fallback;
  };

  const ttlSeconds = read.integer("REDIS_CACHE_TTL", 3600);
  const store = readStore(read);
  const origin = readOrigin(read);
  const originToken = read.secret("ORIGIN_TOKEN");
  const redisFor = {
    rateLimit: read.boolean("USE_REDIS_RATE_LIMIT", true),
    sessions: read.boolean("USE_REDIS_SESSIONS", true),
    cache: read.boolean("USE_REDIS_CACHE", true),
  };
  if (!redisFor.rateLimit)
    warnings.push(
      "USE_REDIS_RATE_LIMIT is false: each isolate counts for itself, so callers may get several times their limit.",
    );
  if (!redisFor.sessions)
    warnings.push(
      "USE_REDIS_SESSIONS is false: sessions are honoured from their signature and revoked only in the isolate that was asked.",
    );
  if (!redisFor.cache)
    warnings.push(
      "USE_REDIS_CACHE is false: each isolate caches for itself, and a purge reaches only the isolate that was asked.",
    );
  if (!originToken && origin?.kind === "url") {
    warnings.push(
      "ORIGIN_TOKEN is not set: the origin gets no X-User-Id and X-User-Tier, because it could not tell them from forged ones.",
    );
  }

  const config: Config = {
    mode: read.choice("EDGE_MODE", ["enforce", "observe", "bypass"] as const, "enforce"),
    store,
    storeDeadlineMs: read.integer("STORE_DEADLINE_MS", 400, { least: 10, most: 10_000 }),
    isolateMaxAgeMs: read.integer("ISOLATE_MAX_AGE_MS", 5000, { most: 60_000 }),
    prefixes: {
      cache: aliased("REDIS_CACHE_PREFIX", "CACHE_REDIS_PREFIX", "envoyou:cache"),
      rateLimit: aliased("REDIS_RATE_LIMIT_PREFIX", "RATE_LIMIT_REDIS_PREFIX", "envoyou:ratelimit"),
      session: aliased("REDIS_SESSION_PREFIX", "SESSION_REDIS_PREFIX", "envoyou:sessions"),
    },
    redisFor,
    origin,
    originToken,
    originDeadlineMs: read.integer("ORIGIN_DEADLINE_MS", 30_000, { least: 100, most: 300_000 }),
    session: {
      secrets: read.secrets("SESSION_SECRET", 32),
      idleSeconds: read.integer("SESSION_IDLE_SECONDS", 86_400, { least: 60 }),
      absoluteSeconds: read.integer("SESSION_ABSOLUTE_SECONDS", 2_592_000, { least: 60, most: 31_536_000 }),
      offlineGraceSeconds: read.integer("SESSION_OFFLINE_GRACE_SECONDS", 900),
      maxPerUser: read.integer("SESSION_MAX_PER_USER", 20, { least: 1, most: 1000 }),
    },
    identitySecret: read.secrets("IDENTITY_SECRET", 16)[0] ?? null,
    serviceTokens: read.secrets("SERVICE_TOKEN", 16),
    adminTokens: read.secrets("ADMIN_TOKEN", 16),
    apiKeys: readApiKeys(read),
    jwt: readJwt(read),
    corsOrigins: readCorsOrigins(read),
    cache: {
      ttlSeconds,
      maxBodyBytes: read.integer("CACHE_MAX_BODY_BYTES", 1_048_576, { most: 10_485_760 }),
      isolateBytes: read.integer("CACHE_ISOLATE_BYTES", 33_554_432, { most: 100_663_296 }),
    },
    lists: { allow: read.list("ALLOW_LIST"), deny: read.list("DENY_LIST") },
    authBasePath: read.path("AUTH_BASE_PATH", "/auth"),
    healthPath: read.path("HEALTH_PATH", "/health"),
    logLevel: read.choice("LOG_LEVEL", logLevels, "info"),
    routes: readRoutes(read, routes, ttlSeconds, issues),
    warnings,
  };
  if (config.session.idleSeconds > config.session.absoluteSeconds) {
    read.wrong(
      "SESSION_IDLE_SECONDS",
      String(config.session.idleSeconds),
      `Must not be longer than SESSION_ABSOLUTE_SECONDS (${config.session.absoluteSeconds}).`,
    );
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return config;
}

function readStore(read: Variables): Config["store"] {
  const url = read.url("UPSTASH_REDIS_REST_URL");
  const token = read.secret("UPSTASH_REDIS_REST_TOKEN");
  if (url && !token)
    read.wrong(
      "UPSTASH_REDIS_REST_TOKEN",
      "nothing",
      "Set it: UPSTASH_REDIS_REST_URL is set, and needs its token.",
    );
  if (token && read.raw("UPSTASH_REDIS_REST_URL") === undefined) {
    read.wrong(
      "UPSTASH_REDIS_REST_URL",
      "nothing",
      "Set it: UPSTASH_REDIS_REST_TOKEN is set, and needs its address.",
    );
  }
  if (!url && !token && read.raw("REDIS_URL") !== undefined) {
    read.wrong(
      "REDIS_URL",
      "a Redis address over TCP, which a Worker cannot use",
      'Set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN instead (the "REST API" box of the database\'s page), and remove REDIS_URL.',
    );
  }
  return url && token ? { url: url.href.replace(/\/+$/, ""), token } : null;
}

function readOrigin(read: Variables): OriginConfig | null {
  const url = read.url("ORIGIN_URL");
  const binding = read.raw("ORIGIN");
  if (binding === undefined) return url ? { kind: "url", url } : null;
  if (!isBinding(binding)) {
    read.wrong("ORIGIN", shown(binding), "Must be a service binding; an address goes into ORIGIN_URL.");
    return null;
  }
  return { kind: "binding", binding, url: url ?? new URL("http://origin") };
}

function isBinding(value: unknown): value is OriginBinding {
  return typeof value === "object" && value !== null && "fetch" in value && typeof value.fetch === "function";
}

function readApiKeys(read: Variables): ConfiguredKey[] {
  const keys: ConfiguredKey[] = [];
  const entries = (read.secret("API_KEYS") ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter(Boolean);
  entries.forEach((entry, index) => {
    const parts = entry.split(":").map((part) => part.trim());
    const [key, name, tier = ""] = parts;
    if (parts.length > 3 || !key || !name) {
      read.wrong(
        `API_KEYS (entry ${index + 1})`,
        described(entry),
        "Write key:name:tier, entries separated by commas.",
      );
    } else if (key.length < 16) {
      read.wrong(
        `API_KEYS (entry ${index + 1})`,
        `a key of ${key.length} characters`,
        "Use at least 16: a shorter one can be guessed.",
      );
    } else if (keys.some((known) => known.name === name || known.key === key)) {
      read.wrong(
        `API_KEYS (entry ${index + 1})`,
        `a second ${shown(name)}`,
        "Give each key a name and a text of its own.",
      );
    } else keys.push({ key, name, tier });
  });
  return keys;
}

function readJwt(read: Variables): JwtConfig | null {
  const own = read.secrets("JWT_SECRET", 32);
  const secrets = own.length > 0 ? own : read.secrets("JWT_SECRET_KEY", 32);
  const jwksUrl = read.url("JWT_JWKS_URL")?.href ?? null;
  if (secrets.length === 0 && !jwksUrl) return null;
  const issuer = read.text("JWT_ISSUER");
  const audience = read.text("JWT_AUDIENCE");
  if (jwksUrl && !issuer)
    read.wrong("JWT_ISSUER", "nothing", "Set it: with JWT_JWKS_URL the issuer must be checked.");
  if (jwksUrl && !audience)
    read.wrong("JWT_AUDIENCE", "nothing", "Set it: with JWT_JWKS_URL the audience must be checked.");
  return { secrets, jwksUrl, issuer, audience, tierClaim: read.text("JWT_TIER_CLAIM") };
}

function readCorsOrigins(read: Variables): string[] | null {
  const origins = read.list("CORS_ALLOWED_ORIGINS");
  for (const origin of origins) {
    if (origin === "*") {
      read.wrong(
        "CORS_ALLOWED_ORIGINS",
        "*",
        "Name each origin: with credentials a browser refuses a wildcard.",
      );
    } else if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      read.wrong(
        "CORS_ALLOWED_ORIGINS",
        shown(origin),
        "Write scheme, host and port only, as browsers send it: https://app.example.com.",
      );
    }
  }
  return origins.length > 0 ? origins : null;
}

function readRoutes(read: Variables, routes: readonly RouteInput[], ttl: number, issues: ConfigIssue[]) {
  const variable = read.raw("ROUTES");
  if (variable === undefined) return compileRoutes(routes, ttl, issues);
  if (typeof variable !== "string") return compileRoutes(variable, ttl, issues, "ROUTES");
  try {
    return compileRoutes(JSON.parse(variable), ttl, issues, "ROUTES");
  } catch {
    read.wrong(
      "ROUTES",
      `${shown(variable)}, which is not JSON`,
      "Write a JSON list of routes, or remove it to use src/routes.ts.",
    );
    return [];
  }
}
