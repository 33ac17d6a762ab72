import type { Counter } from "./algorithms/algorithm.ts";
import type { Charge, Charged } from "./charge.ts";
import { nearestOf, windowStateOf } from "./window-state.ts";

/** The counter of what this isolate admits alone, beside that of all that is known to be taken. */
export function aloneBeside<Each extends Counter>(counter: Each): Each {
  return { ...counter, caller: `${counter.caller} alone` };
}

/**
 * Where each isolate counts for itself, it may be given a part of the limit; at least one request's cost, if the limit has that much. What
 * was counted elsewhere before is none of that part: else whoever has taken more than the part, and is far within the limit, would be refused.
 */
function shareOf(charge: Charge): Charge | null {
  const { policy, cost } = charge;
  if (policy.localShare === 1) return null;
  const limit = Math.min(policy.limit, Math.max(cost, Math.floor(policy.limit * policy.localShare)));
  return { ...aloneBeside(charge), policy: { ...policy, limit } };
}

/** What became of charges, and which window of each is to be told of: its own, or this isolate's share of it. */
export interface ChargedAlone {
  charged: Charged;
  told: { charges: readonly Charge[]; charged: Charged };
}

/** @param charge Charges all, or none where one of them has no room. */
export function chargeAlone(
  charges: readonly Charge[],
  charge: (all: readonly Charge[]) => Charged,
): ChargedAlone {
  const shares = charges.map(shareOf);
  const all = [...charges, ...shares.filter((share) => share !== null)];
  const charged = charge(all);
  if (all.length === charges.length) return { charged, told: { charges, charged } };
  const { at } = charged;
  const told = charges.flatMap((own, index) => {
    const share = shares[index] ?? null;
    const states = [share, own].flatMap((each) => {
      const entry = each && charged.entries[all.indexOf(each)];
      if (!each || !entry) return [];
      return [
        { of: { ...each, caller: own.caller }, entry, ...windowStateOf(each, entry.counts, at, entry.short) },
      ];
    });
    const nearest = nearestOf(states);
    return states.filter((state) => state === nearest);
  });
  return {
    charged,
    told: {
      charges: told.map(({ of }) => of),
      charged: { ...charged, entries: told.map(({ entry }) => entry) },
    },
  };
}
