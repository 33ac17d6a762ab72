import { DEFAULT_IPV6_PREFIX, normaliseAddress } from "../runtime/ip-address.ts";

/**
 * The client's address in normalised form: an IPv4 address, or the network of an IPv6 address, because one subscriber
 * gets a whole network. An IPv4-mapped IPv6 address counts as IPv4. It comes from `CF-Connecting-IP`, which Cloudflare sets and a client
 * cannot set; `X-Forwarded-For` is never read.
 *
 * @param ipv6Prefix `RATE_LIMIT_IPV6_PREFIX`. Default 64.
 * @returns the normalised address, or `unknown` for every request without a valid address.
 */
export function clientAddress(headers: Headers, ipv6Prefix = DEFAULT_IPV6_PREFIX): string {
  return normaliseAddress(connectingAddress(headers) ?? "", ipv6Prefix) ?? "unknown";
}

/** RFC 1112 §4: no host has one of these addresses. Cloudflare's "Pseudo IPv4" stands one in the place of an IPv6 address. */
const CLASS_E = /^2[45]\d\./;

/** The client's full address, as Cloudflare gives it, or null. Where that is none, the real one is in `CF-Connecting-IPv6`. */
export function connectingAddress(headers: Headers): string | null {
  const address = headers.get("cf-connecting-ip");
  return (address && CLASS_E.test(address) && headers.get("cf-connecting-ipv6")) || address;
}
