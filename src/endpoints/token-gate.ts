import type { MiddlewareHandler } from "hono";
import { bearerToken } from "../http/bearer.ts";
import { problem } from "../http/problem.ts";
import { clientAddress } from "../identity/address.ts";
import { secretMatches } from "../identity/secret.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";

export interface TokenGateOptions {
  /** Any of them opens; none configured = the paths do not exist. */
  tokens: readonly string[];
  platform: Platform;
}

/** Wrong tokens from one address before it has to wait. */
const MAX_FAILURES = 10;
const FAILURES_WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;

/**
 * Lets a request with one of the tokens as its bearer pass: 404 where none is configured, 401 for a wrong one, and after
 * ten wrong ones a minute from one address 429. The count is the isolate's own: it slows guessing down, while the
 * tokens' length is what stops it.
 */
export function tokenGate({ tokens, platform }: TokenGateOptions): MiddlewareHandler {
  const failures = new BoundedMap<{ count: number; until: number }>({
    platform,
    entries: MAX_ADDRESSES,
    whenFull: "evict",
  });

  return async function requireToken(c, next) {
    if (tokens.length === 0) throw problem("NOT_FOUND");
    const address = clientAddress(c.req.raw.headers);
    const failed = failures.get(address);
    if (failed && failed.count >= MAX_FAILURES) {
      const retryAfter = Math.max(1, Math.ceil((failed.until - platform.now()) / 1000));
      throw problem("TOO_MANY_FAILURES", { retryAfter });
    }
    const presented = bearerToken(c.req.header("authorization"));
    if (presented === null || !(await secretMatches(presented, tokens))) {
      const until = failed?.until ?? platform.now() + FAILURES_WINDOW_MS;
      failures.set(address, { count: (failed?.count ?? 0) + 1, until }, until);
      throw problem("TOKEN_REQUIRED");
    }
    await next();
  };
}
