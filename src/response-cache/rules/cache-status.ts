import { parseList } from "structured-headers";

/** Why a request went to the origin (RFC 9211 §2.2). */
export type FwdReason =
  | "bypass"
  | "method"
  | "uri-miss"
  | "vary-miss"
  | "miss"
  | "request"
  | "stale"
  | "partial";

/** What the edge's cache did with a request: a member of `Cache-Status` (RFC 9211 §2). `hit` and `fwd` exclude each other. */
export type CacheStatus = {
  /** Seconds of freshness left; negative where it was served stale (§2.4). Fractions are cut off. */
  ttl?: number;
  /** Something more about it: a token (§2.8). */
  detail?: string;
} & (
  | { hit: true }
  | {
      fwd: FwdReason;
      /** The origin's status, where it is not the one that is served (§2.3). */
      fwdStatus?: number;
      /** The answer was stored (§2.5). */
      stored?: boolean;
      /** It waited for another request's answer instead of asking for itself (§2.6); false where it tried to. */
      collapsed?: boolean;
    }
);

const NAME = "EnvoyouEdge";

/**
 * The field with the edge's member at its end, which is the end next to the client (RFC 9211 §2). The key is left out:
 * it would disclose what distinguishes requests.
 *
 * @param upstream the field as the origin sent it, or null. One that is no List is dropped: it would spoil the whole.
 */
export function cacheStatus(status: CacheStatus, upstream: string | null = null): string {
  const member = NAME + parameters(status);
  const inner = upstream?.trim() ?? "";
  return inner !== "" && isList(inner) ? `${inner}, ${member}` : member;
}

function parameters(status: CacheStatus): string {
  let written = "";
  if ("hit" in status) {
    written += ";hit";
  } else {
    written += `;fwd=${status.fwd}`;
    if (status.fwdStatus !== undefined) written += `;fwd-status=${status.fwdStatus}`;
    if (status.stored) written += ";stored";
    if (status.collapsed !== undefined) written += status.collapsed ? ";collapsed" : ";collapsed=?0";
  }
  if (status.ttl !== undefined) written += `;ttl=${wholeSeconds(status.ttl)}`;
  if (status.detail !== undefined && /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/.test(status.detail)) {
    written += `;detail=${status.detail}`;
  }
  return written;
}

/** Without a minus before nothing, and within a Structured Field's 15 digits. */
function wholeSeconds(seconds: number): number {
  return Math.trunc(Math.max(-999_999_999_999_999, Math.min(seconds, 999_999_999_999_999))) || 0;
}

function isList(value: string): boolean {
  try {
    return parseList(value).length > 0;
  } catch {
    return false;
  }
}
