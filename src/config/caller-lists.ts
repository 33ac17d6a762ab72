import { type AddressRange, addressRange, DEFAULT_IPV6_PREFIX } from "../runtime/ip-address.ts";
import { type ConfigIssue, described, shown } from "./config-error.ts";

/** Callers that a list names. */
export interface CallerList {
  /** User ids. */
  users: ReadonlySet<string>;
  /** Hashes of API keys, 32 hex digits. */
  keys: ReadonlySet<string>;
  ranges: readonly AddressRange[];
}

export interface CallerLists {
  /** Never limited. */
  allow: CallerList;
  /** Always refused; wins over `allow`. */
  deny: CallerList;
}

export const noCallers: CallerList = { users: new Set(), keys: new Set(), ranges: [] };

/** What may be a key itself, in the place of its hash: it is not shown. */
const MAY_BE_A_KEY = /^(key:.*|[\w.-]*[\w-]{16}[\w.-]*)$/s;

/**
 * Reads the entries of `ALLOW_LIST` or `DENY_LIST`: addresses, CIDR ranges, `user:<id>` and `key:<hash>`. An entry that
 * is none of these is an issue, because a deny entry that matches nobody gives false safety.
 *
 * @param ipv6Prefix `RATE_LIMIT_IPV6_PREFIX`: callers are known by networks of so many bits. Default 64.
 */
export function readCallerList(
  entries: readonly string[],
  place: string,
  issues: ConfigIssue[],
  ipv6Prefix = DEFAULT_IPV6_PREFIX,
): CallerList {
  const fix = `Write an address (192.0.2.7), a CIDR range (192.0.2.0/24, 2001:db8::/32; IPv6 by /${ipv6Prefix} or wider), user:<id> or key:<hash of 32 hex digits>.`;
  const users = new Set<string>();
  const keys = new Set<string>();
  const ranges: AddressRange[] = [];
  entries.forEach((entry, index) => {
    if (entry === "") return; // The reader of the list has reported it.
    const range = addressRange(entry, ipv6Prefix);
    if (/^user:\S/.test(entry)) users.add(entry.slice(5));
    else if (/^key:[0-9a-f]{32}$/.test(entry)) keys.add(entry.slice(4));
    else if (range) ranges.push(range);
    else {
      const found = MAY_BE_A_KEY.test(entry) ? described(entry) : shown(entry);
      issues.push({ place: `${place}[${index}]`, found, fix });
    }
  });
  return { users, keys, ranges };
}
