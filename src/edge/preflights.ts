import type { Config } from "../config/config.ts";
import { type Problem, problem } from "../http/problem.ts";
import type { UnverifiedIdentity } from "../identity/confirmed.ts";
import { createListLookup } from "../ratelimit/lists.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";

/** Preflights that pass to the origin per address, isolate and window. */
const MAX_PREFLIGHTS = 600;
const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;

/**
 * What stands in for a route's rules where a preflight passes to an origin that owns CORS. It carries no credential (Fetch §4.8),
 * so that the rules of the request it announces would refuse it, or charge it to the address.
 */
export interface Preflights {
  /**
   * Counts one, and a request that passes several middlewares once.
   *
   * @returns the 429 after 600 a minute from one address, the 403 for one in `DENY_LIST`, or null.
   */
  refusal(claims: UnverifiedIdentity, request: Request): Problem | null;
}

export function createPreflights({
  platform,
  lists,
}: {
  platform: Pick<Platform, "now">;
  lists: Config["lists"];
}): Preflights {
  const listed = createListLookup(lists);
  const counts = new BoundedMap<{ count: number; until: number }>({
    platform,
    entries: MAX_ADDRESSES,
    whenFull: "evict",
  });
  const counted = new WeakSet<Request>();
  return {
    refusal(claims, request) {
      if (listed.denies(claims)) return problem("CALLER_REFUSED");
      if (counted.has(request)) return null;
      counted.add(request);
      const now = platform.now();
      const { count, until } = counts.get(claims.address) ?? { count: 0, until: now + WINDOW_MS };
      if (count >= MAX_PREFLIGHTS) {
        return problem("TOO_MANY_PREFLIGHTS", { retryAfter: Math.max(1, Math.ceil((until - now) / 1000)) });
      }
      counts.set(claims.address, { count: count + 1, until }, until);
      return null;
    },
  };
}
