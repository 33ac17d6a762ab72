import type { CallerList, CallerLists } from "../config/caller-lists.ts";
import type { ConfirmedIdentity } from "../identity/confirmed.ts";
import { comparableGroups, isInRange } from "../runtime/ip-address.ts";

/** What the lists name callers by. */
type ListedFacts = Pick<ConfirmedIdentity, "user" | "key" | "address">;

/** Whether a caller stands in a list. */
export type ListLookup = (caller: ListedFacts) => "allow" | "deny" | null;

/** Looks callers up in `ALLOW_LIST` and `DENY_LIST`, which the configuration has read. `deny` wins. */
export function createListLookup({ allow, deny }: CallerLists): ListLookup {
  return (caller) => (isListed(caller, deny) ? "deny" : isListed(caller, allow) ? "allow" : null);
}

function isListed({ user, key, address }: ListedFacts, { users, keys, ranges }: CallerList): boolean {
  if (user && users.has(user.id)) return true;
  if (key.kind !== "absent" && keys.has(key.hash)) return true;
  if (ranges.length === 0) return false;
  const groups = comparableGroups(address.replace(/\/64$/, ""));
  return groups !== null && ranges.some((range) => isInRange(groups, range));
}
