import type { SessionRecord } from "./record.ts";

/** A record and the text it was read as: an update is written only over that very text. */
export interface KeptSession {
  record: SessionRecord;
  text: string;
}

export interface NewSession {
  record: SessionRecord;
  /** Whose index it stands in: the user's hash. */
  userHash: string;
  /** Milliseconds since the epoch, by the clock of the isolate that made it. */
  createdAt: number;
  expiresAt: number;
}

/** What a rotation replaces: the old id, and whether it was made in an outage and may never have been written. */
export interface OldSession {
  id: string;
  offline: boolean;
}

/**
 * Where sessions are kept: Redis, or the isolate's map. The same contract suite runs on both. Every method is one batch in
 * Redis, and rejects with a StoreError where that fails.
 *
 * Clocks of two isolates differ. Whoever signs in after a revocation of all has reached the sessionStore must get a session that
 * lives, whatever the clocks say: so a session made now is dated after any such revocation, and only one that was made in
 * an outage and is written late is measured by the time it claims.
 */
export interface SessionStore {
  /**
   * Ends the user's oldest beyond the cap.
   *
   * @returns when the session counts as made, ms: `createdAt`, or later if a revocation of all claims that time.
   */
  create(session: NewSession): Promise<number>;
  /** Writes a session of an outage, unless it is there already. @returns false when it was revoked meanwhile. */
  adopt(session: NewSession): Promise<boolean>;
  read(id: string): Promise<KeptSession | null>;
  /** @returns false when it is gone, or was changed meanwhile: then nothing is written. */
  touch(kept: KeptSession, updated: SessionRecord): Promise<boolean>;
  /** @param userHash Whose index to clear; null where nobody knows: the index forgets the id when it is next read. */
  revoke(id: string, userHash: string | null): Promise<boolean>;
  /** The old id is over at once. @returns false when it was over already: of two rotations one wins. */
  rotate(old: OldSession, session: NewSession): Promise<boolean>;
  list(userHash: string): Promise<SessionRecord[]>;
  /** Ends every session of a user made up to now, but for one. @returns how many were there. */
  revokeAllOf(userHash: string, exceptId: string | null, now: number): Promise<number>;
  /** Ends every session made up to now. One write, however many there are. */
  revokeEveryone(now: number): Promise<void>;
}
