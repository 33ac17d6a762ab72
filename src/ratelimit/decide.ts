import type { Route } from "../config/route.ts";
import type { Events } from "../events/events.ts";
import type { ClaimedSession } from "../identity/session-outcome.ts";
import type { Decide } from "../request/capability.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Store } from "../store/store.ts";
import type { Counts } from "./algorithms/algorithm.ts";
import { available } from "./algorithms/algorithms.ts";
import { type Charge, type Charged, type SessionOutcome, sameCharge } from "./charge.ts";
import type { OutcomeCharges } from "./charge-script.ts";
import type { HeaderOptions } from "./headers.ts";
import type { LimitState } from "./limit-state.ts";
import { chargeAlone } from "./local-share.ts";
import { type LimitSource, type LimitVerdict, unlimited } from "./verdict.ts";
import { type WindowState, windowStateOf } from "./window-state.ts";
import { windowVerdict } from "./window-verdict.ts";

export interface LimitDecisionOptions {
  state: LimitState;
  store: Store;
  platform: Platform;
  events: Events;
  /** false: this capability is kept off Redis. */
  useRedis: boolean;
  headers: HeaderOptions;
  /** Called where Redis told, with a charge, that a session is over for good. */
  sessionEnded?: ((session: ClaimedSession) => void) | undefined;
}

export interface LimitRequest {
  charges: readonly Charge[];
  onStoreFailure: Route["onStoreFailure"];
  /** For the event: the route, or what stands in its place. */
  route: string;
  /** For the event, where it is known. */
  requestId?: string;
}

/** A request of an unconfirmed session: what it is charged depends on whether the session lives. */
export interface OpenLimitRequest extends Omit<LimitRequest, "charges"> {
  lists: OutcomeCharges;
}

/** The second step for an open outcome. */
export interface DecideOpen {
  (confirmed: SessionOutcome): LimitVerdict | Promise<LimitVerdict>;
  /** As for a settled request. */
  refuses?: "blocked";
}

/** The second step for a settled request. */
export interface DecideSettled extends Decide<LimitVerdict> {
  /** The isolate refuses the request from what it knows. Nothing is queued. */
  refuses?: "blocked";
  /** How many such requests the caller has left, as last seen; null where that was never seen. Default the isolate admits it. */
  left?(): number | null;
}

/** Marks a second step as that of a refusal which needs no reply. */
function refusing<Step extends object>(step: Step): Step & { refuses: "blocked" } {
  return Object.assign(step, { refuses: "blocked" as const });
}

/** Decides requests: in the isolate where that is possible, else with the batch, else in the local limit store. */
export class LimitDecisions {
  readonly #options: LimitDecisionOptions;
  readonly #remote: boolean;

  constructor(options: LimitDecisionOptions) {
    this.#options = options;
    this.#remote = options.useRedis && options.store.configured;
  }

  /** Decides one request. */
  decide(request: LimitRequest, batch: Batch): DecideSettled {
    const { charges } = request;
    const { state } = this.#options;
    // Also where there is nothing to charge.
    const leased = this.byLease(request);
    if (leased) return () => leased;
    if (!this.#remote) {
      const left = () => this.#left(charges, (charge) => state.peekLocally(charge));
      return Object.assign(() => this.#decideLocally(request), { left });
    }
    const blocked = state.blocked(charges);
    if (blocked.length > 0) return refusing(() => this.#stillBlocked(request, blocked));
    const pending = state.charge(batch, charges);
    const decide = async () => {
      const charged = await chargedOrLost(pending);
      if (charged instanceof StoreError) return this.#inOutage(request, charged);
      // Redis has no unit left, but a concurrent request of this isolate may have leased some.
      return (!charged.admitted && this.byLease(request)) || this.#verdictOf(request, charged, "redis");
    };
    return Object.assign(decide, { left: () => this.#left(charges, (charge) => state.lastSeen(charge)) });
  }

  #left(charges: readonly Charge[], countsOf: (charge: Charge) => Counts | undefined): number | null {
    const now = this.#options.platform.now();
    let left = Number.POSITIVE_INFINITY;
    for (const charge of charges) {
      if (!charge.enforced) continue;
      const counts = countsOf(charge);
      if (!counts) return null;
      left = Math.min(left, Math.floor(available(charge.policy, counts, now) / charge.cost));
    }
    return left;
  }

  /**
   * Decides one request of an unconfirmed session. The second step is told what confirming has found. Where Redis has charged
   * the other outcome, because the session ended between the two, the verdict is that of what was charged.
   */
  decideOpen({ lists, ...rest }: OpenLimitRequest, batch: Batch): DecideOpen {
    const { state } = this.#options;
    const requestOf = (outcome: SessionOutcome): LimitRequest => ({ ...rest, charges: lists[outcome] });
    if (!this.#remote) return (outcome) => this.#decideLocally(requestOf(outcome));
    // The user's leases and blocks are left alone: it is not known yet that it is this user. A block of both outcomes applies.
    const shared = lists.alive.filter((charge) => lists.over.some((other) => sameCharge(charge, other)));
    const blocked = state.blocked(shared);
    if (blocked.length > 0)
      return refusing((outcome: SessionOutcome) => this.#stillBlocked(requestOf(outcome), blocked));
    const pending = state.chargeOutcome(batch, lists);
    return async (outcome) => {
      const charged = await chargedOrLost(pending);
      if (charged instanceof StoreError) return this.#inOutage(requestOf(outcome), charged);
      if (charged.evidence) this.#options.sessionEnded?.(lists.session);
      return this.#verdictOf(requestOf(charged.outcome), charged, "redis");
    };
  }

  #inOutage(request: LimitRequest, error: StoreError): LimitVerdict {
    const { charges, onStoreFailure } = request;
    const { store } = this.#options;
    const enforced = charges.some((charge) => charge.enforced);
    if (!enforced || onStoreFailure === "local") {
      return this.byLease(request, true) ?? this.#decideLocally(request, error.certainlyNotApplied);
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
  #decideLocally(request: LimitRequest, pending = false): LimitVerdict {
    const { state } = this.#options;
    const { charged, told } = chargeAlone(request.charges, (all) => state.chargeLocally(all));
    if (pending && charged.admitted) state.markDue(request.charges, charged);
    return this.#verdictOf({ ...request, charges: told.charges }, told.charged, "memory");
  }

  /**
   * Decides one request from what the isolate has leased.
   *
   * @param stale See {@link Leases.spend}.
   * @returns null where a lease has too little. Nothing has been taken then.
   */
  byLease({ charges, route }: LimitRequest, stale = false): LimitVerdict | null {
    const { state } = this.#options;
    if (!state.spendLease(charges, stale)) return null;
    const windowStates = this.#known(charges, (charge) => state.isFullShadow(charge));
    this.#options.events.meter?.limits(route, windowStates, "lease");
    return this.#verdictFrom(windowStates, true, "isolate");
  }

  /** @param blocked Those of the charges that refuse. */
  #stillBlocked({ charges, route }: LimitRequest, blocked: readonly Charge[]): LimitVerdict {
    const now = this.#options.platform.now();
    // Requests of another cost may have filled other windows since: whoever waits for the first alone is refused again.
    const short = (charge: Charge, counts: Counts) =>
      blocked.some((each) => sameCharge(each, charge)) || available(charge.policy, counts, now) < charge.cost;
    const windowStates = this.#known(charges, short);
    this.#options.events.meter?.limits(route, windowStates, "block");
    return this.#verdictFrom(windowStates, false, "isolate");
  }

  /** What is known without asking; a window of which nothing is known is left out. */
  #known(charges: readonly Charge[], short: (charge: Charge, counts: Counts) => boolean): WindowState[] {
    const { state, platform } = this.#options;
    const now = platform.now();
    const windowStates: WindowState[] = [];
    for (const charge of charges) {
      const counts = state.lastSeen(charge);
      if (counts)
        windowStates.push(windowStateOf(charge, counts, now, short(charge, counts), this.#leased(charge)));
    }
    return windowStates;
  }

  #verdictOf(
    { charges, route, requestId }: LimitRequest,
    charged: Charged,
    source: LimitSource,
  ): LimitVerdict {
    const { platform, events } = this.#options;
    const now = platform.now();
    const windowStates = charges.flatMap((charge, index) => {
      const entry = charged.entries[index];
      return entry ? [windowStateOf(charge, entry.counts, now, entry.short, this.#leased(charge))] : [];
    });
    events.meter?.limits(route, windowStates, source === "redis" ? "redis" : "local");
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
    return this.#verdictFrom(windowStates, charged.admitted, source);
  }

  #leased(charge: Charge): number {
    return charge.policy.lease > 0 ? this.#options.state.leased(charge) : 0;
  }

  #verdictFrom(windowStates: readonly WindowState[], admitted: boolean, source: LimitSource): LimitVerdict {
    const { platform, headers } = this.#options;
    return windowVerdict(windowStates, { admitted, source, now: platform.now(), headers });
  }
}

/** Returns a StoreError, on which the caller decides. Throws any other error. */
async function chargedOrLost<Result>(pending: Promise<Result>): Promise<Result | StoreError> {
  try {
    return await pending;
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
}
