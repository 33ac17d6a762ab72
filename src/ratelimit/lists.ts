import { ConfigError, type ConfigIssue } from "../config/config-error.ts";
import { ipv6Groups, normaliseAddress } from "../identity/address.ts";
import type { Caller } from "../identity/caller.ts";

export interface ListInput {
  /** Never limited. */
  allow: readonly string[];
  /** Always refused; wins over `allow`. */
  deny: readonly string[];
}

/** Whether a caller stands in a list. */
export type ListLookup = (caller: Caller) => "allow" | "deny" | null;

const MEND =
  "Write an address (192.0.2.7), a CIDR range (192.0.2.0/24, 2001:db8::/32; IPv6 by /64 or wider), user:<id> or key:<hash of 32 hex digits>.";

/**
 * Reads the allow and deny lists: addresses and CIDR ranges, `user:<id>`, `key:<hash>`.
 *
 * @throws ConfigError naming every entry that is none of these: a deny entry that silently matches nobody is worse than
 *   none.
 */
export function readLists({ allow, deny }: ListInput): ListLookup {
  const issues: ConfigIssue[] = [];
  const denied = matcher(deny, "DENY_LIST", issues);
  const allowed = matcher(allow, "ALLOW_LIST", issues);
  if (issues.length > 0) throw new ConfigError(issues);
  return (caller) => (denied(caller) ? "deny" : allowed(caller) ? "allow" : null);
}

interface Range {
  groups: number[];
  bits: number;
}

function matcher(entries: readonly string[], place: string, issues: ConfigIssue[]) {
  const users = new Set<string>();
  const keys = new Set<string>();
  const ranges: Range[] = [];
  entries.forEach((entry, index) => {
    const range = rangeOf(entry);
    if (entry.startsWith("user:") && entry.length > 5) users.add(entry.slice(5));
    else if (/^key:[0-9a-f]{32}$/.test(entry)) keys.add(entry.slice(4));
    else if (range) ranges.push(range);
    else {
      issues.push({ place: `${place}[${index}]`, found: JSON.stringify(entry.slice(0, 64)), fix: MEND });
    }
  });
  return ({ user, key, address }: Caller): boolean => {
    if (user && users.has(user.id)) return true;
    if (key.kind !== "absent" && keys.has(key.hash)) return true;
    if (ranges.length === 0) return false;
    const groups = groupsOf(address.replace(/\/64$/, ""));
    return groups !== null && ranges.some((range) => within(groups, range));
  };
}

function rangeOf(entry: string): Range | null {
  const [address = "", prefix, ...more] = entry.split("/");
  const groups = groupsOf(address);
  if (!groups || more.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return null;
  const ipv4 = !address.includes(":");
  const bits = Number(prefix ?? (ipv4 ? 32 : 64));
  return bits <= (ipv4 ? 32 : 64) ? { groups, bits: ipv4 ? bits + 96 : bits } : null;
}

/** Eight groups; IPv4 as mapped by RFC 4291 §2.5.5.2, so that both kinds compare alike and never match each other. */
function groupsOf(address: string): number[] | null {
  return ipv6Groups(address.includes(":") ? address : `::ffff:${normaliseAddress(address) ?? "?"}`);
}

function within(groups: readonly number[], range: Range): boolean {
  return range.groups.every((group, index) => {
    const bits = Math.min(16, Math.max(0, range.bits - index * 16));
    const shift = 16 - bits;
    return group >> shift === (groups[index] ?? 0) >> shift;
  });
}
