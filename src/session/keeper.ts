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
  /** Milliseconds since the epoch. */
  createdAt: number;
  expiresAt: number;
}

/**
 * Where sessions are kept: Redis, or the isolate's map. The same contract suite runs on both. Every method is one trip in
 * Redis, and rejects with a StoreError where that fails.
 */
export interface SessionKeeper {
  /** Ends the user's oldest beyond the cap. @returns false when it was revoked before it could be written. */
  create(session: NewSession): Promise<boolean>;
  read(id: string): Promise<KeptSession | null>;
  /** @returns false when it is gone, or was changed meanwhile: then nothing is written. */
  touch(kept: KeptSession, updated: SessionRecord): Promise<boolean>;
  /** @returns whether there was one. */
  revoke(id: string, userHash: string): Promise<boolean>;
  /** The old id is dead at once. @returns false when it was dead already. */
  rotate(oldId: string, session: NewSession): Promise<boolean>;
  list(userHash: string): Promise<SessionRecord[]>;
  /** @returns how many ended. */
  revokeAllOf(userHash: string, exceptId: string | null): Promise<number>;
  /** Ends every session created up to now. One write, however many there are. */
  revokeEveryone(now: number): Promise<void>;
}
