import type { Redis } from "@upstash/redis";
import type { LogLevel } from "../events/level.ts";
import { isObject, unknownKey } from "./check-given.ts";
import type { DatabaseBinding } from "./config.ts";
import { ConfigError, type ConfigIssue, shown } from "./config-error.ts";

/**
 * What `createEdge()` is told in place of variables. docs/configuration.md has the variable of each option and the values that it may have;
 * any other value, and an option that there is none of, is a {@link ConfigError}, which names it and the fix.
 */
export interface EdgeSettings {
  /**
   * The database: its address and token, or a client over `createRequester()`. Default: the variables `UPSTASH_REDIS_REST_URL` and
   * `UPSTASH_REDIS_REST_TOKEN`; without them limits, sessions and cache live in the isolate.
   */
  redis?:
    | {
        /** Its REST address, `https://….upstash.io`. */
        url: string;
        /** Its REST token. */
        token: string;
      }
    | Redis;
  /** Secrets: `openssl rand -base64 32` makes one. */
  secrets?: {
    /**
     * What signs session tokens, 32 characters or more, or several, newest first; an old one may go after `sessions.absoluteSeconds`.
     * Default: the variable `SESSION_SECRET`, where sessions are used.
     */
    session?: string | readonly string[];
    /**
     * What hashes callers in keys of Redis and in the log, 16 characters or more, or several, newest first; a new one starts counts and cache
     * anew. Default: the variable `IDENTITY_SECRET`, else one that is derived from the database's token.
     */
    identity?: string | readonly string[];
  };
  /** Limits of every middleware. */
  limits?: {
    /** Bits of the network that an IPv6 address counts as: 48 to 64. Default 64. */
    ipv6Prefix?: number;
    /** Callers that are never limited: addresses, CIDR ranges, `user:<id>` and `key:<hash>`. Default none. */
    allow?: readonly string[];
    /** Callers that are always refused with a 403, in the same form; wins over `allow`. Default none. */
    deny?: readonly string[];
    /** What keys of limits in Redis begin with. Default `envoyou:ratelimit`. */
    prefix?: string;
    /** `false`: counts stay in the isolate. Default `true`. */
    useRedis?: boolean;
  };
  /** Sessions of every middleware. */
  sessions?: {
    /** Seconds of silence after which a session ends, 60 to 31,536,000. Default 86,400: a day. */
    idleSeconds?: number;
    /** Seconds after which it ends at the latest, 60 to 31,536,000. Default 2,592,000: 30 days. */
    absoluteSeconds?: number;
    /** Seconds that a confirmation may be old while the store is lost, 0 (never) to 31,536,000. Default 900. */
    offlineGraceSeconds?: number;
    /** Sessions of one user, 1 to 1000; beyond it the oldest ends. Default 20. */
    maxPerUser?: number;
    /** A D1 database that has sessions too, with the tables of `src/session/migrations`. Default none. */
    database?: DatabaseBinding;
    /** What keys of sessions in Redis begin with. Default `envoyou:sessions`. */
    prefix?: string;
    /** `false`: sessions are in `database` alone, or are honoured from their signature. Default `true`. */
    useRedis?: boolean;
  };
  /** The cache of every middleware. */
  cache?: {
    /** Seconds, of answers of scope `shared` and `caller` that name no lifetime, 0 to 2,147,483,648. Default 3600. */
    ttlSeconds?: number;
    /** Bytes of the largest body that is stored, up to 10,485,760. Default 1,048,576: 1 MiB. */
    maxBodyBytes?: number;
    /** Bytes of the isolate's part of the cache, up to 100,663,296. Default 33,554,432: 32 MiB. */
    isolateBytes?: number;
    /** What keys of the cache in Redis begin with. Default `envoyou:cache`. */
    prefix?: string;
    /** `false`: each isolate stores for itself. Default `true`. */
    useRedis?: boolean;
  };
  /** API keys that the edge knows: they are verified callers. Default none. */
  apiKeys?: readonly {
    /** The key, 16 characters or more, which callers send as bearer, `X-API-Key` or `?api_key=`. */
    key: string;
    /** Its name, for operators and the log. Each key has its own. */
    name: string;
    /** The tier of whoever has the key. Default none. */
    tier?: string;
  }[];
  /** JWTs (RFC 7519) that the edge verifies; they need `sub` and `exp`. Default: a bearer of three parts is an API key. */
  jwt?: {
    /** What verifies HS256, 32 characters or more, or several. */
    secrets?: string | readonly string[];
    /** The address of the key set (RFC 7517) that verifies RS, PS and ES 256 to 512 and EdDSA; it needs `issuer` and `audience`. */
    jwksUrl?: string;
    /** The issuer that a token of the key set must name; without `jwksUrl` one signed with HS256. */
    issuer?: string;
    /** The audience that such a token must name, or several, of which it must name one. */
    audience?: string | readonly string[];
    /** The claim that names the tier: its name, or a path with dots. Default none. */
    tierClaim?: string;
    /** The cookie that holds a token where the request has none as its bearer. Default none. */
    cookie?: string;
  };
  /** CORS: with it the edge answers preflights, and adds the fields to each answer. Default: that is the app's, as with Hono's `cors()`. */
  cors?: {
    /** Origins whose pages may read answers: `https://app.example.com`, `https://*.example.app`. */
    origins: readonly string[];
    /** Fields of answers that pages may read, beside the edge's own. Default none. */
    exposed?: readonly string[];
  };
  /** `observe` only logs what `enforce`, the default, would refuse; `bypass` passes everything. */
  mode?: "enforce" | "observe" | "bypass";
  /** Milliseconds that a request waits for a store that is near, 10 to 10,000; up to three times that for one that is far. Default 400. */
  storeDeadlineMs?: number;
  /** Milliseconds that what the isolate answers alone may be old, 0 to 60,000. Default 5000. */
  isolateMaxAgeMs?: number;
  /** The least level of the events that are logged. Default `info`. */
  logLevel?: LogLevel;
}

/** The options of one function, and which variable each stands for. An option that is not here is no setting. */
export interface OptionTable {
  /** The function. */
  of: string;
  variables: Readonly<Record<string, string>>;
  /** The options that may be lists. */
  mayBeList: RegExp;
  /** How an entry of a list reads in a variable. Default as it is. */
  entry?(value: unknown): string;
  /** What to do about any other option. */
  others?: string;
}

/** Those of limits. */
export const limitOptions: OptionTable = {
  of: "createLimits",
  mayBeList: /^(limits\.(allow|deny)|secrets)/,
  others: "Remove it, or use createEdge().",
  variables: {
    "redis.url": "UPSTASH_REDIS_REST_URL",
    "redis.token": "UPSTASH_REDIS_REST_TOKEN",
    "secrets.identity": "IDENTITY_SECRET",
    "limits.ipv6Prefix": "RATE_LIMIT_IPV6_PREFIX",
    "limits.allow": "ALLOW_LIST",
    "limits.deny": "DENY_LIST",
    "limits.prefix": "REDIS_RATE_LIMIT_PREFIX",
    "limits.useRedis": "USE_REDIS_RATE_LIMIT",
    mode: "EDGE_MODE",
    storeDeadlineMs: "STORE_DEADLINE_MS",
    isolateMaxAgeMs: "ISOLATE_MAX_AGE_MS",
    logLevel: "LOG_LEVEL",
  },
};

/** The variables that an edge reads of its host, where no option gives them: names that belong to it or to Upstash. */
const OF_THE_HOST = ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN", "IDENTITY_SECRET"] as const;
const FOR_SESSIONS = ["SESSION_SECRET"] as const;

/**
 * The variables that the options stand for, with those of the host that no option gives. No other variable of the host is read: its
 * own `LOG_LEVEL` or `API_KEYS` means something else.
 *
 * @param settings With `redis` as an address.
 * @param sessions Whether sessions are used: else nobody needs their secret.
 * @throws ConfigError for options that there are none of, and for those without a value, which a variable may be.
 */
export function variablesFrom(
  settings: EdgeSettings & { redis?: { url: string; token: string } },
  host: Readonly<Record<string, unknown>>,
  { sessions, table }: { sessions: boolean; table: OptionTable },
): Record<string, unknown> {
  const issues: ConfigIssue[] = [];
  const variables: Record<string, unknown> = {};
  const groups = new Set(Object.keys(table.variables).map((option) => /^(.*)\./.exec(option)?.[1] ?? ""));
  for (const [option, value] of optionsIn(settings, "", groups)) {
    const place = `${table.of}: ${option}`;
    const variable = table.variables[option];
    const text = written(option, value, table);
    if (isEmpty(text)) issues.push({ place, found: "nothing", fix: "Give it a value, or leave it out." });
    else if (variable !== undefined) variables[variable] = text;
    else if (groups.has(option)) issues.push({ place, found: shown(value), fix: "Must be an object." });
    else issues.push({ ...unknownKey(place), ...(table.others && { fix: table.others }) });
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
export function inOptions({ issues }: ConfigError, { of, variables }: OptionTable): ConfigError {
  const options = new Map(Object.entries(variables).map(([option, variable]) => [variable, option]));
  return new ConfigError(
    issues.map((issue) => {
      const [, variable = "", rest = ""] = /^([A-Z][A-Z0-9_]*)(.*)$/s.exec(issue.place) ?? [];
      const option = options.get(variable);
      return option === undefined ? issue : { ...issue, place: `${of}: ${option} (${variable}${rest})` };
    }),
  );
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === "string" && value.trim() === "");
}

/** Each option that is set, with its path. */
function optionsIn(settings: object, path: string, groups: ReadonlySet<string>): [string, unknown][] {
  return Object.entries(settings).flatMap(([name, value]): [string, unknown][] => {
    const here = path + name;
    if (value === undefined) return [];
    const isGroup = path === "" && isObject(value) && groups.has(here);
    return isGroup ? optionsIn(value, `${here}.`, groups) : [[here, value]];
  });
}

/** A value as the variable's reader takes it: lists are texts with commas. A list of nobody, as an app may make it, is none. */
function written(option: string, value: unknown, { mayBeList, entry = String }: OptionTable): unknown {
  if (!Array.isArray(value) || !mayBeList.test(option)) return value;
  return value.length === 0 && !/secrets|audience/.test(option) ? undefined : value.map(entry).join(",");
}
