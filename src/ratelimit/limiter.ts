import { type CallerLists, noCallers } from "../config/caller-lists.ts";
import { durationMs } from "../config/duration.ts";
import type { Duration, Policy, Route } from "../config/route.ts";
import type { Events } from "../events/events.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import type { Capability, EdgeRequest } from "../request/capability.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import { algorithmOf } from "./algorithms/algorithms.ts";
import type { Charge } from "./charge.ts";
import { createLimitDecision } from "./decide.ts";
import type { HeaderOptions } from "./headers.ts";
import { LimitState, type LimitStateBounds } from "./limit-state.ts";
import { createListLookup } from "./lists.ts";
import { type PeekedLimit, peek } from "./peek.ts";
import { type LimitSource, type LimitVerdict, refusedByList, unlimited } from "./verdict.ts";

export interface LimiterOptions {
  store: Store;
  keys: Keys;
  identifier: Pick<Identifier, "hash">;
  platform: Platform;
  events: Events;
  /** false keeps all counts in the isolate. Default true. */
  useRedis?: boolean;
  /** Most ms between a caller's batches. Default 5000. */
  isolateMaxAgeMs?: number;
  lists?: CallerLists;
  headers?: HeaderOptions;
  /** Sizes of the maps in the isolate. */
  bounds?: LimitStateBounds;
}

/** A limit as a handler asks for it. */
export interface LimitOptions {
  /** Most units in a window; the capacity of a token bucket. */
  limit: number;
  window: Duration;
  /** Names the counter: identities are counted apart per name, algorithm and window. Default `handler`. */
  name?: string;
  /** Default `sliding-window`. */
  algorithm?: Policy["algorithm"];
  /** Tokens that come back each window; needed for, and only for, a token bucket. */
  refill?: number;
  /** Units to take: 1 to the limit. Default 1. */
  cost?: number;
  /** Default `local`. */
  onStoreFailure?: Route["onStoreFailure"];
}

export interface LimitResult {
  success: boolean;
  limit: number;
  remaining: number;
  /** When more will remain, ms since the epoch. */
  resetAt: number;
  /** Whole seconds until this cost would pass; 0 when it has. */
  retryAfterSeconds: number;
  source: LimitSource;
  headers: Record<string, string>;
}

export interface Limiter extends Capability<LimitVerdict> {
  /**
   * For handlers: counts `identity` (any text; it is hashed) with a batch of its own.
   *
   * @throws RangeError for options that make no limit: a cost that is not a whole number from 1 to the limit, a window of 0.
   */
  limit(identity: string, options: LimitOptions): Promise<LimitResult>;
  /** What is left to a caller. Queues reads on the batch, changes nothing; await it after sending. */
  peek(callerHash: string, policies: readonly Policy[], batch: Batch): Promise<PeekedLimit[]>;
  /** Forgets a caller's counts. Queues the deletion of exact keys; await it after sending. Rejects with a StoreError. */
  reset(callerHash: string, policies: readonly Policy[], batch: Batch): Promise<void>;
  /** Entries in the isolate's maps. */
  readonly sizes: LimitState["sizes"];
}

export function createLimiter(options: LimiterOptions): Limiter {
  const { store, keys, identifier, platform, events, useRedis = true, isolateMaxAgeMs = 5000 } = options;
  const state = new LimitState({ platform, keys, isolateMaxAgeMs, bounds: options.bounds });
  const decide = createLimitDecision({
    state,
    store,
    platform,
    events,
    useRedis,
    headers: options.headers ?? {},
  });
  const listOf = createListLookup(options.lists ?? { allow: noCallers, deny: noCallers });
  if (useRedis) store.onRecovery((batch) => state.replay(batch));

  return {
    prepare({ route, caller, requestId }: EdgeRequest, batch: Batch) {
      const list = listOf(caller);
      if (list === "deny") return refusedByList;
      if (list === "allow") return () => unlimited("isolate");
      const policies = (caller.tier === null ? undefined : route.tiers.get(caller.tier)) ?? route.limits;
      const charges = policies.map(
        (policy): Charge => ({
          policy,
          caller: (policy.by === "address" ? caller.addressIdentity : caller.identity).hash,
          cost: policy.cost,
          most: policy.cost,
          enforced: !policy.shadow && !route.shadow,
        }),
      );
      const { onStoreFailure, name } = route;
      return decide({ charges, onStoreFailure, route: name, requestId }, batch);
    },

    async limit(identity, limitOptions) {
      const policy = policyOf(limitOptions);
      const caller = await identifier.hash("limit", identity);
      const charge: Charge = { policy, caller, cost: policy.cost, most: policy.cost, enforced: true };
      const batch = store.batch();
      const onStoreFailure = limitOptions.onStoreFailure ?? "local";
      const result = decide({ charges: [charge], onStoreFailure, route: "handler" }, batch);
      await batch.send();
      return resultOf(await result(), policy, platform.now());
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

/** Every policy of the routes, once: what an operator may look at and reset. */
export function policiesOf(routes: readonly Route[]): Policy[] {
  const policies = routes.flatMap(({ limits, tiers }) => [...limits, ...[...tiers.values()].flat()]);
  return [...new Map(policies.map((policy) => [policy.id, policy])).values()];
}

function policyOf(options: LimitOptions): Policy {
  const { limit, window, name = "handler", algorithm = "sliding-window", refill = 0, cost = 1 } = options;
  const windowMs = durationMs(window);
  const whole = (value: number) => Number.isSafeInteger(value) && value >= 1;
  if (windowMs === null)
    throw new RangeError(`Not a window: write a number and ms, s, m, h, d or w, as "10 s"`);
  if (!whole(limit)) throw new RangeError("A limit is a whole number of at least 1");
  if (!whole(cost) || cost > limit) throw new RangeError("A cost is a whole number from 1 to the limit");
  if (algorithmOf({ algorithm }).refills !== whole(refill)) {
    throw new RangeError("A token bucket, and nothing else, needs a refill of at least 1");
  }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw new RangeError("A limit's name is 1 to 64 letters, digits, - or _");
  }
  const id = `handler|${name}|${algorithm}|${windowMs}`;
  const rest = { by: "caller", shadow: false, lease: 0, localShare: 1 } as const;
  return { name, algorithm, limit, windowMs, refill, cost, window, id, ...rest };
}

function resultOf(verdict: LimitVerdict, policy: Policy, now: number): LimitResult {
  const { nearest, source, headers } = verdict;
  return {
    success: verdict.kind === "allowed",
    limit: policy.limit,
    remaining: nearest?.remaining ?? 0,
    resetAt: nearest?.resetAt ?? now,
    retryAfterSeconds: "retryAfterSeconds" in verdict ? verdict.retryAfterSeconds : 0,
    source,
    headers,
  };
}

/** Only a hash may become part of a key here. */
function hashed(text: string): string {
  if (!/^[0-9a-f]{32}$/.test(text)) throw new RangeError("A caller is named by its hash: 32 hex digits");
  return text;
}
