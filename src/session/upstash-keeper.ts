import type { Platform } from "../platform.ts";
import type { Keys, Store, Trip } from "../store/index.ts";
import type { KeptSession, NewSession, SessionKeeper } from "./keeper.ts";
import { parseRecord, type SessionRecord, timeOf } from "./record.ts";
import {
  createScript,
  listScript,
  revokeScript,
  revokeUserScript,
  rotateScript,
  touchScript,
} from "./scripts.ts";

export interface UpstashKeeperOptions {
  store: Store;
  keys: Keys;
  platform: Pick<Platform, "now">;
  idleSeconds: number;
  absoluteSeconds: number;
  maxPerUser: number;
}

/** A tombstone outlives every token of the session it buries. */
const TOMBSTONE_MARGIN_MS = 60_000;

/** Sessions in Redis. The `queue…` methods put their command on a trip that somebody else sends. */
export class UpstashKeeper implements SessionKeeper {
  readonly #options: UpstashKeeperOptions;
  /** The consistency token of the newest trip that wrote. */
  syncToken: string | null = null;

  constructor(options: UpstashKeeperOptions) {
    this.#options = options;
  }

  async create(session: NewSession): Promise<boolean> {
    return (await this.#alone((trip) => this.queueCreate(trip, session))) === 1;
  }

  queueCreate(trip: Trip, { record, userHash, createdAt, expiresAt }: NewSession): Promise<number> {
    const { keys, maxPerUser, platform } = this.#options;
    const id = record.session_id;
    return trip.run<number>(
      createScript,
      [keys.session(id), keys.sessionIndex(userHash), keys.sessionTombstone(id), keys.sessionVersion()],
      [
        JSON.stringify(record),
        this.#ttl(expiresAt),
        id,
        expiresAt,
        maxPerUser,
        platform.now(),
        keys.session(""),
        createdAt,
      ],
    );
  }

  async read(id: string): Promise<KeptSession | null> {
    const text = await this.#alone((trip) => trip.read(this.#options.keys.session(id)));
    return keptSession(text);
  }

  async touch(kept: KeptSession, updated: SessionRecord): Promise<boolean> {
    return (await this.#alone((trip) => this.queueTouch(trip, kept, updated))) === 1;
  }

  queueTouch(trip: Trip, kept: KeptSession, updated: SessionRecord): Promise<number> {
    const ttl = this.#ttl(timeOf(updated.expires_at));
    const key = this.#options.keys.session(kept.record.session_id);
    return trip.run<number>(touchScript, [key], [kept.text, JSON.stringify(updated), ttl]);
  }

  async revoke(id: string, userHash: string): Promise<boolean> {
    return (await this.#alone((trip) => this.queueRevoke(trip, id, userHash))) === 1;
  }

  queueRevoke(trip: Trip, id: string, userHash: string): Promise<number> {
    const { keys } = this.#options;
    return trip.run<number>(
      revokeScript,
      [keys.session(id), keys.sessionIndex(userHash), keys.sessionTombstone(id)],
      [id, this.#tombstoneMs],
    );
  }

  async rotate(oldId: string, { record, userHash, createdAt, expiresAt }: NewSession): Promise<boolean> {
    const { keys } = this.#options;
    const id = record.session_id;
    const rotated = await this.#alone((trip) =>
      trip.run<number>(
        rotateScript,
        [
          keys.session(oldId),
          keys.session(id),
          keys.sessionIndex(userHash),
          keys.sessionTombstone(oldId),
          keys.sessionVersion(),
        ],
        [oldId, id, JSON.stringify(record), this.#ttl(expiresAt), expiresAt, this.#tombstoneMs, createdAt],
      ),
    );
    return rotated === 1;
  }

  async list(userHash: string): Promise<SessionRecord[]> {
    const { keys, platform } = this.#options;
    const texts = await this.#alone((trip) =>
      trip.run<unknown[]>(listScript, [keys.sessionIndex(userHash)], [platform.now(), keys.session("")]),
    );
    return texts.flatMap((text) => (typeof text === "string" ? (parseRecord(text) ?? []) : []));
  }

  revokeAllOf(userHash: string, exceptId: string | null): Promise<number> {
    return this.#alone((trip) => this.queueRevokeAllOf(trip, userHash, exceptId));
  }

  queueRevokeAllOf(trip: Trip, userHash: string, exceptId: string | null): Promise<number> {
    const { keys } = this.#options;
    return trip.run<number>(
      revokeUserScript,
      [keys.sessionIndex(userHash)],
      [keys.session(""), keys.sessionTombstone(""), this.#tombstoneMs, exceptId ?? ""],
    );
  }

  async revokeEveryone(now: number): Promise<void> {
    await this.#alone((trip) => this.queueRevokeEveryone(trip, now));
  }

  queueRevokeEveryone(trip: Trip, now: number): Promise<unknown> {
    const { keys, absoluteSeconds } = this.#options;
    const px = absoluteSeconds * 1000 + TOMBSTONE_MARGIN_MS;
    return trip.queue((pipeline) => pipeline.set(keys.sessionVersion(), String(now), { px }));
  }

  get #tombstoneMs(): number {
    return this.#options.absoluteSeconds * 1000 + TOMBSTONE_MARGIN_MS;
  }

  /** The idle limit, and never past the absolute end; at least 1 ms, because 0 is an error to Redis. */
  #ttl(expiresAt: number): number {
    const { platform, idleSeconds } = this.#options;
    return Math.max(1, Math.ceil(Math.min(idleSeconds * 1000, expiresAt - platform.now())));
  }

  async #alone<Reply>(queue: (trip: Trip) => Promise<Reply>): Promise<Reply> {
    const trip = this.#options.store.trip();
    const reply = queue(trip);
    await trip.send();
    const value = await reply;
    this.syncToken = trip.syncToken ?? null;
    return value;
  }
}

export function keptSession(text: string | null): KeptSession | null {
  const record = text === null ? null : parseRecord(text);
  return record && text !== null ? { record, text } : null;
}
