import type { CallerList, CallerLists } from "../config/caller-lists.ts";
import type { ConfirmedIdentity, UnverifiedIdentity } from "../identity/confirmed.ts";
import { comparableGroups, rangeLookup } from "../runtime/ip-address.ts";

/** What a confirmed caller is looked up by. */
type ConfirmedFacts = Pick<ConfirmedIdentity, "user" | "key" | "address">;
/** What a request claims, whether it holds or not. */
type ClaimedFacts = Pick<
  UnverifiedIdentity,
  "session" | "jwt" | "otherUsers" | "key" | "otherKeys" | "address"
>;

export interface ListLookup {
  /** Whether a caller stands in a list, by what is confirmed of it. `deny` wins. */
  of(caller: ConfirmedFacts): "allow" | "deny" | null;
  /**
   * Whether anything that a request claims stands in the deny list: the user of each session and of each JWT, the key, in
   * whatever spelling, and the address. A second credential hides no first one.
   */
  denies(claims: ClaimedFacts): boolean;
}

/** Looks callers up in `ALLOW_LIST` and `DENY_LIST`, which the configuration has read. */
export function createListLookup(lists: CallerLists): ListLookup {
  const allow = listed(lists.allow);
  const deny = listed(lists.deny);
  return {
    of({ user, key, address }) {
      const users = user ? [user.id] : [];
      if (deny({ users, keys: hashesOf(key), address })) return "deny";
      const keys = key.kind === "verified" ? hashesOf(key) : [];
      return allow({ users, keys, address }) ? "allow" : null;
    },
    denies(claims) {
      const { key, otherKeys = [], address } = claims;
      return deny({ users: claimedUsers(claims), keys: [...hashesOf(key), ...otherKeys], address });
    },
  };
}

function claimedUsers({ session, jwt, otherUsers = [], key }: ClaimedFacts): string[] {
  const sessions = session.kind === "signed" ? [session.claims, ...(session.others ?? [])] : [];
  const users = [...sessions.map(({ userId }) => userId), ...otherUsers];
  if (jwt.kind === "verified") users.push(jwt.userId);
  if (key.kind === "verified" && key.userId !== null) users.push(key.userId);
  return users;
}

function hashesOf(key: ClaimedFacts["key"]): string[] {
  return key.kind === "absent" ? [] : [key.hash];
}

interface ListedFacts {
  users: readonly string[];
  keys: readonly string[];
  address: string;
}

function listed(list: CallerList): (facts: ListedFacts) => boolean {
  const isInRange = rangeLookup(list.ranges);
  return ({ users, keys, address }) => {
    if (users.some((user) => list.users.has(user))) return true;
    if (keys.some((key) => list.keys.has(key))) return true;
    if (list.ranges.length === 0) return false;
    const groups = comparableGroups(address.replace(/\/\d+$/, ""));
    return groups !== null && isInRange(groups);
  };
}
