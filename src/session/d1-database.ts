import type { DatabaseBinding } from "../config/config.ts";
import type { Events } from "../events/events.ts";
import type { Platform } from "../runtime/platform.ts";
import { Breaker } from "../store/breaker.ts";
import { StoreError, type StoreErrorCode } from "../store/errors.ts";
import { type Sql, sql } from "./d1-sql.ts";

/** The version of `migrations/` that this Worker reads and writes. */
const SCHEMA_VERSION = 1;

export interface DatabaseOptions {
  binding: DatabaseBinding;
  platform: Pick<Platform, "now" | "random" | "timer">;
  events: Events;
  /** Milliseconds that a call may take: `STORE_DEADLINE_MS`. The first call of an isolate may take three times that. */
  deadlineMs?: number;
}

/** A row as D1 gives it. Its columns are checked where they are read: somebody may have edited it. */
export type Row = Readonly<Record<string, unknown>>;

/** An error of SQLite, which undoes the whole batch, in place of the id of a schema that is not this version's. */
const expectSchema = sql`SELECT CASE version WHEN ${SCHEMA_VERSION} THEN id ELSE json('another version') END AS id
  FROM session_schema`;

const FIRST_CALL_FACTOR = 3;
/** Minimum time between two questions of `/health`, ms. */
const ASK_EVERY_MS = 5000;

/**
 * The isolate's only access to D1. Each call is one `batch`: one round trip and one transaction, with a deadline, and none
 * while the breaker is open (law 3). It holds plain data only (law 4).
 */
export class Database {
  readonly #options: DatabaseOptions;
  readonly #breaker: Breaker;
  readonly #deadlineMs: number;
  #calls = 0;
  #answered = false;
  /** Until something is known, it is not said to be lost. */
  #lastAnswered = true;
  #askedAt = Number.NEGATIVE_INFINITY;
  #id: string | null = null;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 400;
    this.#breaker = new Breaker(options.platform);
  }

  /** Number of calls so far. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether a call that starts now would be made. */
  get reachable(): boolean {
    return !this.#breaker.open;
  }

  /** The id of the database that answered last; null before it has. */
  get id(): string | null {
    return this.#id;
  }

  /**
   * Runs statements as one transaction.
   *
   * @returns the rows of each.
   * @throws StoreError and nothing else: `open` where no call was made, `malformed` for another schema, `command` where it
   *   refused a value.
   */
  async run(statements: readonly Sql[]): Promise<Row[][]> {
    const longestMs = this.#deadlineMs * FIRST_CALL_FACTOR;
    if (!this.#breaker.mayTry(longestMs)) throw OPEN;
    return this.#call(statements);
  }

  /** Whether it answers, asked at most every 5 s. */
  async answers(): Promise<boolean> {
    const now = this.#options.platform.now();
    if (this.reachable && now - this.#askedAt >= ASK_EVERY_MS) {
      this.#askedAt = now;
      await this.run([]).then(ignore, ignore);
    }
    return this.reachable && this.#lastAnswered;
  }

  /** The probe of an open breaker that is due, for `waitUntil`; null where none is. */
  probe(): Promise<void> | null {
    if (!this.#breaker.takeProbe()) return null;
    return this.#call([]).then(ignore, () => {
      this.#breaker.probed(false);
    });
  }

  async #call(statements: readonly Sql[]): Promise<Row[][]> {
    try {
      const [schema, ...replies] = await this.#inTime([expectSchema, ...statements]);
      const id = schema?.[0]?.id;
      if (typeof id !== "string") throw new StoreError("malformed", OTHER_SCHEMA);
      this.#id = id;
      this.#heard();
      return replies;
    } catch (cause) {
      const error = cause instanceof StoreError ? cause : errorOf(cause);
      // It has read the schema and refused a value: it is not lost.
      if (error.code === "command") this.#heard();
      else this.#failed(error.code);
      throw error;
    }
  }

  #heard(): void {
    this.#answered = true;
    this.#lastAnswered = true;
    if (this.#breaker.succeeded()) this.#options.events.emit("session.database_found", {});
  }

  #inTime(statements: readonly Sql[]): Promise<Row[][]> {
    const { binding, platform } = this.#options;
    this.#calls += 1;
    const deadlineMs = this.#deadlineMs * (this.#answered ? 1 : FIRST_CALL_FACTOR);
    return new Promise((resolve, reject) => {
      const cancel = platform.timer(deadlineMs, () => {
        reject(new StoreError("timeout", `The database did not answer within ${deadlineMs} ms`));
      });
      const asked = async () => {
        const prepared = statements.map(({ text, values }) => binding.prepare(text).bind(...values));
        return (await binding.batch<Row>(prepared)).map(({ results }) => results ?? []);
      };
      asked().then(resolve, reject).finally(cancel);
    });
  }

  #failed(reason: StoreErrorCode): void {
    this.#lastAnswered = false;
    // Another schema stays another schema: it is not asked for with each request.
    const isCertain = reason === "malformed";
    if (this.#breaker.failed(reason, isCertain))
      this.#options.events.emit("session.database_lost", {
        reason: isCertain ? "schema" : reason,
      });
  }
}

const OTHER_SCHEMA = `The database has not version ${SCHEMA_VERSION} of the sessions' schema`;
const OPEN = new StoreError("open", "The database is not asked again yet");

/** The cause's message may quote the statement: it goes no further. */
function errorOf(cause: unknown): StoreError {
  const text = cause instanceof Error ? cause.message : "";
  if (/no such (table|column)|malformed JSON/i.test(text)) return new StoreError("malformed", OTHER_SCHEMA);
  return /SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)/.test(text)
    ? new StoreError(
        "command",
        "The database refused a value: a row was edited, or what is written is too large",
      )
    : new StoreError("unreachable", "The database could not be reached, or failed");
}

function ignore(): void {}
