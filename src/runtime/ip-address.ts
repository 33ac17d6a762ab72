/** Parsing of IP addresses (RFC 4291 §2.2, §2.5.5.2), for the identity of callers and the address lists. */

/** Bits of an IPv6 address that limits count by default: one subscriber gets a whole /64. */
export const DEFAULT_IPV6_PREFIX = 64;

/**
 * The address in the form that limits count: IPv4 (an IPv4-mapped IPv6 address too), or the network of an IPv6 address.
 *
 * @param ipv6Prefix Bits of that network: 48 to 64.
 * @returns null when the text is not an address.
 * @example normaliseAddress("2001:db8:7:42ff::1", 56) // "2001:db8:7:4200::/56"
 */
export function normaliseAddress(text: string, ipv6Prefix = DEFAULT_IPV6_PREFIX): string | null {
  const trimmed = text.trim();
  if (isIpv4(trimmed)) return trimmed;
  const groups = ipv6Groups(trimmed);
  if (!groups) return null;
  if (isMapped(groups)) {
    const [high = 0, low = 0] = groups.slice(6);
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  const fourth = (groups[3] ?? 0) & (0xffff << (64 - ipv6Prefix)) & 0xffff;
  const kept = ipv6Prefix > 48 ? [...groups.slice(0, 3), fourth] : groups.slice(0, 3);
  return `${kept.map((group) => group.toString(16)).join(":")}::/${ipv6Prefix}`;
}

/**
 * The networks that an address lies in, the narrow one first: IPv4 /24 and /16, IPv6 /48 and /32.
 *
 * @param address As {@link normaliseAddress} returns it; any other text is a network of its own.
 */
export function networksOf(address: string): [string, string] {
  const separator = address.includes(":") ? ":" : ".";
  const parts = address.split(separator);
  return [parts.slice(0, 3).join(separator), parts.slice(0, 2).join(separator)];
}

/** Whether it is IPv4 in the form of IPv6 (RFC 4291 §2.5.5.2). */
function isMapped(groups: readonly number[]): boolean {
  return groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
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
 * Parses an address or a CIDR range. An IPv6 address stands for the network that limits count it by; a range within such a
 * network would match no caller.
 *
 * @param ipv6Prefix Bits of that network: 48 to 64.
 * @returns null when the text is neither, or an IPv6 prefix is longer.
 */
export function addressRange(text: string, ipv6Prefix = DEFAULT_IPV6_PREFIX): AddressRange | null {
  const [address = "", prefix, ...more] = text.split("/");
  const groups = comparableGroups(address);
  if (!groups || more.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return null;
  const mapped = isMapped(groups);
  if (prefix === undefined) return { groups, bits: mapped ? 128 : ipv6Prefix };
  const bits = Number(prefix) + (address.includes(":") ? 0 : 96);
  const fits = mapped ? bits >= 96 && bits <= 128 : bits <= ipv6Prefix;
  return fits ? { groups, bits } : null;
}

/** The eight groups of an address; IPv4 is IPv4-mapped, so it never equals IPv6. @returns null when it is malformed. */
export function comparableGroups(address: string): number[] | null {
  return ipv6Groups(address.includes(":") ? address : `::ffff:${normaliseAddress(address) ?? "?"}`);
}

/**
 * Whether an address, as {@link comparableGroups} gives it, lies in one of the ranges. No range of IPv6 holds an IPv4 address.
 * The steps of a look are as many as there are different lengths of prefixes, however many ranges there are.
 */
export function rangeLookup(ranges: readonly AddressRange[]): (groups: readonly number[]) => boolean {
  const networks = new Map<number, Set<string>>();
  for (const { groups, bits } of ranges) {
    const ofLength = networks.get(bits) ?? new Set();
    networks.set(bits, ofLength.add(networkOf(groups, bits)));
  }
  return (groups) => {
    const isIpv4 = isMapped(groups);
    for (const [bits, found] of networks)
      if (bits >= 96 === isIpv4 && found.has(networkOf(groups, bits))) return true;
    return false;
  };
}

/** The first bits of eight groups; the others are 0. */
function networkOf(groups: readonly number[], bits: number): string {
  return groups.map((group, index) => group >> Math.min(16, Math.max(0, 16 * (index + 1) - bits))).join(":");
}
