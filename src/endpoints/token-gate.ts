import type { MiddlewareHandler } from "hono";
import { bearerToken } from "../http/bearer.ts";
import { problem } from "../http/problem.ts";
import { clientAddress } from "../identity/address.ts";
import { secretMatches } from "../identity/secret.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";

export interface TokenGateOptions {
  /** The valid tokens. Where there are none, every request gets a 404. */
  tokens: readonly string[];
  platform: Platform;
  /** `RATE_LIMIT_IPV6_PREFIX`. */
  ipv6Prefix?: number;
}

/** Wrong tokens per address and window before it gets a 429. */
const MAX_FAILURES = 10;
const FAILURES_WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;

/**
 * Lets a request with one of the tokens as its bearer pass, whatever others at its address have done: 404 where no token is
 * configured, 401 for a missing or a wrong one, and after ten wrong ones a minute from one address 429. A request without
 * a bearer is no guess and counts for nothing. The count is the isolate's own: it slows guessing down, while the tokens'
 * length is what stops it.
 */
export function tokenGate({ tokens, platform, ipv6Prefix }: TokenGateOptions): MiddlewareHandler {
  const failures = new BoundedMap<{ count: number; until: number }>({
    platform,
    entries: MAX_ADDRESSES,
    whenFull: "evict",
  });

  return async function requireToken(c, next) {
    if (tokens.length === 0) throw problem("NOT_FOUND");
    const presented = bearerToken(c.req.header("authorization"));
    if (presented === null) throw problem("TOKEN_REQUIRED");
    if (!(await secretMatches(presented, tokens))) throw wrong(clientAddress(c.req.raw.headers, ipv6Prefix));
    await next();
  };

  /** Counts a wrong token. @returns the problem to answer with. */
  function wrong(address: string) {
    const now = platform.now();
    const failed = failures.get(address);
    if (failed && failed.count >= MAX_FAILURES) {
      return problem("TOO_MANY_FAILURES", {
        retryAfter: Math.max(1, Math.ceil((failed.until - now) / 1000)),
      });
    }
    const until = failed?.until ?? now + FAILURES_WINDOW_MS;
    failures.set(address, { count: (failed?.count ?? 0) + 1, until }, until);
    return problem("TOKEN_REQUIRED");
  }
}
