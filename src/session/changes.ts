import { SESSION_TOKEN_FIELD } from "../http/edge-fields.ts";
import type { TokenSource } from "../identity/caller.ts";
import { clearedCookie, sessionCookie } from "../identity/session-cookie.ts";
import type { SessionClaims } from "../identity/session-token.ts";
import type { SessionChange } from "../request/session-change.ts";
import type { SessionVerdict } from "./verdict.ts";

/** A session that was just made, or given a new id, for the client to carry. */
export function issued(
  { token, claims }: { token: string; claims: SessionClaims },
  tokenSource: TokenSource,
): SessionChange {
  return { kind: "issued", token, expiresAt: claims.expiresAt, tokenSource };
}

/**
 * What a verdict means for the client: a renewed token, or a cookie that is over.
 *
 * @param endedSince Whether this isolate has ended the session meanwhile, alone or with others: then it is not renewed.
 */
export function changeOf(
  verdict: SessionVerdict,
  endedSince: (claims: SessionClaims) => boolean,
): SessionChange | null {
  if (verdict.kind === "over") return verdict.tokenSource === "cookie" ? { kind: "cleared" } : null;
  if (verdict.kind !== "active" || verdict.renewed === null || endedSince(verdict.claims)) return null;
  const { claims, renewed, tokenSource } = verdict;
  return { kind: "renewed", token: renewed, expiresAt: claims.expiresAt, tokenSource };
}

/**
 * Writes a change into the fields of an answer. An answer with a new session is for nobody else; one with a renewed token
 * is stored by nobody but its own client: a stored answer that sets this cookie would sign strangers in (RFC 9111 §7.3).
 *
 * @param now Milliseconds since the epoch: a cookie's `Max-Age` counts from it.
 */
export function writeSessionFields(change: SessionChange, headers: Headers, url: URL, now: number): void {
  if (change.kind === "cleared") {
    headers.append("set-cookie", clearedCookie(url));
    return;
  }
  const { token, expiresAt, tokenSource } = change;
  if (tokenSource === "bearer") headers.set(SESSION_TOKEN_FIELD, token);
  else headers.append("set-cookie", sessionCookie(url, token, expiresAt, now));
  headers.set(
    "cache-control",
    change.kind === "issued" ? "no-store" : withheld(headers.get("cache-control")),
  );
}

/** What forbids shared caches already stays as it is. */
function withheld(cacheControl: string | null): string {
  return /(^|[\s,])(private|no-store)([\s,=]|$)/i.test(cacheControl ?? "")
    ? (cacheControl ?? "")
    : "no-store";
}
