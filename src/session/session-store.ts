import type { UserNames } from "../identity/session-users.ts";
import type { KeptSession } from "./record.ts";

/** A session to be written. */
export interface NewSession extends KeptSession {
  /** The names of its user. The index under the newest lists it. */
  user: UserNames;
  /** Milliseconds since the epoch, by the clock of the isolate that created it. */
  createdAt: number;
  /** The absolute end, milliseconds since the epoch. */
  expiresAt: number;
  /** The id that a rotation gave up, where it is not known whether Redis has it: the record may still be there. */
  rotatedFrom?: string;
}

/** What a rotation replaces: the old id, and whether it was made in an outage and may never have been written. */
export interface OldSession {
  id: string;
  /** It was created in an outage, so Redis may not have it. */
  offline: boolean;
  /** The text that the new record was made from. What others have written over it since is kept. Default: none is. */
  text?: string;
}

/**
 * Where sessions are stored: Redis, D1, or the isolate's map. The same contract suite runs on each. In Redis and in D1 every
 * method sends one batch, and rejects with a StoreError when that fails.
 *
 * The clocks of two isolates differ. A user who signs in after a revocation of all sessions was stored must get a session
 * that lives. So `create` dates a session after any such revocation, and only `adopt`, which writes a session of an outage
 * later, compares the time that the session claims.
 */
export interface SessionStore {
  /**
   * Writes a new session, and ends the user's oldest sessions beyond the maximum.
   *
   * @returns the creation time that counts, ms since the epoch: `createdAt`, or later if a revocation covers that time.
   */
  create(session: NewSession): Promise<number>;
  /** Writes a session of an outage, unless it exists already. @returns false when it was revoked meanwhile. */
  adopt(session: NewSession): Promise<boolean>;
  /** @returns null when there is no such session. */
  read(id: string): Promise<KeptSession | null>;
  /** Replaces the record. @returns false, and writes nothing, when the record is gone or was changed meanwhile. */
  touch(kept: KeptSession, updated: KeptSession, user: UserNames): Promise<boolean>;
  /**
   * Ends a session.
   *
   * @param user The user whose index lists it; null when unknown: the index drops the id at its next `list`.
   * @returns whether it existed.
   */
  revoke(id: string, user: UserNames | null): Promise<boolean>;
  /** The old id is over at once. @returns false when it was over already: of two rotations one wins. */
  rotate(old: OldSession, session: NewSession): Promise<boolean>;
  /** The live sessions of a user. */
  list(user: UserNames): Promise<KeptSession[]>;
  /**
   * Ends every session of a user created up to `now`, ms since the epoch, except one, under whichever id a rotation has given
   * or gives it.
   *
   * @returns the records of the living sessions that it ended.
   */
  revokeAllOf(user: UserNames, exceptId: string | null, now: number): Promise<KeptSession[]>;
  /** Ends every session created up to `now`, ms since the epoch, with one write. */
  revokeEveryone(now: number): Promise<void>;
}
