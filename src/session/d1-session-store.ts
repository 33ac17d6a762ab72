import { signInOf } from "../identity/session-id.ts";
import { idleTimes } from "../identity/session-idle.ts";
import { type Mark, NO_MARK, withEnding } from "../identity/session-marks.ts";
import type { UserNames } from "../identity/session-users.ts";
import type { Platform } from "../runtime/platform.ts";
import { StoreError } from "../store/errors.ts";
import type { Database, Row } from "./d1-database.ts";
import type { Sql } from "./d1-sql.ts";
import {
  adoptStatements,
  createStatements,
  journalHead,
  journalStatement,
  listStatement,
  lookStatement,
  readStatement,
  revokeAllOfStatements,
  revokeEveryoneStatement,
  revokeStatements,
  rotateStatements,
  sweepStatements,
  type Times,
  touchStatement,
  unconfirmedStatements,
} from "./d1-statements.ts";
import { type KeptSession, parseRecord, timeOf } from "./record.ts";
import type { NewSession, OldSession, SessionStore } from "./session-store.ts";

export interface D1SessionStoreOptions {
  database: Database;
  platform: Pick<Platform, "now">;
  idleSeconds: number;
  absoluteSeconds: number;
  maxPerUser: number;
}

/** What the database has of a session: its record, its tombstone, and the marks of its user and of everyone as texts. */
export interface Looked {
  kept: KeptSession | null;
  /** The creation time that counts, as the token states it, ms since the epoch; null without a record. */
  createdAt: number | null;
  tombstone: string | null;
  marks: string[];
  /** What the database has at `unmovedKeys`. */
  before: (string | null)[];
}

/** A change that the database is told of once it is made elsewhere. Each may be written late, twice, or out of order. */
export type LateWrite =
  /** As {@link SessionStore.adopt}; under the id before a rotation where the session has one. */
  | { kind: "adopt"; session: NewSession }
  | { kind: "end"; id: string }
  | { kind: "end user"; user: UserNames; mark: Mark }
  | { kind: "end everyone"; at: number };

/** What Redis must have: the end of a session, the endings of a user or of everyone, or a session. */
export type JournalEntry = { seq: number } & (
  | { kind: "tombstone"; id: string }
  | { kind: "mark"; name: string; mark: string }
  | { kind: "record"; kept: KeptSession; createdAt: number; expiresAt: number }
  /** The row is gone, was edited, or something has ended it. */
  | { kind: "nothing" }
);

/** Rows of each table that one sweep deletes. */
const MAX_SWEPT = 200;

/** Sessions in D1. Each method is one round trip, and rejects with a StoreError when that fails. */
export class D1SessionStore implements SessionStore {
  readonly #options: D1SessionStoreOptions;

  constructor(options: D1SessionStoreOptions) {
    this.#options = options;
  }

  /** @param replacedId A session that ends with the same call. */
  async create(session: NewSession, replacedId?: string): Promise<number> {
    const { database, maxPerUser } = this.#options;
    const times = this.#times;
    const [rows] = await database.run([
      ...createStatements(session, maxPerUser, times),
      ...(replacedId === undefined ? [] : revokeStatements(replacedId, times)),
    ]);
    const made = rows?.[0]?.made;
    // Any other number must not get into a token.
    if (typeof made !== "number" || !Number.isSafeInteger(made) || made < session.createdAt)
      throw malformed();
    return made;
  }

  async adopt(session: NewSession): Promise<boolean> {
    const { database, maxPerUser } = this.#options;
    const replies = await database.run(adoptStatements(session, maxPerUser, this.#times));
    return replies.at(-1)?.[0]?.lives === 1;
  }

  async read(id: string): Promise<KeptSession | null> {
    const [rows] = await this.#options.database.run([readStatement(id, this.#times)]);
    const [kept] = this.#living(rows);
    return kept?.record.session_id === id ? kept : null;
  }

  async touch(kept: KeptSession, updated: KeptSession, user: UserNames): Promise<boolean> {
    const [rows] = await this.#options.database.run([touchStatement(kept, updated, user)]);
    return found(rows);
  }

  async revoke(id: string, _user: UserNames | null): Promise<boolean> {
    const [rows] = await this.#options.database.run(revokeStatements(id, this.#times));
    return found(rows);
  }

  async rotate(old: OldSession, session: NewSession): Promise<boolean> {
    const [rows] = await this.#options.database.run(rotateStatements(old, session));
    return found(rows);
  }

  async list(user: UserNames): Promise<KeptSession[]> {
    const [rows] = await this.#options.database.run([listStatement(user, this.#times)]);
    return this.#living(rows);
  }

  async revokeAllOf(user: UserNames, exceptId: string | null, now: number): Promise<KeptSession[]> {
    const mark = withEnding(NO_MARK, now, exceptId === null ? null : signInOf(exceptId));
    const [rows] = await this.#options.database.run(revokeAllOfStatements(user, mark, "now", this.#times));
    return this.#living(rows);
  }

  /**
   * What tells whether a session lives.
   *
   * @param user Its user; null where only the record says whose it is.
   * @param rotatedFrom The id before a rotation of which nobody knows whether it was made.
   */
  async look(id: string, user: UserNames | null, rotatedFrom?: string): Promise<Looked> {
    const ids = rotatedFrom === undefined ? [id] : [id, rotatedFrom];
    const [own, before] = (
      await this.#options.database.run(ids.map((each) => lookStatement(each, user, this.#times)))
    ).map((rows, index) => storedIn(rows, ids[index] ?? id));
    const { kept = null, createdAt = null, tombstone = null, marks = [] } = own ?? {};
    return {
      kept,
      createdAt,
      tombstone,
      marks,
      before: before ? [before.kept?.text ?? null, before.tombstone] : [],
    };
  }

  async revokeEveryone(now: number): Promise<void> {
    await this.#options.database.run([revokeEveryoneStatement(now, this.#times)]);
  }

  /** Writes several changes with one call. */
  async write(writes: readonly LateWrite[]): Promise<void> {
    await this.#options.database.run(writes.flatMap((each) => this.#statementsOf(each)));
  }

  /** At most three of each, without those that say what was done. */
  #statementsOf(write: LateWrite): Sql[] {
    const times = this.#times;
    switch (write.kind) {
      case "adopt":
        return write.session.rotatedFrom === undefined
          ? adoptStatements(write.session, this.#options.maxPerUser, times).slice(0, -1)
          : unconfirmedStatements(write.session, write.session.rotatedFrom, times);
      case "end":
        return revokeStatements(write.id, times).slice(1);
      case "end user":
        return revokeAllOfStatements(write.user, write.mark, "late", times).slice(1);
      case "end everyone":
        return [revokeEveryoneStatement(write.at, times)];
    }
  }

  /** Entries of the journal after one, at most so many, and the number of the newest. */
  async journal(after: number, limit: number): Promise<{ entries: JournalEntry[]; head: number }> {
    const [rows = [], heads] = await this.#options.database.run([
      journalStatement(after, limit),
      journalHead,
    ]);
    const head = heads?.[0]?.head;
    const entries = rows.flatMap((row) => entryOf(row) ?? []);
    if (typeof head !== "number" || entries.length < rows.length) throw malformed();
    return { entries, head };
  }

  /** Deletes rows that no token needs any more, some of them. */
  async sweep(): Promise<void> {
    await this.#options.database.run(sweepStatements(this.#times.now, MAX_SWEPT));
  }

  /** The times that a statement needs which is made now. */
  get #times(): Times {
    const { platform, absoluteSeconds, idleSeconds } = this.#options;
    const now = platform.now();
    const longestMs = absoluteSeconds * 1000;
    const idleSince = now - idleTimes(idleSeconds).lifetimeMs;
    return { now, oldest: now - longestMs, idleSince, latestEnd: now + longestMs };
  }

  /** The records in rows that can be read and were not silent for too long. */
  #living(rows: readonly Row[] = []): KeptSession[] {
    const { idleSince } = this.#times;
    return rows
      .flatMap(({ text }) => (typeof text === "string" ? (parseRecord(text) ?? []) : []))
      .filter(({ record }) => timeOf(record.last_active) >= idleSince);
  }
}

/** The rows of a `lookStatement`. A record that was edited so that it is another's is a miss. */
function storedIn(rows: readonly Row[], id: string) {
  const valuesOf = (kind: string) =>
    rows.flatMap((row) => (row.kind === kind && typeof row.value === "string" ? [row.value] : []));
  const read = parseRecord(valuesOf("record")[0] ?? "");
  const kept = read?.record.session_id === id ? read : null;
  const at = rows.find(({ kind }) => kind === "record")?.created_at;
  return {
    kept,
    createdAt: kept && typeof at === "number" ? at : null,
    tombstone: valuesOf("tombstone")[0] ?? null,
    marks: valuesOf("mark"),
  };
}

/** @returns null for a row that the journal cannot have. */
function entryOf(row: Row): JournalEntry | null {
  const { seq, kind, name, text, mark, created_at: createdAt, expires_at: expiresAt } = row;
  if (typeof seq !== "number" || typeof name !== "string") return null;
  if (kind === "tombstone") return { seq, kind, id: name };
  if (kind === "mark" && typeof mark === "string") return { seq, kind, name, mark };
  const kept = typeof text === "string" ? parseRecord(text) : null;
  const isWhole = kept?.record.session_id === name && typeof createdAt === "number";
  if (!isWhole || typeof expiresAt !== "number") return { seq, kind: "nothing" };
  return { seq, kind: "record", kept, createdAt, expiresAt };
}

const found = (rows: readonly Row[] | undefined) => (rows?.length ?? 0) > 0;

function malformed(): StoreError {
  return new StoreError("malformed", "The database's reply is none that the statement gives");
}
