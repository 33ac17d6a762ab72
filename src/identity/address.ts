/**
 * The client's address as one caller: IPv4 whole, IPv6 by its /64 (what one subscriber is given), IPv4-mapped IPv6 as
 * IPv4. It comes from `CF-Connecting-IP`, which Cloudflare sets and a client cannot; `X-Forwarded-For` is never read.
 *
 * @returns the normalised address, or `unknown`, which all requests without a usable address share.
 */
export function clientAddress(headers: Headers): string {
  return normaliseAddress(headers.get("cf-connecting-ip") ?? "") ?? "unknown";
}

/** The address in the form it is counted in, or null when the text is no address. */
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
