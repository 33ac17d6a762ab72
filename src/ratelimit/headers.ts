import { serializeList } from "structured-headers";
import type { Reading } from "./window-state.ts";

/**
 * The rate limit fields of a response, in the one form of draft-ietf-httpapi-ratelimit-headers that is named by
 * {@link HeaderOptions.revision}, and the original service's `X-RateLimit-*`.
 */
export interface HeaderOptions {
  /** Revision of draft-ietf-httpapi-ratelimit-headers. `off`: only `X-RateLimit-*`. Default `draft-11`. */
  revision?: "draft-11" | "off";
  /** Adds `pk`, by which a client tells its partitions apart. Default false. */
  partitionKey?: boolean;
}

/** Bytes of the caller's HMAC that `pk` shows: enough to tell partitions apart, too few to be looked up by. */
const PARTITION_KEY_BYTES = 6;

/**
 * @param readings The enforced windows; those in shadow are nobody's business.
 * @param nearest The window nearest to denial, which the single-window fields describe.
 */
export function limitHeaders(
  readings: readonly Reading[],
  nearest: Reading | undefined,
  now: number,
  { revision = "draft-11", partitionKey = false }: HeaderOptions = {},
): Record<string, string> {
  if (!nearest) return {};
  const headers: Record<string, string> = {
    "X-RateLimit-Limit": String(nearest.policy.limit),
    "X-RateLimit-Remaining": String(nearest.remaining),
    // Unix seconds, as the original service wrote it.
    "X-RateLimit-Reset": String(Math.ceil(nearest.growsAt / 1000)),
  };
  if (revision === "off") return headers;
  const partition = (reading: Reading): [string, Uint8Array][] =>
    partitionKey ? [["pk", bytesOf(reading.caller).slice(0, PARTITION_KEY_BYTES)]] : [];
  return {
    "RateLimit-Policy": partitionKey
      ? readings.map((reading) => policyMember(reading, partition(reading))).join(", ")
      : readings.map(knownPolicyMember).join(", "),
    // §4: `r`, what is available, is required; `t`, the seconds within which no more than that can be used, optional.
    RateLimit: serializeList(
      readings.map((reading) => [
        reading.policy.name,
        new Map<string, number | Uint8Array>([
          ["r", reading.remaining],
          ["t", Math.max(0, Math.ceil((reading.growsAt - now) / 1000))],
          ...partition(reading),
        ]),
      ]),
    ),
    ...headers,
  };
}

/** §3: a String that names the policy; `q`, the quota, is required, `w`, its window in seconds, optional. */
function policyMember(reading: Reading, partition: [string, Uint8Array][]): string {
  const parameters = new Map<string, number | Uint8Array>([
    ["q", reading.policy.limit],
    ["w", windowSeconds(reading)],
    ...partition,
  ]);
  return serializeList([[reading.policy.name, parameters]]);
}

const known = new WeakMap<Reading["policy"], string>();

/** It follows from the policy alone, and every answer has it. */
function knownPolicyMember(reading: Reading): string {
  const member = known.get(reading.policy) ?? policyMember(reading, []);
  known.set(reading.policy, member);
  return member;
}

/** A token bucket gives its whole quota again in as many windows as filling it takes. */
function windowSeconds({ policy }: Reading): number {
  const windows = policy.algorithm === "token-bucket" ? Math.ceil(policy.limit / policy.refill) : 1;
  return Math.ceil((windows * policy.windowMs) / 1000);
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
