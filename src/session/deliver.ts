import { clearedCookie, sessionCookie, setsSessionCookie } from "../identity/session-cookie.ts";
import type { SessionClaims } from "../identity/session-token.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { Platform } from "../runtime/platform.ts";
import type { SessionVerdict, TokenSource } from "./verdict.ts";

export interface DeliveryOptions {
  platform: Pick<Platform, "now">;
  /** Whether this isolate has ended the session meanwhile. */
  hasTombstone(id: string): boolean;
}

/** How a session travels to its client: as a cookie, or as a bearer token in `X-Session-Token`. */
export function createDelivery({ platform, hasTombstone }: DeliveryOptions) {
  return { carry, apply };

  /** Hands a session to the client; such an answer is for nobody else. */
  function carry(
    { token, claims }: { token: string; claims: SessionClaims },
    by: TokenSource,
    headers: Headers,
    url: URL,
  ): void {
    hand(token, claims, by, headers, url);
    headers.set("cache-control", "no-store");
  }

  /** Tells the client what changed: a renewed token, a cookie that is over. Says nothing where the answer has said so. */
  function apply(verdict: SessionVerdict, headers: Headers, { url }: Pick<EdgeRequest, "url">): void {
    if (verdict.kind !== "over" && verdict.kind !== "active") return;
    if (headers.has("x-session-token") || headers.getSetCookie().some(setsSessionCookie)) return;
    if (verdict.kind === "over") {
      if (verdict.tokenSource === "cookie") headers.append("set-cookie", clearedCookie(url));
      return;
    }
    if (verdict.renewed === null || hasTombstone(verdict.claims.id)) return;
    hand(verdict.renewed, verdict.claims, verdict.tokenSource, headers, url);
    // A stored answer that sets this cookie would sign strangers in (RFC 9111 §7.3).
    headers.set("cache-control", privately(headers.get("cache-control")));
  }

  function hand(token: string, claims: SessionClaims, by: TokenSource, headers: Headers, url: URL): void {
    if (by === "bearer") headers.set("x-session-token", token);
    else headers.append("set-cookie", sessionCookie(url, token, claims.expiresAt, platform.now()));
  }
}

function privately(cacheControl: string | null): string {
  return /(^|[\s,])(private|no-store)([\s,=]|$)/i.test(cacheControl ?? "")
    ? (cacheControl ?? "")
    : "no-store";
}
