import type { CallerList, CallerLists } from "../config/caller-lists.ts";
import type { ConfirmedIdentity, UnverifiedIdentity } from "../identity/confirmed.ts";
import { comparableGroups, isInRange } from "../runtime/ip-address.ts";

/** What a confirmed caller is looked up by. */
type ConfirmedFacts = Pick<ConfirmedIdentity, "user" | "key" | "address">;
/** What a request claims, whether it holds or not. */
type ClaimedFacts = Pick<UnverifiedIdentity, "session" | "jwt" | "otherUsers" | "key" | "address">;

export interface ListLookup {
  /** Whether a caller stands in a list, by what is confirmed of it. `deny` wins. */
  of(caller: ConfirmedFacts): "allow" | "deny" | null;
  /**
   * Whether anything that a request claims stands in the deny list: the user of each session and of each JWT, the key and
   * the address. A second credential hides no first one.
   */
  denies(claims: ClaimedFacts): boolean;
}

/** Looks callers up in `ALLOW_LIST` and `DENY_LIST`, which the configuration has read. */
export function createListLookup({ allow, deny }: CallerLists): ListLookup {
  return {
    of({ user, key, address }) {
      const users = user ? [user.id] : [];
      const hash = key.kind === "absent" ? null : key.hash;
      if (isListed({ users, keyHash: hash, address }, deny)) return "deny";
      const confirmedHash = key.kind === "verified" ? hash : null;
      return isListed({ users, keyHash: confirmedHash, address }, allow) ? "allow" : null;
    },
    denies(claims) {
      const { key, address } = claims;
      return isListed(
        { users: claimedUsers(claims), keyHash: key.kind === "absent" ? null : key.hash, address },
        deny,
      );
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

interface ListedFacts {
  users: readonly string[];
  keyHash: string | null;
  address: string;
}

function isListed({ users, keyHash, address }: ListedFacts, list: CallerList): boolean {
  if (users.some((user) => list.users.has(user))) return true;
  if (keyHash !== null && list.keys.has(keyHash)) return true;
  if (list.ranges.length === 0) return false;
  const groups = comparableGroups(address.replace(/\/\d+$/, ""));
  return groups !== null && list.ranges.some((range) => isInRange(groups, range));
}
