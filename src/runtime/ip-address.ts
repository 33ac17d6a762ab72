/** Parsing of IP addresses (RFC 4291 §2.2, §2.5.5.2), for the identity of callers and the address lists. */

/** The address in the form that limits count: IPv4, or the /64 of IPv6. @returns null when the text is not an address. */
export function normaliseAddress(text: string): string | null {
  const trimmed = text.trim();
  if (isIpv4(trimmed)) return trimmed;
  const groups = ipv6Groups(trimmed);
  if (!groups) return null;
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) {
    const [high = 0, low = 0] = groups.slice(6);
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** The eight groups of an IPv6 address (RFC 4291 §2.2), or null. */
export function ipv6Groups(text: string): number[] | null {
  const withoutZone = text.replace(/%.*$/, "");
  if (withoutZone.length > 45) return null;
  const halves = withoutZone.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half) => groupsOf(half));
  if (!head || (halves.length === 2 && !tail)) return null;
  if (halves.length === 1) return head.length === 8 ? head : null;
  const missing = 8 - head.length - (tail?.length ?? 0);
  return missing < 1 ? null : [...head, ...Array<number>(missing).fill(0), ...(tail ?? [])];
}

function groupsOf(half: string): number[] | null {
  if (half === "") return [];
  const groups: number[] = [];
  const parts = half.split(":");
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && isIpv4(part)) {
      const [a = 0, b = 0, c = 0, d = 0] = part.split(".").map(Number);
      groups.push((a << 8) | b, (c << 8) | d);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else return null;
  }
  return groups;
}

/** A network: the first `bits` of eight groups. An IPv4 network is IPv4-mapped (RFC 4291 §2.5.5.2). */
export interface AddressRange {
  groups: readonly number[];
  bits: number;
}

/**
 * Parses an address or a CIDR range. Limits count IPv6 by /64, so a longer prefix would match no caller.
 *
 * @returns null when the text is neither, or an IPv6 prefix is longer than /64.
 */
export function addressRange(text: string): AddressRange | null {
  const [address = "", prefix, ...more] = text.split("/");
  const groups = comparableGroups(address);
  if (!groups || more.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return null;
  const ipv4 = !address.includes(":");
  const bits = Number(prefix ?? (ipv4 ? 32 : 64));
  return bits <= (ipv4 ? 32 : 64) ? { groups, bits: ipv4 ? bits + 96 : bits } : null;
}

/** The eight groups of an address; IPv4 is IPv4-mapped, so it never equals IPv6. @returns null when it is malformed. */
export function comparableGroups(address: string): number[] | null {
  return ipv6Groups(address.includes(":") ? address : `::ffff:${normaliseAddress(address) ?? "?"}`);
}

/** Whether an address, as {@link comparableGroups} gives it, lies in a range. */
export function isInRange(groups: readonly number[], range: AddressRange): boolean {
  return range.groups.every((group, index) => {
    const bits = Math.min(16, Math.max(0, range.bits - index * 16));
    const shift = 16 - bits;
    return group >> shift === (groups[index] ?? 0) >> shift;
  });
}
