import type { Route } from "../config/route.ts";
import type { Events } from "../events/events.ts";
import type { Decide } from "../request/capability.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Store } from "../store/store.ts";
import type { Charge, Charged } from "./charge.ts";
import { type HeaderOptions, limitHeaders } from "./headers.ts";
import type { LimitState } from "./limit-state.ts";
import { type LimitSource, type LimitVerdict, unlimited } from "./verdict.ts";
import { nearestOf, secondsUntil, type WindowState, windowStateOf } from "./window-state.ts";

export interface LimitDecisionOptions {
  state: LimitState;
  store: Store;
  platform: Platform;
  events: Events;
  /** false: this capability is kept off Redis. */
  useRedis: boolean;
  headers: HeaderOptions;
}

export interface LimitRequest {
  charges: readonly Charge[];
  onStoreFailure: Route["onStoreFailure"];
  /** For the event: the route, or what stands in its place. */
  route: string;
  /** For the event, where it is known. */
  requestId?: string;
}

/** Decides one request: in the isolate where that is possible, else with the batch, else with the local localStore. */
export type DecideLimits = (request: LimitRequest, batch: Batch) => Decide<LimitVerdict>;

export function createLimitDecision({
  state,
  store,
  platform,
  events,
  useRedis,
  headers,
}: LimitDecisionOptions): DecideLimits {
  return function decide(request, batch) {
    const { charges } = request;
    if (charges.length === 0) return () => unlimited("isolate");
    if (!useRedis || !store.configured) return () => decideLocally(request);
    if (state.spendLease(charges)) return () => byLease(request);
    if (state.blocked(charges).length > 0) return () => stillBlocked(request);
    const pending = state.charge(batch, charges);
    return async () => {
      let charged: Charged;
      try {
        charged = await pending;
      } catch (error) {
        if (error instanceof StoreError) return inOutage(request, error);
        throw error;
      }
      // Redis has no unit left, but a concurrent request of this isolate may have leased some.
      if (!charged.admitted && state.spendLease(charges)) return byLease(request);
      return verdictOf(request, charged, "redis");
    };
  };

  function inOutage(request: LimitRequest, error: StoreError): LimitVerdict {
    const { charges, onStoreFailure } = request;
    const enforced = charges.some((charge) => charge.enforced);
    if (!enforced || onStoreFailure === "local") {
      if (state.spendLease(charges, { stale: true })) return byLease(request);
      return decideLocally(request, error.certainlyNotApplied);
    }
    if (onStoreFailure === "open") return unlimited("memory");
    const retryAfterSeconds = store.retryAfterSeconds;
    return {
      ...unlimited("memory"),
      kind: "unavailable",
      headers: { "Retry-After": String(retryAfterSeconds) },
      retryAfterSeconds,
    };
  }

  /** @param pending Redis has certainly not counted it: what is admitted now is to be counted there later. */
  function decideLocally(request: LimitRequest, pending = false): LimitVerdict {
    const charges = request.charges.map(withLocalShare);
    const charged = state.chargeLocally(charges);
    if (pending && charged.admitted) state.markDue(request.charges, charged);
    return verdictOf({ ...request, charges }, charged, "memory");
  }

  function byLease({ charges }: LimitRequest): LimitVerdict {
    return verdictFrom(
      known(charges, () => false),
      true,
      "isolate",
    );
  }

  function stillBlocked({ charges }: LimitRequest): LimitVerdict {
    const blocked = new Set(state.blocked(charges));
    return verdictFrom(
      known(charges, (charge) => blocked.has(charge)),
      false,
      "isolate",
    );
  }

  /** What is known without asking; a window of which nothing is known is left out. */
  function known(charges: readonly Charge[], short: (charge: Charge) => boolean): WindowState[] {
    const now = platform.now();
    return charges.flatMap((charge) => {
      const counts = state.lastSeen(charge);
      return counts ? [windowStateOf(charge, counts, now, short(charge), leased(charge))] : [];
    });
  }

  function verdictOf(
    { charges, route, requestId }: LimitRequest,
    charged: Charged,
    source: LimitSource,
  ): LimitVerdict {
    const now = platform.now();
    const windowStates = charges.flatMap((charge, index) => {
      const entry = charged.entries[index];
      return entry ? [windowStateOf(charge, entry.counts, now, entry.short, leased(charge))] : [];
    });
    for (const { policy, caller, enforced } of windowStates.filter((windowState) => windowState.short)) {
      events.emit("limit.violated", {
        request_id: requestId,
        route,
        policy: policy.name,
        caller,
        shadow: !enforced,
        source,
      });
    }
    return verdictFrom(windowStates, charged.admitted, source);
  }

  function verdictFrom(
    windowStates: readonly WindowState[],
    admitted: boolean,
    source: LimitSource,
  ): LimitVerdict {
    const now = platform.now();
    const enforced = windowStates.filter((windowState) => windowState.enforced);
    const short = enforced.filter((windowState) => windowState.short);
    const nearest = nearestOf(enforced);
    const facts = {
      headers: limitHeaders(enforced, nearest, now, headers),
      violated: short.map(({ policy }) => policy.name),
      shadowViolated: windowStates
        .filter((windowState) => windowState.short && !windowState.enforced)
        .map(({ policy }) => policy.name),
      source,
      nearest: nearest
        ? {
            name: nearest.policy.name,
            limit: nearest.policy.limit,
            remaining: nearest.remaining,
            resetAt: nearest.growsAt,
          }
        : null,
    };
    if (admitted) return { kind: "allowed", ...facts };
    const retryAfterSeconds = Math.max(
      1,
      ...short.map((windowState) => secondsUntil(windowState.passesAt, now)),
    );
    return {
      kind: "denied",
      listed: false,
      ...facts,
      headers: { ...facts.headers, "Retry-After": String(retryAfterSeconds) },
      retryAfterSeconds,
    };
  }

  function leased(charge: Charge): number {
    return charge.policy.lease > 0 ? state.leased(charge) : 0;
  }
}

/** Where each isolate counts for itself, it may be given a part of the limit; at least one request's cost. */
function withLocalShare(charge: Charge): Charge {
  const { policy, cost } = charge;
  if (policy.localShare === 1) return charge;
  const limit = Math.max(cost, Math.floor(policy.limit * policy.localShare));
  return { ...charge, policy: { ...policy, limit } };
}
