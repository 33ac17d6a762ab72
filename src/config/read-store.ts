import { type CallerLists, readCallerList } from "./caller-lists.ts";
import type { Config } from "./config.ts";
import type { ConfigIssue } from "./config-error.ts";
import type { limitVariables } from "./limit-variables.ts";
import { WHERE_UPSTASH_SHOWS_IT } from "./read-url.ts";
import { type Environment, type ValuesOf, valueIn } from "./read-variables.ts";

type Values = ValuesOf<typeof limitVariables>;

/** The address and token of the store; null where there is none. */
export function readStore(env: Environment, values: Values, issues: ConfigIssue[]): Config["store"] {
  const url = values.UPSTASH_REDIS_REST_URL;
  const token = values.UPSTASH_REDIS_REST_TOKEN;
  const missing = (place: keyof Values, other: keyof Values) =>
    issues.push({ place, found: "nothing", fix: `Set it: ${other} is set, and needs it.` });
  if (url && !token) missing("UPSTASH_REDIS_REST_TOKEN", "UPSTASH_REDIS_REST_URL");
  if (token && valueIn(env, "UPSTASH_REDIS_REST_URL") === undefined)
    missing("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN");
  return url && token ? { url: url.href.replace(/\/+$/, ""), token } : null;
}

/** Limits alone read no such variable of their host. */
export function checkRedisUrl(env: Environment, issues: ConfigIssue[]): void {
  if (valueIn(env, "REDIS_URL") !== undefined) {
    issues.push({
      place: "REDIS_URL",
      found: "a Redis address over TCP, which a Worker cannot use",
      fix: `Set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN instead, and remove REDIS_URL: ${WHERE_UPSTASH_SHOWS_IT}.`,
    });
  }
}

/** The callers that are always refused, and those that are never limited. */
export function readLists(values: Values, issues: ConfigIssue[]): CallerLists {
  const list = (name: "DENY_LIST" | "ALLOW_LIST") =>
    readCallerList(values[name], name, issues, values.RATE_LIMIT_IPV6_PREFIX);
  return { deny: list("DENY_LIST"), allow: list("ALLOW_LIST") };
}
