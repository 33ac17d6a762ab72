import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import { idleTimes } from "./idle.ts";
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
}

/** A tombstone outlives every token of its session. */
const TOMBSTONE_MARGIN_MS = 60_000;

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
    { record, text, userHash, createdAt, expiresAt }: NewSession,
    late: "0" | "1",
  ): Promise<number> {
    const { keys, maxPerUser, platform } = this.#options;
    const id = record.session_id;
    const made = await batch.run(
      createScript,
      [
        keys.session(id),
        keys.sessionIndex(userHash),
        keys.sessionTombstone(id),
        keys.sessionVersion(),
        keys.sessionMark(userHash),
      ],
      [
        text,
        this.#ttl(expiresAt),
        id,
        createdAt,
        this.#longestMs,
        maxPerUser,
        platform.now(),
        keys.session(""),
        keys.sessionTombstone(""),
        late,
      ],
    );
    const moment = counted(made);
    // The script never returns an earlier time than it gets. Any other number must not get into a token.
    if (moment < createdAt && !(late === "1" && moment === 0)) throw malformed();
    return moment;
  }

  async read(id: string): Promise<KeptSession | null> {
    const text = await this.#inOwnBatch((batch) => batch.read(this.#options.keys.session(id)));
    return keptSession(text);
  }

  async touch(kept: KeptSession, updated: KeptSession): Promise<boolean> {
    return (await this.#inOwnBatch((batch) => this.queueTouch(batch, kept, updated))) === 1;
  }

  queueTouch(batch: Batch, kept: KeptSession, updated: KeptSession): Promise<number> {
    const ttl = this.#ttl(timeOf(updated.record.expires_at));
    const key = this.#options.keys.session(kept.record.session_id);
    return batch.run(touchScript, [key], [kept.text, updated.text, ttl]).then(yesOrNo);
  }

  async revoke(id: string, userHash: string | null): Promise<boolean> {
    return (await this.#inOwnBatch((batch) => this.queueRevoke(batch, id, userHash))) === 1;
  }

  queueRevoke(batch: Batch, id: string, userHash: string | null): Promise<number> {
    const { keys } = this.#options;
    const index = userHash === null ? [] : [keys.sessionIndex(userHash)];
    return batch
      .run(revokeScript, [keys.session(id), keys.sessionTombstone(id), ...index], [id, this.#longestMs])
      .then(yesOrNo);
  }

  async rotate(old: OldSession, session: NewSession): Promise<boolean> {
    return (await this.#inOwnBatch((batch) => this.queueRotate(batch, old, session))) === 1;
  }

  queueRotate(batch: Batch, old: OldSession, { record, text, userHash, createdAt, expiresAt }: NewSession) {
    const { keys, platform } = this.#options;
    const id = record.session_id;
    return batch
      .run(
        rotateScript,
        [
          keys.session(id),
          keys.sessionIndex(userHash),
          keys.session(old.id),
          keys.sessionVersion(),
          keys.sessionMark(userHash),
          keys.sessionTombstone(old.id),
        ],
        [
          text,
          this.#ttl(expiresAt),
          id,
          createdAt,
          this.#longestMs,
          old.id,
          old.offline ? "1" : "0",
          // The old token is valid until the absolute end, which the new one shares.
          Math.max(0, expiresAt - platform.now()) + TOMBSTONE_MARGIN_MS,
        ],
      )
      .then(yesOrNo);
  }

  async list(userHash: string): Promise<KeptSession[]> {
    const { keys, platform } = this.#options;
    const texts = await this.#inOwnBatch((batch) =>
      batch.run(
        listScript,
        [keys.sessionIndex(userHash)],
        [platform.now() - this.#longestMs, keys.session("")],
      ),
    );
    if (!Array.isArray(texts)) throw malformed();
    return (texts as unknown[]).flatMap((text) =>
      typeof text === "string" ? (parseRecord(text) ?? []) : [],
    );
  }

  revokeAllOf(userHash: string, exceptId: string | null, now: number): Promise<number> {
    return this.#inOwnBatch((batch) => this.queueRevokeAllOf(batch, userHash, exceptId, now));
  }

  /** @param written `late`: an isolate accepted the revocation in an outage and writes it after the outage. */
  queueRevokeAllOf(
    batch: Batch,
    userHash: string,
    exceptId: string | null,
    at: number,
    written: "now" | "late" = "now",
  ): Promise<number> {
    const { keys } = this.#options;
    const late = written === "late" ? "1" : "0";
    return batch
      .run(
        revokeUserScript,
        [keys.sessionIndex(userHash), keys.sessionMark(userHash)],
        [keys.session(""), keys.sessionTombstone(""), this.#longestMs, exceptId ?? "", at, late],
      )
      .then(counted);
  }

  async revokeEveryone(now: number): Promise<void> {
    await this.#inOwnBatch((batch) => this.queueRevokeEveryone(batch, now));
  }

  queueRevokeEveryone(batch: Batch, at: number): Promise<number> {
    return batch
      .run(revokeEveryoneScript, [this.#options.keys.sessionVersion()], [at, this.#longestMs])
      .then(yesOrNo);
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

/** A script's reply as a count. @throws StoreError `malformed` for anything else. */
function counted(reply: unknown): number {
  if (typeof reply !== "number" || !Number.isInteger(reply) || reply < 0) throw malformed();
  return reply;
}

/** A script's reply as 0 or 1. @throws StoreError `malformed` for anything else. */
function yesOrNo(reply: unknown): number {
  if (reply !== 0 && reply !== 1) throw malformed();
  return reply;
}

function malformed(): StoreError {
  return new StoreError("malformed", "The reply is none that the script gives");
}

/** The record in a stored text, or null when there is none or it is malformed. */
export function keptSession(text: string | null): KeptSession | null {
  return text === null ? null : parseRecord(text);
}

/** Whether a user's mark (`"<ms> <except id>"`) ends a session that was created at `createdAt`, ms since the epoch. */
export function endedByMark(mark: string | null, id: string, createdAt: number): boolean {
  const [at = "", except = ""] = (mark ?? "").split(" ");
  return except !== id && Number(at) >= createdAt && at !== "";
}
