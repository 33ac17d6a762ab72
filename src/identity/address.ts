import { normaliseAddress } from "../runtime/ip-address.ts";

/**
 * The client's address as one caller: IPv4 whole, IPv6 by its /64 (what one subscriber is given), IPv4-mapped IPv6 as
 * IPv4. It comes from `CF-Connecting-IP`, which Cloudflare sets and a client cannot; `X-Forwarded-For` is never read.
 *
 * @returns the normalised address, or `unknown`, which all requests without a usable address share.
 */
export function clientAddress(headers: Headers): string {
  return normaliseAddress(headers.get("cf-connecting-ip") ?? "") ?? "unknown";
}
