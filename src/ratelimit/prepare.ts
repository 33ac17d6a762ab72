import type { Policy, Route } from "../config/route.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import type { ConfirmedIdentity, IdentityOutcomes } from "../identity/confirmed.ts";
import type { Counting, EdgeRequest } from "../request/capability.ts";
import type { Batch } from "../store/batch.ts";
import { type Charge, type SessionOutcome, sameCharge } from "./charge.ts";
import type { LimitDecisions } from "./decide.ts";
import type { ListLookup } from "./lists.ts";
import { type LimitVerdict, refusedByList } from "./verdict.ts";

/** The second step: reads the replies once the batch is back. Called with the identity that confirming returned. */
export interface DecideLimits {
  (confirmed: ConfirmedIdentity): LimitVerdict | Promise<LimitVerdict>;
  /**
   * The isolate refuses the request from what it knows: whatever else is learnt of the caller (`listed`), or unless the caller
   * turns out to have other limits (`blocked`). Nothing is queued.
   */
  refuses?: "listed" | "blocked";
  /** How many such requests the caller has left, as last seen; null where that was never seen. Default the isolate admits it. */
  left?(): number | null;
}

const listed: DecideLimits = Object.assign(() => refusedByList(), { refuses: "listed" as const });

/**
 * Queues the charges of a request on the batch.
 *
 * For an unconfirmed session the outcomes may be charged differently: the living session's user by the windows of its tier,
 * the address by those of the route. Then one run of the script looks at the session and charges the one or the other.
 */
export type PrepareLimits = (
  request: Pick<EdgeRequest, "route" | "requestId"> & Partial<Pick<EdgeRequest, "claims" | "counting">>,
  outcomes: IdentityOutcomes,
  batch: Batch,
) => DecideLimits | Promise<DecideLimits>;

export interface PreparationOptions {
  decisions: LimitDecisions;
  identifier: Pick<Identifier, "sessionUser">;
  lists: ListLookup;
}

/**
 * Decides the requests of one caller to one route from what the isolate has leased.
 *
 * @returns null where it has too little. Nothing has been taken then.
 */
export type RepeatedLimits = () => LimitVerdict | null;

/** The two ways to decide: see {@link PrepareLimits}, {@link RepeatedLimits}. */
export interface Preparation {
  prepare: PrepareLimits;
  /** @returns null for a caller on the deny list. */
  repeated(route: Route, who: ConfirmedIdentity): RepeatedLimits | null;
}

export function preparation({ decisions, identifier, lists }: PreparationOptions): Preparation {
  return { prepare, repeated };

  function repeated(route: Route, who: ConfirmedIdentity): RepeatedLimits | null {
    const charges = chargesOf(route, who);
    if (charges === "deny") return null;
    const asked = { charges, onStoreFailure: route.onStoreFailure, route: route.name };
    return () => decisions.byLease(asked);
  }

  function prepare(
    { route, requestId, claims, counting }: Parameters<PrepareLimits>[0],
    outcomes: IdentityOutcomes,
    batch: Batch,
  ) {
    const { onStoreFailure, name } = route;
    if (claims && lists.denies(claims)) return listed;
    if (outcomes.kind === "settled") {
      const charges = chargesOf(route, outcomes.identity, counting);
      if (charges === "deny") return listed;
      return decisions.decide({ charges, onStoreFailure, route: name, requestId }, batch);
    }
    const alive = chargesOf(route, outcomes.alive, counting);
    const over = chargesOf(route, outcomes.over, counting);
    // A claim to be somebody on the deny list is refused, whether it holds or not.
    if (alive === "deny" || over === "deny") return listed;
    if (sameCharges(alive, over))
      return decisions.decide({ charges: alive, onStoreFailure, route: name, requestId }, batch);
    return prepareOpen({ route, requestId }, outcomes, { alive, over }, batch);
  }

  async function prepareOpen(
    { route: { onStoreFailure, name }, requestId }: Pick<EdgeRequest, "route" | "requestId">,
    { alive, session }: Extract<IdentityOutcomes, { kind: "open" }>,
    charges: Record<SessionOutcome, Charge[]>,
    batch: Batch,
  ): Promise<DecideLimits> {
    const user = await identifier.sessionUser(session.userId);
    const lists = { ...charges, session: { claims: session, user } };
    const decide = decisions.decideOpen({ lists, onStoreFailure, route: name, requestId }, batch);
    const decideFor = (confirmed: ConfirmedIdentity) => decide(confirmed === alive ? "alive" : "over");
    return decide.refuses ? Object.assign(decideFor, { refuses: decide.refuses }) : decideFor;
  }

  /** An identity on the allow list is charged nothing. */
  function chargesOf(route: Route, who: ConfirmedIdentity, counting?: Counting): Charge[] | "deny" {
    const list = lists.of(who);
    if (list === "deny") return "deny";
    if (list === "allow") return [];
    const tier = counting?.tier ?? who.tier;
    const own = tier === null ? undefined : route.tiers.get(tier);
    const policies = own ?? route.limits;
    if (!counting) return policies.map((policy) => chargeOf(route, policy, who));
    const by = (policy: Policy) => counting.countedBy?.get(`${own ? tier : ""} ${policy.name}`);
    return policies.flatMap((policy) => countedCharges(chargeOf(route, policy, who), counting, by(policy)));
  }
}

function chargeOf(
  route: Route,
  policy: Policy,
  { address, addressIdentity, identity }: ConfirmedIdentity,
): Charge {
  return {
    policy,
    caller: (policy.by === "address" ? addressIdentity : identity).hash,
    cost: policy.cost,
    most: policy.cost,
    enforced: !policy.shadow && !route.shadow,
    address,
  };
}

/** The charge as the app's own keys and cost have it: one for each key, and one for the caller where a key is nobody's. */
function countedCharges(
  charge: Charge,
  { keys, cost = charge.cost }: Counting,
  countedBy: string | undefined,
): Charge[] {
  const counted = { ...charge, cost, most: cost };
  if (!keys || charge.policy.by === "address" || countedBy === "caller") return [counted];
  const chosen = countedBy === undefined ? keys : keys.filter(({ name }) => name === countedBy);
  const callers = new Set(chosen.map(({ hash }) => hash || charge.caller));
  return [...callers].map((caller) => ({ ...counted, caller }));
}

function sameCharges(some: readonly Charge[], others: readonly Charge[]): boolean {
  return (
    some.length === others.length &&
    some.every((charge, index) => {
      const other = others[index];
      return other !== undefined && sameCharge(charge, other);
    })
  );
}
