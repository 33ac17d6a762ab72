import { inject } from "vitest";

/**
 * Variables of an edge over the run's Redis: it identifies callers, and waits as long as a busy machine needs.
 *
 * @param prefix From `freshPrefix()`: its keys are its own.
 */
export function redisVariables(prefix: string) {
  return {
    UPSTASH_REDIS_REST_URL: inject("upstashUrl"),
    UPSTASH_REDIS_REST_TOKEN: inject("upstashToken"),
    STORE_DEADLINE_MS: "5000",
    IDENTITY_SECRET: "identity-secret-of-this-test-only",
    REDIS_RATE_LIMIT_PREFIX: `{${prefix}r}`,
    REDIS_SESSION_PREFIX: `{${prefix}s}`,
    REDIS_CACHE_PREFIX: `{${prefix}c}`,
  };
}
