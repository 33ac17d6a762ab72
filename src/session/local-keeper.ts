import type { Platform } from "../platform.ts";
import { BoundedMap } from "../store/index.ts";
import type { KeptSession, NewSession, SessionKeeper } from "./keeper.ts";
import { parseRecord, type SessionRecord, timeOf } from "./record.ts";

export interface LocalKeeperOptions {
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

/**
 * Sessions in the isolate's map: those of an outage, and all of them where there is no store. Tombstones have a map of
 * their own, which refuses rather than forgets: a forgotten one would bring its session back.
 */
export class LocalKeeper implements SessionKeeper {
  readonly #options: LocalKeeperOptions;
  readonly #sessions: BoundedMap<LocalSession>;
  readonly #tombstones: BoundedMap<true>;
  #everyoneUntil = Number.NEGATIVE_INFINITY;

  constructor(options: LocalKeeperOptions) {
    const { platform, entries = 10_000, bytes = 16 * 1024 * 1024 } = options;
    this.#options = options;
    this.#sessions = new BoundedMap({
      platform,
      entries,
      bytes,
      sizeOf: ({ text }, key) => text.length + key.length + 256,
      whenFull: "evict",
    });
    this.#tombstones = new BoundedMap({ platform, entries: entries * 10, whenFull: "refuse" });
  }

  get sizes(): { sessions: number; bytes: number; tombstones: number } {
    return { sessions: this.#sessions.size, bytes: this.#sessions.bytes, tombstones: this.#tombstones.size };
  }

  /** Whether this isolate knows it revoked. */
  buried(id: string, createdAt: number): boolean {
    return this.#tombstones.get(id) === true || createdAt <= this.#everyoneUntil;
  }

  /** Remembers a revocation, whoever keeps the record. */
  bury(id: string): void {
    this.#sessions.delete(id);
    this.#tombstones.set(id, true, this.#options.platform.now() + this.#options.absoluteSeconds * 1000);
  }

  async create(session: NewSession): Promise<boolean> {
    const id = session.record.session_id;
    if (this.buried(id, session.createdAt)) return false;
    if (this.#sessions.get(id)) return true;
    this.#put(session);
    const own = this.#of(session.userHash).sort(([, a], [, b]) => a.expiresAt - b.expiresAt);
    for (const [oldest] of own.slice(0, Math.max(0, own.length - this.#options.maxPerUser)))
      this.#sessions.delete(oldest);
    return true;
  }

  async read(id: string): Promise<KeptSession | null> {
    const session = this.#sessions.get(id);
    if (!session || this.buried(id, session.createdAt)) return null;
    const record = parseRecord(session.text);
    return record ? { record, text: session.text } : null;
  }

  async touch(kept: KeptSession, updated: SessionRecord): Promise<boolean> {
    const session = this.#sessions.get(kept.record.session_id);
    if (session?.text !== kept.text) return false;
    this.#put({ ...session, record: updated });
    return true;
  }

  async revoke(id: string): Promise<boolean> {
    const existed = this.#sessions.get(id) !== undefined;
    this.bury(id);
    return existed;
  }

  async rotate(oldId: string, session: NewSession): Promise<boolean> {
    const old = this.#sessions.get(oldId);
    if (!old || this.buried(oldId, old.createdAt)) return false;
    this.bury(oldId);
    this.#put(session);
    return true;
  }

  async list(userHash: string): Promise<SessionRecord[]> {
    return this.#of(userHash).flatMap(([, { text }]) => parseRecord(text) ?? []);
  }

  async revokeAllOf(userHash: string, exceptId: string | null): Promise<number> {
    const ids = this.#of(userHash)
      .map(([id]) => id)
      .filter((id) => id !== exceptId);
    for (const id of ids) this.bury(id);
    return ids.length;
  }

  async revokeEveryone(now: number): Promise<void> {
    this.#everyoneUntil = Math.max(this.#everyoneUntil, now);
    this.#sessions.clear();
  }

  #of(userHash: string): [string, LocalSession][] {
    return [...this.#sessions].filter(
      ([id, each]) => each.userHash === userHash && !this.buried(id, each.createdAt),
    );
  }

  #put({ record, userHash, createdAt, expiresAt }: NewSession): void {
    const { platform, idleSeconds } = this.#options;
    const idleUntil = Math.min(
      expiresAt,
      timeOf(record.last_active) + idleSeconds * 1000,
      platform.now() + idleSeconds * 1000,
    );
    this.#sessions.set(
      record.session_id,
      { text: JSON.stringify(record), userHash, createdAt, expiresAt },
      idleUntil,
    );
  }
}
