import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { idleTimes } from "./idle.ts";
import { parseRecord, type SessionRecord, timeOf } from "./record.ts";
import type { KeptSession, NewSession, OldSession, SessionStore } from "./session-store.ts";

export interface MemorySessionStoreOptions {
  platform: Pick<Platform, "now">;
  idleSeconds: number;
  absoluteSeconds: number;
  maxPerUser: number;
  /** Most sessions. Default 10000. */
  entries?: number;
  /** Most bytes of their records. Default 16 MiB. */
  bytes?: number;
}

interface LocalSession {
  text: string;
  userHash: string;
  createdAt: number;
  expiresAt: number;
}

/** A session as its token tells of it: enough to know whether it was ended here. */
export interface SessionName {
  id: string;
  userHash: string;
  createdAt: number;
}

/** What is known of a session that is to be hasTombstone, for where there is no room for one more tombstone. */
export interface Tombstone {
  /** How long it must be known here, ms, where Redis knows too: by default as long as any token of it may live. */
  forMs?: number;
  userHash?: string | null;
  /** Default now. */
  createdAt?: number;
  /** The session that came in its place, which may count as made at the same time. */
  except?: string;
}

/**
 * Sessions in the isolate's map: those of an outage, and all of them where there is no store. Tombstones and marks have
 * maps of their own, which refuse rather than forget: a forgotten one would bring its session back.
 */
export class MemorySessionStore implements SessionStore {
  readonly #options: MemorySessionStoreOptions;
  readonly #sessions: BoundedMap<LocalSession>;
  /** Ids by user, of the sessions that are in the map. */
  readonly #ids = new Map<string, Set<string>>();
  /** By id: whether Redis knows too. */
  readonly #tombstones: BoundedMap<{ told: boolean }>;
  /** Per user: everything made up to then is over, but for one id. */
  readonly #marks: BoundedMap<{ until: number; except: string | null }>;
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
      dropped: ({ userHash }, id) => {
        const ids = this.#ids.get(userHash);
        ids?.delete(id);
        if (ids?.size === 0) this.#ids.delete(userHash);
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

  /** Whether this isolate knows that the session was ended. */
  ended({ id, userHash, createdAt }: SessionName): boolean {
    return this.hasTombstone(id) || createdAt <= this.#markedAt(userHash, id);
  }

  /** Whether this very id was revoked here. */
  hasTombstone(id: string): boolean {
    return this.#tombstones.get(id) !== undefined;
  }

  /** Whether it was revoked here, and Redis has not said that it knows. */
  untold(id: string): boolean {
    return this.#tombstones.get(id)?.told === false;
  }

  /**
   * Remembers a revocation, whoever keeps the record. Where there is no room for it, and it is known whose session it is,
   * everything that its user had up to then is over here: rather more than was asked for than a session that comes back.
   *
   * @returns whether it is remembered.
   */
  addTombstone(id: string, { forMs, userHash, createdAt, except }: Tombstone = {}): boolean {
    const now = this.#options.platform.now();
    const until = now + (forMs ?? this.#longestMs);
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    if (this.#tombstones.set(id, { told: forMs !== undefined }, until)) return true;
    const owner = session?.userHash ?? userHash ?? null;
    if (owner === null) return false;
    return this.#mark(owner, session?.createdAt ?? createdAt ?? now, { id, except });
  }

  async create(session: NewSession): Promise<number> {
    const id = session.record.session_id;
    const createdAt = Math.max(session.createdAt, this.#markedAt(session.userHash, id) + 1);
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
    const record = parseRecord(session.text);
    return record ? { record, text: session.text } : null;
  }

  async touch(kept: KeptSession, updated: SessionRecord): Promise<boolean> {
    const id = kept.record.session_id;
    const session = this.#sessions.get(id);
    if (session?.text !== kept.text || this.ended({ ...session, id })) return false;
    this.#put({ ...session, record: updated });
    return true;
  }

  async revoke(id: string, userHash: string | null): Promise<boolean> {
    const existed = this.#sessions.get(id) !== undefined;
    this.addTombstone(id, { userHash });
    return existed;
  }

  async rotate(old: OldSession, session: NewSession): Promise<boolean> {
    if (this.ended({ ...session, id: old.id })) return false;
    if (this.#sessions.get(old.id) === undefined && !old.offline) return false;
    this.replace(old.id, session);
    this.#put(session);
    return true;
  }

  /** What rotated has a new id: the old one is over. Where the user's mark excepts the old id, it excepts the new one. */
  replace(oldId: string, { record, userHash, createdAt }: NewSession, forMs?: number): boolean {
    const id = record.session_id;
    const mark = this.#marks.get(userHash);
    if (mark?.except === oldId) mark.except = id;
    return this.addTombstone(oldId, {
      userHash,
      createdAt,
      except: id,
      ...(forMs !== undefined && { forMs }),
    });
  }

  async list(userHash: string): Promise<SessionRecord[]> {
    return this.#of(userHash).flatMap(([, { text }]) => parseRecord(text) ?? []);
  }

  async revokeAllOf(userHash: string, exceptId: string | null, now: number): Promise<number> {
    const ids = this.#of(userHash)
      .map(([id]) => id)
      .filter((id) => id !== exceptId);
    const until = Math.max(now, this.#marks.get(userHash)?.until ?? now);
    this.#marks.set(userHash, { until, except: exceptId }, now + this.#longestMs);
    for (const id of ids) {
      this.#sessions.delete(id);
      // One more reason, where there is room: the mark has ended it.
      this.#tombstones.set(id, { told: false }, now + this.#longestMs);
    }
    return ids.length;
  }

  async revokeEveryone(now: number): Promise<void> {
    this.#everyoneUntil = Math.max(this.#everyoneUntil, now);
    this.#sessions.clear();
  }

  get #longestMs(): number {
    return this.#options.absoluteSeconds * 1000;
  }

  /** Adds the end of one session to what is over of its user's. */
  #mark(userHash: string, at: number, { id, except }: { id: string; except: string | undefined }): boolean {
    const known = this.#marks.get(userHash);
    const stillExcepted = known?.except === id ? null : (known?.except ?? null);
    const mark = { until: Math.max(at, known?.until ?? at), except: except ?? stillExcepted };
    return this.#marks.set(userHash, mark, this.#options.platform.now() + this.#longestMs);
  }

  #markedAt(userHash: string, id: string): number {
    const mark = this.#marks.get(userHash);
    return mark && mark.except !== id ? Math.max(this.#everyoneUntil, mark.until) : this.#everyoneUntil;
  }

  #insert(session: NewSession): void {
    this.#put(session);
    const others = this.#of(session.userHash)
      .filter(([id]) => id !== session.record.session_id)
      .sort(([, a], [, b]) => a.createdAt - b.createdAt);
    for (const [oldest] of others.slice(0, Math.max(0, others.length + 1 - this.#options.maxPerUser)))
      this.addTombstone(oldest);
  }

  #of(userHash: string): [string, LocalSession][] {
    return [...(this.#ids.get(userHash) ?? [])].flatMap((id): [string, LocalSession][] => {
      const session = this.#sessions.get(id);
      return session && !this.ended({ ...session, id }) ? [[id, session]] : [];
    });
  }

  #put({ record, userHash, createdAt, expiresAt }: NewSession): void {
    const id = record.session_id;
    const idleUntil = timeOf(record.last_active) + idleTimes(this.#options.idleSeconds).lifetimeMs;
    const session = { text: JSON.stringify(record), userHash, createdAt, expiresAt };
    if (!this.#sessions.set(id, session, Math.min(expiresAt, idleUntil))) return;
    this.#ids.set(userHash, (this.#ids.get(userHash) ?? new Set()).add(id));
  }
}
