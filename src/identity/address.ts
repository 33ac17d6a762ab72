import { normaliseAddress } from "../runtime/ip-address.ts";

/**
 * The client's address in normalised form: an IPv4 address, or the /64 of an IPv6 address, because one subscriber gets a
 * whole /64. An IPv4-mapped IPv6 address counts as IPv4. It comes from `CF-Connecting-IP`, which Cloudflare sets and a client
 * cannot set; `X-Forwarded-For` is never read.
 *
 * @returns the normalised address, or `unknown` for every request without a valid address.
 */
export function clientAddress(headers: Headers): string {
  return normaliseAddress(headers.get("cf-connecting-ip") ?? "") ?? "unknown";
}
