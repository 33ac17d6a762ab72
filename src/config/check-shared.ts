import type { PlacedRoute } from "./check-routes.ts";
import { type ConfigIssue, shown } from "./config-error.ts";
import type { Policy } from "./route.ts";

/** A shared limit where a route or one of its tiers names it. */
interface Use {
  policy: Policy;
  route: string;
  place: string;
  tier: string | null;
}

/** What all routes must say alike of a shared limit. `cost` and `shadow` are each route's own. */
const AGREED = ["algorithm", "limit", "refill", "window", "by", "lease", "localShare"] as const;

/**
 * Finds shared limits of one name that are defined in different ways, within what callers without a tier have, and within what
 * each tier has: they count together, so a caller would be told two things of one count.
 *
 * @param warnings Gets a tier that has another limit by one route, while a second route has none for it: its callers have two
 *   limits for one count, which may be meant.
 */
export function checkShared(
  routes: readonly PlacedRoute[],
  { issues, warnings }: { issues: ConfigIssue[]; warnings: string[] },
): void {
  const uses = routes.flatMap(usesOf);
  const first = new Map<string, Use>();
  for (const use of uses) {
    const name = JSON.stringify([use.tier, use.policy.name]);
    const known = first.get(name) ?? use;
    first.set(name, known);
    issues.push(...disagreements(known, use));
  }
  for (const use of uses) {
    const ofTier = uses.find(
      ({ tier, policy }) => use.tier === null && tier !== null && policy.name === use.policy.name,
    );
    const tiers = routes.find(({ route }) => route.name === use.route)?.route.tiers;
    if (!ofTier?.tier || tiers?.has(ofTier.tier) || ofTier.policy.limit === use.policy.limit) continue;
    warnings.push(
      `${use.place}: the tier ${shown(ofTier.tier)} has a limit of ${ofTier.policy.limit} for the shared ${shown(use.policy.name)} on ${shown(ofTier.route)}, and this route, ${shown(use.route)}, gives it ${use.policy.limit} for the same count.`,
    );
  }
}

function usesOf({ route, place }: PlacedRoute): Use[] {
  const of = (policies: readonly Policy[], tier: string | null) =>
    policies.map((policy, index): Use => {
      const list = tier === null ? "limits" : `tiers.${tier}`;
      return { policy, tier, route: route.name, place: `${place}.${list}[${index}]` };
    });
  const all = [...of(route.limits, null), ...[...route.tiers].flatMap(([tier, limits]) => of(limits, tier))];
  return all.filter(({ policy }) => policy.shared);
}

function disagreements(known: Use, use: Use): ConfigIssue[] {
  return AGREED.filter((key) => countedValue(known.policy, key) !== countedValue(use.policy, key)).map(
    (key) => {
      const name = key === "limit" && use.policy.refill > 0 ? "capacity" : key;
      return {
        place: `${use.place}.${name}`,
        found: `${shown(use.policy[key])} on ${shown(use.route)}`,
        fix: `The shared limit ${shown(use.policy.name)} has ${shown(known.policy[key])} on ${shown(known.route)} (${known.place}): define both alike, or give one another name.`,
      };
    },
  );
}

/** The value that counts: `60 s` and `1 m` are one window. */
function countedValue(policy: Policy, key: (typeof AGREED)[number]): string | number {
  return key === "window" ? policy.windowMs : policy[key];
}
