import type { SessionClaims } from "../identity/session-token.ts";
import type { UserNames } from "../identity/session-users.ts";
import { JsonText } from "../runtime/json-text.ts";
import { isoTime, type KeptSession, newRecord, userDataOf } from "./record.ts";
import type { NewSession } from "./session-store.ts";

/** Upstash's consistency tokens are short. A longer text is not one, and would enlarge every request. */
export const MAX_SYNC_TOKEN_LENGTH = 256;

/** The record as far as a token states it. Device info and address are not in a token. */
export function recordOf(
  claims: SessionClaims,
  { device = new JsonText("{}"), address = null }: { device?: JsonText; address?: string | null } = {},
): KeptSession {
  return newRecord({
    session_id: claims.id,
    user_id: claims.userId,
    user_data: claims.userData ?? new JsonText("{}"),
    device_info: device,
    ip_address: address,
    created_at: isoTime(claims.issuedAt),
    last_active: isoTime(claims.confirmedAt),
    expires_at: isoTime(claims.expiresAt),
    tier: claims.tier,
  });
}

/** A session to be written, with the times of its token. */
export function newSessionOf(kept: KeptSession, claims: SessionClaims, user: UserNames): NewSession {
  const { issuedAt: createdAt, expiresAt, rotatedFrom } = claims;
  return { ...kept, user, createdAt, expiresAt, ...(rotatedFrom !== undefined && { rotatedFrom }) };
}

/** The claims of a session that is created in an outage: its token carries the user data until Redis has the record. */
export function offlineClaimsOf({
  record,
  text,
  createdAt,
  expiresAt,
  rotatedFrom,
}: NewSession): SessionClaims {
  return {
    id: record.session_id,
    userId: record.user_id,
    tier: record.tier,
    issuedAt: createdAt,
    expiresAt,
    confirmedAt: createdAt,
    offline: true,
    userData: userDataOf({ record, text }),
    syncToken: null,
    rotatedFrom,
  };
}

/** What the token says of where its record is: it carries the user data where neither store has them. */
export function inToken(
  userData: JsonText | null,
  { durable, awaitsRedis }: { durable: boolean; awaitsRedis: boolean },
): Pick<SessionClaims, "offline" | "userData"> {
  return { offline: !durable || awaitsRedis, userData: awaitsRedis ? null : userData };
}

export function withSyncToken(claims: SessionClaims, syncToken: string | null): SessionClaims {
  return { ...claims, syncToken: (syncToken?.length ?? 0) > MAX_SYNC_TOKEN_LENGTH ? null : syncToken };
}
