import { describe } from "#describe";
import { logLevels } from "../events/level.ts";
import type { Variable } from "./variable.ts";

/** What limits alone need to know: of the store, of who is counted, and of the log. */
export const limitVariables = {
  UPSTASH_REDIS_REST_URL: {
    kind: "url",
    group: "must set",
    description: describe(
      'The REST address of the Upstash database, from the "REST API" box of its page; without it limits, sessions and cache live in each isolate.',
    ),
  },
  UPSTASH_REDIS_REST_TOKEN: {
    kind: "secret",
    group: "must set",
    description: describe("The REST token of that database."),
  },
  EDGE_MODE: {
    kind: "choice",
    choices: ["enforce", "observe", "bypass"],
    default: "enforce",
    group: "often",
    description: describe(
      "`enforce` refuses, `observe` only logs what it would refuse, and `bypass` passes everything to the origin.",
    ),
  },
  ALLOW_LIST: {
    kind: "list",
    group: "often",
    description: describe(
      "Callers that are never limited: addresses, CIDR ranges, `user:<id>`, `key:<hash>`.",
    ),
  },
  DENY_LIST: {
    kind: "list",
    group: "often",
    description: describe("Callers that are always refused, in the same form; wins over `ALLOW_LIST`."),
  },
  LOG_LEVEL: {
    kind: "choice",
    choices: logLevels,
    default: "info",
    group: "often",
    description: describe("The least level of the events that are logged."),
  },
  IDENTITY_SECRET: {
    kind: "secrets",
    use: "key",
    min: 16,
    group: "rarely",
    description: describe(
      "The keys that hash callers in Redis keys and logs, newest first. The first is used; a new one starts all counts and the cache anew and ends no session. An old one may go once no `key:<hash>` in `DENY_LIST` is of its time. Without it, one is derived from the store's token.",
    ),
  },
  STORE_DEADLINE_MS: {
    kind: "integer",
    default: 400,
    min: 10,
    max: 10_000,
    unit: "ms",
    group: "rarely",
    description: describe(
      "A request waits this long for Upstash. Where its replies take longer, and for an isolate's first calls, up to three times that.",
    ),
  },
  RATE_LIMIT_IPV6_PREFIX: {
    kind: "integer",
    default: 64,
    min: 48,
    max: 64,
    unit: "bits",
    group: "rarely",
    description: describe(
      "An IPv6 address counts as its network of so many bits, in limits and lists; 56 where providers give each customer a /56.",
    ),
  },
  ISOLATE_MAX_AGE_MS: {
    kind: "integer",
    default: 5000,
    min: 0,
    max: 60_000,
    unit: "ms",
    group: "rarely",
    description: describe(
      "An isolate answers alone from what it knows for at most this time, within which purges reach every isolate.",
    ),
  },
  USE_REDIS_RATE_LIMIT: {
    kind: "boolean",
    default: true,
    group: "rarely",
    description: describe("Whether limits are counted in Redis; else each isolate counts for itself."),
  },
  REDIS_RATE_LIMIT_PREFIX: {
    kind: "text",
    default: "envoyou:ratelimit",
    ascii: true,
    formerly: "RATE_LIMIT_REDIS_PREFIX",
    group: "rarely",
    description: describe("The prefix of limit keys in Redis."),
  },
} as const satisfies Record<string, Variable>;
