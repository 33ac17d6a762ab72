import { signInOf } from "../identity/session-id.ts";
import { idleTimes } from "../identity/session-idle.ts";
import { endingsOf, type Mark, NO_MARK, withEnding } from "../identity/session-marks.ts";
import type { UserNames } from "../identity/session-users.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { notUnderstood } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { countIn, textsIn, yesOrNoIn } from "../store/replies.ts";
import type { Store } from "../store/store.ts";
import { MARK_LIFETIME_MS, TOMBSTONE_MARGIN_MS } from "./lifetimes.ts";
import { type KeptSession, parseRecord, timeOf } from "./record.ts";
import {
  createScript,
  listScript,
  revokeEveryoneScript,
  revokeScript,
  revokeUserScript,
  rotateScript,
  touchScript,
} from "./scripts.ts";
import type { NewSession, OldSession, SessionStore } from "./session-store.ts";

export interface UpstashSessionStoreOptions {
  store: Store;
  keys: Keys;
  platform: Pick<Platform, "now">;
  idleSeconds: number;
  absoluteSeconds: number;
  maxPerUser: number;
  /** Told of the sessions that a write has ended beyond the maximum. */
  endedOldest?(ids: readonly string[]): void;
}

/** A text that no record is: what Redis has is taken for newer. */
const NOT_READ = "-";

/**
 * Sessions in Redis. Each method sends a batch of its own; each `queue…` method only puts the command on a batch that the
 * caller sends. Both reject with a StoreError when the call fails or a script's reply is malformed.
 */
export class UpstashSessionStore implements SessionStore {
  readonly #options: UpstashSessionStoreOptions;

  constructor(options: UpstashSessionStoreOptions) {
    this.#options = options;
  }

  create(session: NewSession): Promise<number> {
    return this.#inOwnBatch((batch) => this.queueCreate(batch, session));
  }

  queueCreate(batch: Batch, session: NewSession): Promise<number> {
    return this.#queueWrite(batch, session, "0");
  }

  async adopt(session: NewSession): Promise<boolean> {
    return this.#inOwnBatch((batch) => this.queueAdopt(batch, session));
  }

  async queueAdopt(batch: Batch, session: NewSession): Promise<boolean> {
    return (await this.#queueWrite(batch, session, "1")) !== 0;
  }

  async #queueWrite(
    batch: Batch,
    { record, text, user, createdAt, expiresAt }: NewSession,
    late: "0" | "1",
  ): Promise<number> {
    const { keys, maxPerUser } = this.#options;
    const id = record.session_id;
    const reply = await batch.run(
      createScript,
      [...this.#keysOf(user), keys.session(id), keys.sessionTombstone(id)],
      [
        user.length,
        this.#oldest,
        text,
        this.#ttl(expiresAt),
        id,
        createdAt,
        this.#longestMs,
        maxPerUser,
        keys.session(""),
        keys.sessionTombstone(""),
        late,
      ],
    );
    const [made, ...over]: unknown[] = Array.isArray(reply) ? reply : [reply];
    const moment = countIn(made);
    // The script never returns an earlier time than it gets. Any other number must not get into a token.
    if (moment < createdAt && !(late === "1" && moment === 0)) throw notUnderstood();
    if (over.length > 0) this.#options.endedOldest?.(textsIn(over));
    return moment;
  }

  async read(id: string): Promise<KeptSession | null> {
    const text = await this.#inOwnBatch((batch) => batch.read(this.#options.keys.session(id)));
    return keptSession(text);
  }

  /**
   * The record of a session, and whether Redis ends a record of it, by the time in the record: a mark of its user is not looked
   * at.
   */
  async look(id: string) {
    const { keys } = this.#options;
    const [text = null, tombstone, version] = await this.#inOwnBatch((batch) =>
      Promise.all(
        [keys.session(id), keys.sessionTombstone(id), keys.sessionVersion()].map((key) => batch.read(key)),
      ),
    );
    return {
      kept: keptSession(text),
      isEnded: (other: KeptSession | null | undefined) =>
        tombstone !== null || timeOf(other?.record.created_at ?? "") <= Number(version ?? 0),
    };
  }

  async touch(kept: KeptSession, updated: KeptSession, user: UserNames): Promise<boolean> {
    return (await this.#inOwnBatch((batch) => this.queueTouch(batch, kept, updated, user))) === 1;
  }

  queueTouch(batch: Batch, kept: KeptSession, updated: KeptSession, user: UserNames): Promise<number> {
    const ttl = this.#ttl(timeOf(updated.record.expires_at));
    const id = kept.record.session_id;
    // With one name the session is where it belongs.
    const indexes = user.length > 1 ? this.#indexesOf(user) : [];
    return batch
      .run(
        touchScript,
        [this.#options.keys.session(id), ...indexes],
        [kept.text, updated.text, ttl, id, this.#longestMs],
      )
      .then(yesOrNoIn);
  }

  async revoke(id: string, user: UserNames | null): Promise<boolean> {
    return (await this.#inOwnBatch((batch) => this.queueRevoke(batch, id, user))) === 1;
  }

  queueRevoke(batch: Batch, id: string, user: UserNames | null): Promise<number> {
    const { keys } = this.#options;
    const indexes = user === null ? [] : this.#indexesOf(user);
    return batch
      .run(revokeScript, [keys.session(id), keys.sessionTombstone(id), ...indexes], [id, this.#longestMs])
      .then(yesOrNoIn);
  }

  async rotate(old: OldSession, session: NewSession): Promise<boolean> {
    return (await this.#inOwnBatch((batch) => this.queueRotate(batch, old, session))) === 1;
  }

  /**
   * Writes a session that an isolate has without knowing whether Redis has it: one of an outage, or one whose rotation had no
   * reply. Where the old id has a record still, that goes on under the new one.
   */
  queueUnwritten(batch: Batch, session: NewSession): Promise<unknown> {
    const { rotatedFrom: id } = session;
    if (id === undefined) return this.queueAdopt(batch, session);
    return this.queueRotate(batch, { id, offline: true, text: NOT_READ }, session);
  }

  queueRotate(batch: Batch, old: OldSession, { record, text, user, createdAt, expiresAt }: NewSession) {
    const { keys, platform } = this.#options;
    const id = record.session_id;
    return batch
      .run(
        rotateScript,
        [...this.#keysOf(user), keys.session(id), keys.session(old.id), keys.sessionTombstone(old.id)],
        [
          user.length,
          text,
          this.#ttl(expiresAt),
          id,
          createdAt,
          this.#longestMs,
          old.id,
          old.offline ? "1" : "0",
          // The old token is valid until the absolute end, which the new one shares.
          Math.max(0, expiresAt - platform.now()) + TOMBSTONE_MARGIN_MS,
          old.text ?? "",
        ],
      )
      .then(yesOrNoIn);
  }

  async list(user: UserNames): Promise<KeptSession[]> {
    const texts = await this.#inOwnBatch((batch) =>
      batch.run(listScript, this.#keysOf(user), [user.length, this.#oldest, this.#options.keys.session("")]),
    );
    return this.#living(texts);
  }

  revokeAllOf(user: UserNames, exceptId: string | null, now: number): Promise<KeptSession[]> {
    const mark = withEnding(NO_MARK, now, exceptId === null ? null : signInOf(exceptId));
    return this.#inOwnBatch((batch) => this.queueRevokeAllOf(batch, user, mark, "now"));
  }

  /** @param written `late`: an isolate accepted the revocation in an outage and writes it after the outage. */
  queueRevokeAllOf(
    batch: Batch,
    user: UserNames,
    mark: Mark,
    written: "now" | "late",
  ): Promise<KeptSession[]> {
    const { keys } = this.#options;
    return batch
      .run(revokeUserScript, this.#keysOf(user), [
        user.length,
        this.#oldest,
        keys.session(""),
        keys.sessionTombstone(""),
        this.#longestMs,
        MARK_LIFETIME_MS,
        written === "late" ? "1" : "0",
        ...endingsOf(mark).flatMap(([at, except]) => [at, except ?? ""]),
      ])
      .then((texts) => this.#living(texts));
  }

  async revokeEveryone(now: number): Promise<void> {
    await this.#inOwnBatch((batch) => this.queueRevokeEveryone(batch, now));
  }

  queueRevokeEveryone(batch: Batch, at: number): Promise<number> {
    return batch
      .run(revokeEveryoneScript, [this.#options.keys.sessionVersion()], [at, MARK_LIFETIME_MS])
      .then(yesOrNoIn);
  }

  /** What the scripts that concern a user begin with. */
  #keysOf(user: UserNames): string[] {
    const { keys } = this.#options;
    return [keys.sessionVersion(), ...user.map((name) => keys.sessionMark(name)), ...this.#indexesOf(user)];
  }

  #indexesOf(user: UserNames): string[] {
    return user.map((name) => this.#options.keys.sessionIndex(name));
  }

  /** The records in a script's reply that were not silent for too long. @throws StoreError for a malformed reply. */
  #living(reply: unknown): KeptSession[] {
    const { platform, idleSeconds } = this.#options;
    const since = platform.now() - idleTimes(idleSeconds).lifetimeMs;
    return textsIn(reply)
      .flatMap((text) => parseRecord(text) ?? [])
      .filter(({ record }) => timeOf(record.last_active) >= since);
  }

  /** A session that was created up to this time, ms, is over. */
  get #oldest(): number {
    return this.#options.platform.now() - this.#options.absoluteSeconds * 1000;
  }

  get #longestMs(): number {
    return this.#options.absoluteSeconds * 1000 + TOMBSTONE_MARGIN_MS;
  }

  /** As long as it may be silent, and never past the absolute end; at least 1 ms, because 0 is an error to Redis. */
  #ttl(expiresAt: number): number {
    const { platform, idleSeconds } = this.#options;
    return Math.max(1, Math.ceil(Math.min(idleTimes(idleSeconds).lifetimeMs, expiresAt - platform.now())));
  }

  async #inOwnBatch<Reply>(queue: (batch: Batch) => Promise<Reply>): Promise<Reply> {
    const batch = this.#options.store.batch();
    const reply = queue(batch);
    await batch.send();
    return reply;
  }
}

/** The record in a stored text, or null when there is none or it is malformed. */
export function keptSession(text: string | null): KeptSession | null {
  return text === null ? null : parseRecord(text);
}
