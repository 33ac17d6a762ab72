import { forbidStoring } from "../http/cache-fields.ts";
import { SESSION_TOKEN_FIELD } from "../http/session-token.ts";
import type { TokenSource } from "../identity/caller.ts";
import { clearedCookie, sessionCookie } from "../identity/session-cookie.ts";
import type { SessionClaims } from "../identity/session-token.ts";
import type { SessionChange } from "../request/session-change.ts";
import type { SessionVerdict } from "./verdict.ts";

/** The change for a session that was just created or rotated: the client gets its token. */
export function issued(
  { token, claims }: { token: string; claims: SessionClaims },
  tokenSource: TokenSource,
): SessionChange {
  return { kind: "issued", token, expiresAt: claims.expiresAt, tokenSource };
}

/**
 * A slow answer renews no cookie, ms: meanwhile another request may have brought the browser a new id, or another user's session, which the
 * old one would take the place of. The next request renews it. Where only the token tells of activity, it does not wait.
 */
const RENEWED_WITHIN_MS = 2000;

/**
 * What a verdict means for the client: a renewed token, or nothing. A cookie whose session is over stays where it is: by
 * the time this answer arrives, the browser may hold a newer one of the same name.
 *
 * @param endedSince Whether this isolate has ended the session meanwhile, alone or with others: then it is not renewed.
 * @param tookMs Since the request came, ms.
 */
export function changeOf(
  verdict: SessionVerdict,
  endedSince: (claims: SessionClaims) => boolean,
  tookMs = 0,
): SessionChange | null {
  if (verdict.kind !== "active" || verdict.renewed === null || endedSince(verdict.claims)) return null;
  const { claims, renewed, tokenSource, source } = verdict;
  const mayWait = tokenSource === "cookie" && (source === "redis" || source === "database");
  if (mayWait && tookMs > RENEWED_WITHIN_MS) return null;
  return { kind: "renewed", token: renewed, expiresAt: claims.expiresAt, tokenSource };
}

/**
 * Writes a change into the fields of an answer. An answer that sets or clears the cookie, or hands out a new session, is
 * stored by nobody: stored, it would sign strangers in or out (RFC 9111 §7.3). One with a renewed bearer may be stored by
 * its own client, where the answer says so.
 *
 * @param now Milliseconds since the epoch. A cookie's `Max-Age` counts from it.
 */
export function writeSessionFields(change: SessionChange, headers: Headers, url: URL, now: number): void {
  if (change.kind === "cleared") {
    headers.append("set-cookie", clearedCookie(url));
    forbidStoring(headers);
    return;
  }
  const { token, expiresAt, tokenSource } = change;
  if (tokenSource === "bearer") headers.set(SESSION_TOKEN_FIELD, token);
  else headers.append("set-cookie", sessionCookie(url, token, expiresAt, now));
  const storable = change.kind === "renewed" && tokenSource === "bearer" && isPrivate(headers);
  if (!storable) forbidStoring(headers);
}

/** What shared caches may not store already stays as it is. */
function isPrivate(headers: Headers): boolean {
  return /(^|[\s,])(private|no-store)([\s,=]|$)/i.test(headers.get("cache-control") ?? "");
}
