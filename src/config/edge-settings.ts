import type { Redis } from "@upstash/redis";
import type { LogLevel } from "../events/level.ts";
import type { DatabaseBinding } from "./config.ts";
import { ConfigError, type ConfigIssue } from "./config-error.ts";

/** What `createEdge()` is told in place of variables. */
export interface EdgeSettings {
  /**
   * The database: its address and token, or a client over `createRequester()`. Default: the variables `UPSTASH_REDIS_REST_URL` and
   * `UPSTASH_REDIS_REST_TOKEN`; without them limits, sessions and cache live in the isolate.
   */
  redis?: { url: string; token: string } | Redis;
  /** One or several, newest first. Default: the variables `SESSION_SECRET`, where sessions are used, and `IDENTITY_SECRET`. */
  secrets?: { session?: string | readonly string[]; identity?: string | readonly string[] };
  limits?: {
    /** Bits of the network that an IPv6 address counts as: 48 to 64. Default 64. */
    ipv6Prefix?: number;
    /** Addresses, networks, users and names of keys that are never limited, and those that are refused. */
    allow?: readonly string[];
    deny?: readonly string[];
    /** Of the keys in Redis. */
    prefix?: string;
    /** `false`: counts stay in the isolate. */
    useRedis?: boolean;
  };
  sessions?: {
    /** Seconds of silence after which a session ends. Default 86,400. */
    idleSeconds?: number;
    /** Seconds after which it ends at the latest. Default 2,592,000. */
    absoluteSeconds?: number;
    /** Seconds that a confirmation may be old while the store is lost. Default 900. */
    offlineGraceSeconds?: number;
    /** Beyond it the user's oldest session ends. Default 20. */
    maxPerUser?: number;
    /** A D1 database that has sessions too. */
    database?: DatabaseBinding;
    prefix?: string;
    useRedis?: boolean;
  };
  cache?: {
    /** Seconds, of responses of scope `shared` and `caller` that name no lifetime. Default 3600. */
    ttlSeconds?: number;
    /** Bytes of the largest body that is stored. Default 1 MiB. */
    maxBodyBytes?: number;
    /** Bytes of the isolate's part of the cache. Default 32 MiB. */
    isolateBytes?: number;
    prefix?: string;
    useRedis?: boolean;
  };
  /** API keys that the edge knows. */
  apiKeys?: readonly { key: string; name: string; tier?: string }[];
  jwt?: {
    secrets?: string | readonly string[];
    jwksUrl?: string;
    issuer?: string;
    audience?: string | readonly string[];
    tierClaim?: string;
    cookie?: string;
  };
  cors?: { origins: readonly string[]; exposed?: readonly string[] };
  /** `observe` only logs what `enforce`, the default, would refuse; `bypass` passes everything. */
  mode?: "enforce" | "observe" | "bypass";
  /** Milliseconds that a request waits for a store that is near. Default 400. */
  storeDeadlineMs?: number;
  /** Milliseconds that what the isolate answers alone may be old. Default 5000. */
  isolateMaxAgeMs?: number;
  logLevel?: LogLevel;
}

/** Which option stands for which variable. An option that is not here is no setting. */
const VARIABLES: Readonly<Record<string, string>> = {
  "redis.url": "UPSTASH_REDIS_REST_URL",
  "redis.token": "UPSTASH_REDIS_REST_TOKEN",
  "secrets.session": "SESSION_SECRET",
  "secrets.identity": "IDENTITY_SECRET",
  "limits.ipv6Prefix": "RATE_LIMIT_IPV6_PREFIX",
  "limits.allow": "ALLOW_LIST",
  "limits.deny": "DENY_LIST",
  "limits.prefix": "REDIS_RATE_LIMIT_PREFIX",
  "limits.useRedis": "USE_REDIS_RATE_LIMIT",
  "sessions.idleSeconds": "SESSION_IDLE_SECONDS",
  "sessions.absoluteSeconds": "SESSION_ABSOLUTE_SECONDS",
  "sessions.offlineGraceSeconds": "SESSION_OFFLINE_GRACE_SECONDS",
  "sessions.maxPerUser": "SESSION_MAX_PER_USER",
  "sessions.database": "SESSION_DB",
  "sessions.prefix": "REDIS_SESSION_PREFIX",
  "sessions.useRedis": "USE_REDIS_SESSIONS",
  "cache.ttlSeconds": "REDIS_CACHE_TTL",
  "cache.maxBodyBytes": "CACHE_MAX_BODY_BYTES",
  "cache.isolateBytes": "CACHE_ISOLATE_BYTES",
  "cache.prefix": "REDIS_CACHE_PREFIX",
  "cache.useRedis": "USE_REDIS_CACHE",
  apiKeys: "API_KEYS",
  "jwt.secrets": "JWT_SECRET",
  "jwt.jwksUrl": "JWT_JWKS_URL",
  "jwt.issuer": "JWT_ISSUER",
  "jwt.audience": "JWT_AUDIENCE",
  "jwt.tierClaim": "JWT_TIER_CLAIM",
  "jwt.cookie": "JWT_COOKIE",
  "cors.origins": "CORS_ALLOWED_ORIGINS",
  "cors.exposed": "CORS_EXPOSED_HEADERS",
  mode: "EDGE_MODE",
  storeDeadlineMs: "STORE_DEADLINE_MS",
  isolateMaxAgeMs: "ISOLATE_MAX_AGE_MS",
  logLevel: "LOG_LEVEL",
};

const OPTIONS: ReadonlyMap<string, string> = new Map(
  Object.entries(VARIABLES).map(([option, variable]) => [variable, option]),
);

/** The variables that an edge reads of its host, where no option gives them: names that belong to it or to Upstash. */
const OF_THE_HOST = ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN", "IDENTITY_SECRET"] as const;
const FOR_SESSIONS = ["SESSION_SECRET"] as const;

/**
 * The variables that the options stand for, with those of the host that no option gives. No other variable of the host is read: its
 * own `LOG_LEVEL` or `API_KEYS` means something else.
 *
 * @param settings With `redis` as an address.
 * @param sessions Whether sessions are used: else nobody needs their secret.
 * @throws ConfigError for options that there are none of.
 */
export function variablesFrom(
  settings: EdgeSettings & { redis?: { url: string; token: string } },
  host: Readonly<Record<string, unknown>>,
  { sessions }: { sessions: boolean },
): Record<string, unknown> {
  const issues: ConfigIssue[] = [];
  const variables: Record<string, unknown> = {};
  for (const [option, value] of optionsIn(settings, "")) {
    const variable = VARIABLES[option];
    if (variable === undefined)
      issues.push({
        place: `createEdge: ${option}`,
        found: "an option that there is none of",
        fix: "Remove it.",
      });
    else variables[variable] = written(option, value);
  }
  if (issues.length > 0) throw new ConfigError(issues);
  const isGiven = (name: string) =>
    settings.redis !== undefined && name.startsWith("UPSTASH_") ? true : name in variables;
  for (const name of sessions ? [...OF_THE_HOST, ...FOR_SESSIONS] : OF_THE_HOST) {
    if (!isGiven(name) && host[name] !== undefined) variables[name] = host[name];
  }
  return variables;
}

/** The error with the options' names in place of the variables'. */
export function inOptions({ issues }: ConfigError): ConfigError {
  return new ConfigError(
    issues.map((issue) => {
      const [, variable = "", rest = ""] = /^([A-Z][A-Z0-9_]*)(.*)$/s.exec(issue.place) ?? [];
      const option = OPTIONS.get(variable);
      return option === undefined ? issue : { ...issue, place: `createEdge: ${option} (${variable}${rest})` };
    }),
  );
}

/** Each option that is set, with its path. */
function optionsIn(settings: object, path: string): [string, unknown][] {
  return Object.entries(settings).flatMap(([name, value]): [string, unknown][] => {
    const here = path === "" ? name : `${path}.${name}`;
    if (value === undefined) return [];
    const isGroup = typeof value === "object" && value !== null && GROUPS.has(here);
    return isGroup ? optionsIn(value, here) : [[here, value]];
  });
}

const GROUPS: ReadonlySet<string> = new Set(
  Object.keys(VARIABLES).flatMap((option) => (option.includes(".") ? [option.replace(/\..*$/, "")] : [])),
);

/** A value as the variable's reader takes it: lists are texts with commas. */
function written(option: string, value: unknown): unknown {
  if (option === "apiKeys" && Array.isArray(value)) {
    return (value as NonNullable<EdgeSettings["apiKeys"]>)
      .map(({ key, name, tier = "" }) => `${key}:${name}:${tier}`)
      .join(",");
  }
  return Array.isArray(value) ? value.join(",") : value;
}
