import type { Confirmation } from "../identity/confirm.ts";
import type { ConfirmedIdentity, IdentityOutcomes } from "../identity/confirmed.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { SessionVerdict } from "../session/verdict.ts";
import type { Batch } from "../store/batch.ts";
import type { Capabilities } from "./admission.ts";
import { withHeardKey } from "./heard-key.ts";
import type { Isolate } from "./isolate.ts";

/**
 * Each capability in use queues its commands on the same batch, and so does what is to be known of the API key. Where the
 * limits refuse from what the isolate knows, nothing else is asked: no cached response, no key, and a session only
 * where the route's access depends on it and the isolate has not confirmed it.
 */
export async function prepare(
  parts: Pick<Isolate, "store" | "sessions" | "limiter" | "cache" | "verifiedKeys">,
  request: EdgeRequest,
  outcomes: IdentityOutcomes,
  batch: Batch,
  wanted: Capabilities & { all: boolean },
) {
  const { sessions, limiter, cache, verifiedKeys } = parts;
  const limits = wanted.limits ? await limiter.prepare(request, outcomes, batch) : null;
  const { key, addressIdentity } = request.claims;
  const refuses = wanted.all ? undefined : limits?.refuses;
  const isDue = (wanted.limits || wanted.cache) && verifiedKeys.isDue(key, request.route);
  // A key that Redis has verified has limits of its own, whoever is blocked at its address.
  const isKnown = refuses === "listed" || verifiedKeys.isHopeless(key, addressIdentity.hash);
  const asksForKey = isDue && !(refuses && isKnown);
  const refused = refuses !== undefined && !asksForKey;
  const { access } = request.route;
  const settled = outcomes.kind === "settled" ? outcomes.identity : null;
  const needless = refused && (access === "public" || (settled !== null && access !== "session"));
  // Neither waits for the network, so that the one after the other is as soon done.
  const session = wanted.session && !needless ? await sessions.prepare(request, batch) : null;
  const cached = wanted.cache && !refused ? await cache.prepare(request, outcomes, batch) : null;
  const heard =
    key.kind !== "absent" && asksForKey ? verifiedKeys.look(key, batch, addressIdentity.hash) : null;
  return {
    eager: {
      isRefused: refuses !== undefined,
      left: limits?.left ? limits.left() : Number.POSITIVE_INFINITY,
      plan: cached?.eager ?? null,
    },
    /** Who it is, where the session is not read. */
    assumed: needless ? settled : null,
    session: async (): Promise<SessionVerdict> => (await session?.()) ?? { kind: "none" },
    caller: async (expected: ConfirmedIdentity, withKey: Confirmation["withKey"]) => {
      const decided = { identity: expected, limits: (await limits?.(expected)) ?? null };
      return withHeardKey(parts, request, decided, { key: (await heard?.()) ?? key, withKey });
    },
    cache: async (identity: ConfirmedIdentity) => (await cached?.(identity)) ?? null,
  };
}
