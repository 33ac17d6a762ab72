import type { SessionClaims } from "../identity/session-token.ts";
import { isoTime, type SessionRecord } from "./record.ts";
import type { NewSession } from "./session-store.ts";

/** The record as far as a token states it. Device info and address are not in a token. */
export function recordOf(claims: SessionClaims): SessionRecord {
  return {
    session_id: claims.id,
    user_id: claims.userId,
    user_data: claims.userData,
    device_info: {},
    ip_address: null,
    created_at: isoTime(claims.issuedAt),
    last_active: isoTime(claims.confirmedAt),
    expires_at: isoTime(claims.expiresAt),
    tier: claims.tier,
  };
}

/** A session to be written, with the times of its token. */
export function newSessionOf(record: SessionRecord, claims: SessionClaims, userHash: string): NewSession {
  return { record, userHash, createdAt: claims.issuedAt, expiresAt: claims.expiresAt };
}

/** The claims of a session that is created in an outage: its token carries the user data until Redis has the record. */
export function offlineClaimsOf({ record, createdAt, expiresAt }: NewSession): SessionClaims {
  return {
    id: record.session_id,
    userId: record.user_id,
    tier: record.tier,
    issuedAt: createdAt,
    expiresAt,
    confirmedAt: createdAt,
    offline: true,
    userData: record.user_data,
    syncToken: null,
  };
}
