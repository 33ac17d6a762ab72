import { type CallerLists, noCallers } from "../config/caller-lists.ts";
import type { Policy, Route } from "../config/route.ts";
import type { Events } from "../events/events.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import { isNobody } from "../runtime/nobody.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import type { Charge } from "./charge.ts";
import { type LimitDecisionOptions, LimitDecisions } from "./decide.ts";
import { type LimitOptions, type LimitResult, policyOf, resultOf } from "./handler-limit.ts";
import type { HeaderOptions } from "./headers.ts";
import { LimitState, type LimitStateBounds } from "./limit-state.ts";
import { createListLookup } from "./lists.ts";
import { type PeekedLimit, peek } from "./peek.ts";
import { type Preparation, preparation } from "./prepare.ts";
import type { LimitVerdict } from "./verdict.ts";

export interface LimiterOptions {
  store: Store;
  keys: Keys;
  identifier: Pick<Identifier, "hash" | "sessionUser">;
  platform: Platform;
  events: Events;
  /** false keeps all counts in the isolate. Default true. */
  useRedis?: boolean;
  /** Most ms between a caller's batches. Default 5000. */
  isolateMaxAgeMs?: number;
  lists?: CallerLists;
  headers?: HeaderOptions;
  /** The counts to go on with, whose owner writes what is pending. Default new ones. */
  state?: LimitState;
  /** Called where Redis told, with a charge, that a session is over for good. */
  sessionEnded?: LimitDecisionOptions["sessionEnded"];
  /** Sizes of the maps in the isolate. */
  bounds?: LimitStateBounds;
}

/** The limits of a handler's own, as it finds them in `c.var.edge.limiter`. */
export interface HandlerLimiter {
  /**
   * Counts `identity` (any text; it is hashed) with a call of its own, which the request's log line counts. Each `name` has a count of
   * its own.
   *
   * @param identity Whose count it is. A text of nothing (`""`, blanks, `undefined`, `null`, `NaN`, `[object Object]`) would be everybody's
   *   and is an error.
   * @param options The limit.
   * @returns whether there is room, what is left, and `headers`: fields that are ready to be set, with `Retry-After` where there is no
   *   room now. Beside the fields of a middleware's limits those stay, and the tightest comes first.
   * @throws RangeError for an identity that is nobody's, and a {@link ConfigError}, which is one too, for options that make no limit: a cost
   *   that is not a whole number of at least 1, a window of 0, an option that there is none of.
   * @example
   * import { createEdge, type EdgeEnv } from "envoyou-edge";
   * import { Hono } from "hono";
   *
   * const { session } = createEdge();
   * const app = new Hono<EdgeEnv>();
   * app.post("/mail", session("required"), async (c) => {
   *   const { success, headers } = await c.var.edge.limiter.limit(`mail of ${c.var.user?.id}`, { name: "mail", limit: 2, window: "1 h" });
   *   return success ? c.json({ sent: true }) : c.json({ error: "Too many mails" }, 429, headers);
   * });
   */
  limit(identity: string, options: LimitOptions): Promise<LimitResult>;
}

export interface Limiter extends Preparation {
  /** As {@link HandlerLimiter.limit}. @param request The one in which a handler counts, where it is known. */
  limit(identity: string, options: LimitOptions, request?: LimitingRequest): Promise<LimitResult>;
  /** What is left to a caller. Queues reads on the batch, changes nothing; await it after sending. */
  peek(callerHash: string, policies: readonly Policy[], batch: Batch): Promise<PeekedLimit[]>;
  /** Forgets a caller's counts. Queues the deletion of exact keys; await it after sending. Rejects with a StoreError. */
  reset(callerHash: string, policies: readonly Policy[], batch: Batch): Promise<void>;
  /** Entries in the isolate's maps. */
  readonly sizes: LimitState["sizes"];
}

/** The request in which a handler counts. */
export interface LimitingRequest {
  requestId: string;
  /** Told what it took. */
  note(noted: { verdict: LimitVerdict; calls: number; ms: number }): void;
}

const NO_LISTS: CallerLists = { allow: noCallers, deny: noCallers };

export function createLimiter(options: LimiterOptions): Limiter {
  const { store, keys, identifier, platform, events, useRedis = true, isolateMaxAgeMs = 5000 } = options;
  const { sessionEnded } = options;
  const state = options.state ?? new LimitState({ platform, keys, isolateMaxAgeMs, bounds: options.bounds });
  const headers = options.headers ?? {};
  const decisions = new LimitDecisions({ state, store, platform, events, useRedis, headers, sessionEnded });
  if (useRedis && !options.state) store.onRecovery((batch) => state.replay(batch));

  return {
    ...preparation({ decisions, identifier, lists: createListLookup(options.lists ?? NO_LISTS) }),

    async limit(identity, limitOptions, request) {
      const policy = policyOf(limitOptions);
      if (isNobody(`${identity}`)) throw new RangeError("An identity names somebody");
      const caller = await identifier.hash("limit", identity);
      const charge: Charge = { policy, caller, cost: policy.cost, most: policy.cost, enforced: true };
      const batch = store.batch();
      const onStoreFailure = limitOptions.onStoreFailure ?? "local";
      const { requestId } = request ?? {};
      const asked = { charges: [charge], onStoreFailure, route: "handler", ...(requestId && { requestId }) };
      const result = decisions.decide(asked, batch);
      const sentAt = platform.now();
      await batch.send();
      const ms = platform.now() - sentAt;
      const verdict = await result();
      request?.note({ verdict, calls: batch.calls, ms });
      return resultOf(verdict, policy, platform.now());
    },

    peek: (callerHash, policies, batch) =>
      peek({ state, platform }, hashed(callerHash), policies, useRedis && store.configured ? batch : null),

    async reset(callerHash, policies, batch) {
      const caller = hashed(callerHash);
      const counters = policies.map((policy) => ({ policy, caller }));
      await state.reset(useRedis && store.configured ? batch : null, counters);
    },

    get sizes() {
      return state.sizes;
    },
  };
}

/** A window of a route, as those of one tier have it. */
export interface TierWindow {
  /** The route's name. */
  route: string;
  /** Null: the route's own limits, for whoever has no tier with others. */
  tier: string | null;
  policy: Policy;
}

/**
 * Every window of the routes, tier by tier: what an operator may look at and reset. Tiers may share a counter and differ in
 * its limit, so what is left depends on the tier.
 */
export function windowsOf(routes: readonly Route[]): TierWindow[] {
  return routes.flatMap(({ name, limits, tiers }) => {
    const of = (tier: string | null, policies: readonly Policy[]) =>
      policies.map((policy): TierWindow => ({ route: name, tier, policy }));
    return [...of(null, limits), ...[...tiers].flatMap(([tier, policies]) => of(tier, policies))];
  });
}

/** Only a hash may become part of a key here. */
function hashed(text: string): string {
  if (!/^[0-9a-f]{32}$/.test(text)) throw new RangeError("A caller is named by its hash: 32 hex digits");
  return text;
}
