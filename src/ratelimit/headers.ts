import { algorithmOf } from "./algorithms/algorithms.ts";
import type { WindowState } from "./window-state.ts";

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
 * @param windowStates The enforced windows; those in shadow are not shown to clients.
 * @param nearest The window nearest to denial, which the single-window fields describe.
 */
export function limitHeaders(
  windowStates: readonly WindowState[],
  nearest: WindowState | undefined,
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
  let policies = "";
  let available = "";
  for (const windowState of windowStates) {
    const { policy, remaining, growsAt } = windowState;
    const separator = policies === "" ? "" : ", ";
    const member = partitionKey ? partition(windowState) : "";
    policies += separator + policyMember(policy) + member;
    // §4: `r`, what is available, is required; `t`, the seconds within which no more than that can be used, optional.
    const seconds = Math.max(0, Math.ceil((growsAt - now) / 1000));
    available += `${separator}"${policy.name}";r=${remaining};t=${seconds}${member}`;
  }
  return { "RateLimit-Policy": policies, RateLimit: available, ...headers };
}

function partition({ caller }: WindowState): string {
  return `;pk=${byteSequence(bytesOf(caller).slice(0, PARTITION_KEY_BYTES))}`;
}

/**
 * §3: a String that names the policy; `q`, the quota, is required, `w`, its window in seconds, optional.
 *
 * A String with Integers as parameters (RFC 9651 §4.1.1.2): a name is letters, digits, `-` and `_`, and no number has more than 15 digits,
 * so that nothing has to be escaped or refused. A library for it is 1 KB in every app that only has limits.
 */
function policyMember(policy: WindowState["policy"]): string {
  return `"${policy.name}";q=${policy.limit};w=${algorithmOf(policy).windowSeconds(policy)}`;
}

/** RFC 9651 §4.1.8. */
function byteSequence(bytes: Uint8Array): string {
  return `:${btoa(String.fromCharCode(...bytes))}:`;
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
