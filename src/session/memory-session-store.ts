import { signInOf } from "../identity/session-id.ts";
import { idleTimes } from "../identity/session-idle.ts";
import { type Mark, markedAt, NO_MARK, withEnding } from "../identity/session-marks.ts";
import type { UserNames } from "../identity/session-users.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { type KeptSession, parseRecord, timeOf } from "./record.ts";
import type { NewSession, OldSession, SessionStore } from "./session-store.ts";

export interface MemorySessionStoreOptions {
  platform: Pick<Platform, "now">;
  /** A session without activity for this many seconds is over. */
  idleSeconds: number;
  /** A session is over this many seconds after its creation. */
  absoluteSeconds: number;
  /** Maximum number of live sessions per user. */
  maxPerUser: number;
  /** Maximum number of sessions. Default 10000. */
  entries?: number;
  /** Maximum bytes of their records. Default 16 MiB. */
  bytes?: number;
}

interface LocalSession {
  text: string;
  user: UserNames;
  createdAt: number;
  expiresAt: number;
}

/** What a token states about its session: enough to decide whether this isolate has ended it. */
export interface SessionName {
  id: string;
  user: UserNames;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

/** Options of a tombstone. All but `forMs` serve the case that the map of tombstones is full. */
export interface Tombstone {
  /**
   * Lifetime in this isolate, ms, where Redis has the end too. Default: the longest lifetime of a token, for an end that is
   * not written to Redis.
   */
  forMs?: number;
  user?: UserNames | null;
  /** When the session was created, ms since the epoch. Default now. */
  createdAt?: number;
  /** The id of the session that replaces it, which may have the same creation time. */
  except?: string;
}

/**
 * Sessions in the isolate's map: those of an outage, and all sessions where no store is configured. Tombstones and marks
 * have maps of their own. These refuse new entries when full, because an evicted one would revive its session.
 */
export class MemorySessionStore implements SessionStore {
  readonly #options: MemorySessionStoreOptions;
  readonly #sessions: BoundedMap<LocalSession>;
  /** Ids of the sessions in the map, by the user's newest name. */
  readonly #ids = new Map<string, Set<string>>();
  /** By id: whether the end is written to Redis. */
  readonly #tombstones: BoundedMap<{ written: boolean }>;
  /** By the user's newest name. */
  readonly #marks: BoundedMap<Mark>;
  #everyoneUntil = Number.NEGATIVE_INFINITY;

  constructor(options: MemorySessionStoreOptions) {
    const { platform, entries = 10_000, bytes = 16 * 1024 * 1024 } = options;
    this.#options = options;
    this.#sessions = new BoundedMap({
      platform,
      entries,
      bytes,
      sizeOf: ({ text }, key) => text.length + key.length + 256,
      whenFull: "evict",
      dropped: ({ user: [name] }, id) => {
        const ids = this.#ids.get(name);
        ids?.delete(id);
        if (ids?.size === 0) this.#ids.delete(name);
      },
    });
    this.#tombstones = new BoundedMap({ platform, entries: entries * 10, whenFull: "refuse" });
    this.#marks = new BoundedMap({ platform, entries: entries * 10, whenFull: "refuse" });
  }

  get sizes(): { sessions: number; bytes: number; tombstones: number; marks: number } {
    return {
      sessions: this.#sessions.size,
      bytes: this.#sessions.bytes,
      tombstones: this.#tombstones.size,
      marks: this.#marks.size,
    };
  }

  /** Whether a tombstone or a mark of this isolate ends the session. */
  ended({ id, user, createdAt }: SessionName): boolean {
    return this.hasTombstone(id) || createdAt <= this.#endedAt(user, id);
  }

  /** Whether this isolate has a tombstone of this id. */
  hasTombstone(id: string): boolean {
    return this.#tombstones.get(id) !== undefined;
  }

  /** Whether this isolate has a tombstone of this id, and Redis has not confirmed the end. */
  notWritten(id: string): boolean {
    return this.#tombstones.get(id)?.written === false;
  }

  /**
   * Remembers that a session is over. If the map of tombstones is full and the user is known, a mark ends every session that
   * the user created up to then: ending too many sessions is safer than reviving a revoked one.
   *
   * @returns false where there was room for neither.
   */
  addTombstone(id: string, { forMs, user, createdAt, except }: Tombstone = {}): boolean {
    const now = this.#options.platform.now();
    const until = now + (forMs ?? this.#longestMs);
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    if (this.#tombstones.set(id, { written: forMs !== undefined }, until)) return true;
    const owner = session?.user ?? user ?? null;
    if (owner === null) return false;
    return this.#mark(owner, session?.createdAt ?? createdAt ?? now, except ?? null);
  }

  async create(session: NewSession): Promise<number> {
    const id = session.record.session_id;
    const createdAt = Math.max(session.createdAt, this.#endedAt(session.user, id) + 1);
    this.#insert({ ...session, createdAt });
    return createdAt;
  }

  async adopt(session: NewSession): Promise<boolean> {
    const id = session.record.session_id;
    if (this.ended({ ...session, id })) return false;
    if (this.#sessions.get(id) === undefined) this.#insert(session);
    return true;
  }

  async read(id: string): Promise<KeptSession | null> {
    const session = this.#sessions.get(id);
    if (!session || this.ended({ ...session, id })) return null;
    return parseRecord(session.text);
  }

  async touch(kept: KeptSession, updated: KeptSession): Promise<boolean> {
    const id = kept.record.session_id;
    const session = this.#sessions.get(id);
    if (session?.text !== kept.text || this.ended({ ...session, id })) return false;
    this.#put({ ...session, ...updated });
    return true;
  }

  async revoke(id: string, user: UserNames | null): Promise<boolean> {
    const existed = this.#sessions.get(id) !== undefined;
    this.addTombstone(id, { user });
    return existed;
  }

  async rotate(old: OldSession, session: NewSession): Promise<boolean> {
    if (this.ended({ ...session, id: old.id })) return false;
    if (this.#sessions.get(old.id) === undefined && !old.offline) return false;
    this.replace(old.id, session);
    this.#put(session);
    return true;
  }

  /** What rotated has a new id: the old one is over. */
  replace(oldId: string, { record, user, createdAt }: NewSession, forMs?: number): boolean {
    const except = record.session_id;
    return this.addTombstone(oldId, { user, createdAt, except, ...(forMs !== undefined && { forMs }) });
  }

  async list(user: UserNames): Promise<KeptSession[]> {
    return this.#of(user).flatMap(([, { text }]) => parseRecord(text) ?? []);
  }

  async revokeAllOf(user: UserNames, exceptId: string | null, now: number): Promise<KeptSession[]> {
    const before = this.#of(user);
    this.#mark(user, now, exceptId === null ? null : signInOf(exceptId));
    const ended = before.filter(([id, { createdAt }]) => createdAt <= this.#endedAt(user, id));
    for (const [id] of ended) {
      this.#sessions.delete(id);
      // The mark has ended the session already. The tombstone is added as well where there is room.
      this.#tombstones.set(id, { written: false }, this.#options.platform.now() + this.#longestMs);
    }
    return ended.flatMap(([, { text }]) => parseRecord(text) ?? []);
  }

  async revokeEveryone(now: number): Promise<void> {
    this.#everyoneUntil = Math.max(this.#everyoneUntil, now);
    this.#sessions.clear();
  }

  get #longestMs(): number {
    return this.#options.absoluteSeconds * 1000;
  }

  /** Adds an ending to the user's mark. @returns false when the map of marks is full. */
  #mark([name]: UserNames, at: number, except: string | null): boolean {
    const mark = withEnding(this.#marks.get(name) ?? NO_MARK, at, except);
    return this.#marks.set(name, mark, this.#options.platform.now() + this.#longestMs);
  }

  /** Sessions of the user with this id that were created up to this time are over. */
  #endedAt([name]: UserNames, id: string): number {
    const mark = this.#marks.get(name);
    return Math.max(this.#everyoneUntil, mark ? markedAt(mark, id) : this.#everyoneUntil);
  }

  #insert(session: NewSession): void {
    this.#put(session);
    const others = this.#of(session.user)
      .filter(([id]) => id !== session.record.session_id)
      // Of two of the same millisecond all stores end the same one.
      .sort(([one, a], [other, b]) => a.createdAt - b.createdAt || (one < other ? -1 : 1));
    for (const [oldest] of others.slice(0, Math.max(0, others.length + 1 - this.#options.maxPerUser)))
      this.addTombstone(oldest);
  }

  #of([name]: UserNames): [string, LocalSession][] {
    return [...(this.#ids.get(name) ?? [])].flatMap((id): [string, LocalSession][] => {
      const session = this.#sessions.get(id);
      return session && !this.ended({ ...session, id }) ? [[id, session]] : [];
    });
  }

  #put({ record, text, user, createdAt, expiresAt }: NewSession): void {
    const id = record.session_id;
    const idleUntil = timeOf(record.last_active) + idleTimes(this.#options.idleSeconds).lifetimeMs;
    const session = { text, user, createdAt, expiresAt };
    if (!this.#sessions.set(id, session, Math.min(expiresAt, idleUntil))) return;
    this.#ids.set(user[0], (this.#ids.get(user[0]) ?? new Set()).add(id));
  }
}
