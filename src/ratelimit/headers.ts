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
  const partition = (windowState: WindowState): [string, Uint8Array][] =>
    partitionKey ? [["pk", bytesOf(windowState.caller).slice(0, PARTITION_KEY_BYTES)]] : [];
  return {
    "RateLimit-Policy": partitionKey
      ? windowStates.map((windowState) => policyMember(windowState, partition(windowState))).join(", ")
      : windowStates.map(knownPolicyMember).join(", "),
    // §4: `r`, what is available, is required; `t`, the seconds within which no more than that can be used, optional.
    RateLimit: windowStates
      .map((windowState) =>
        listMember(windowState.policy.name, [
          ["r", windowState.remaining],
          ["t", Math.max(0, Math.ceil((windowState.growsAt - now) / 1000))],
          ...partition(windowState),
        ]),
      )
      .join(", "),
    ...headers,
  };
}

/** §3: a String that names the policy; `q`, the quota, is required, `w`, its window in seconds, optional. */
function policyMember(windowState: WindowState, partition: [string, Uint8Array][]): string {
  return listMember(windowState.policy.name, [
    ["q", windowState.policy.limit],
    ["w", algorithmOf(windowState.policy).windowSeconds(windowState.policy)],
    ...partition,
  ]);
}

/**
 * A String with Integers and Byte Sequences as parameters (RFC 9651 §4.1.1.2). A name is letters, digits, `-` and `_`, and no number has
 * more than 15 digits, so that nothing has to be escaped or refused: a library for it is 1 KB in every app that only has limits.
 */
function listMember(name: string, parameters: readonly [key: string, value: number | Uint8Array][]): string {
  const written = parameters.map(
    ([key, value]) =>
      `;${key}=${typeof value === "number" ? value : `:${btoa(String.fromCharCode(...value))}:`}`,
  );
  return `"${name}"${written.join("")}`;
}

const known = new WeakMap<WindowState["policy"], string>();

/** It follows from the policy alone, and every answer has it. */
function knownPolicyMember(windowState: WindowState): string {
  const member = known.get(windowState.policy) ?? policyMember(windowState, []);
  known.set(windowState.policy, member);
  return member;
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
