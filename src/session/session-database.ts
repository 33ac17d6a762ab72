import type { Config } from "../config/config.ts";
import { markedAt, parseMark } from "../identity/session-marks.ts";
import type { SessionClaims } from "../identity/session-token.ts";
import type { UserNames } from "../identity/session-users.ts";
import type { Platform } from "../runtime/platform.ts";
import { StoreError } from "../store/errors.ts";
import { Database, type DatabaseOptions } from "./d1-database.ts";
import { D1SessionStore, type Looked } from "./d1-session-store.ts";
import { DatabaseOutbox } from "./database-outbox.ts";
import { type KeptSession, timeOf } from "./record.ts";
import { RedisCopy } from "./redis-copy.ts";

export interface SessionDatabaseOptions extends DatabaseOptions {
  platform: Platform;
  config: Config["session"];
  entries?: number;
}

/** The sessions that D1 has, beside Redis or in its place. */
export interface SessionDatabase {
  database: Database;
  sessionStore: D1SessionStore;
  /** What it is still to be told of. */
  outbox: DatabaseOutbox;
  /** Whether Redis has what it has. */
  copy: RedisCopy;
  /** What it has of a session, see `D1SessionStore`; null where it does not answer. */
  look(id: string, user: UserNames | null, rotatedFrom?: string): Promise<Looked | null>;
  /** How it is, asked at most every 5 s. */
  state(): Promise<DatabaseState>;
  /** What is due beside a request, or null: a probe where it does not answer, what it is to be told of, and a sweep. */
  maintenance(): Promise<void> | null;
}

/**
 * What `/health` says of the database. `shared`: it answers, and another one is bound over the same Redis.
 */
export type DatabaseState = "healthy" | "shared" | "unavailable";

/** An isolate that serves sessions deletes what is useless this often, ms. */
const SWEEP_EVERY_MS = 60_000;

export function createSessionDatabase(options: SessionDatabaseOptions): SessionDatabase {
  const { platform, config, entries } = options;
  const { absoluteSeconds } = config;
  const database = new Database(options);
  const sessionStore = new D1SessionStore({ ...config, database, platform });
  const bound = entries === undefined ? {} : { entries };
  const outbox = new DatabaseOutbox({ sessionStore, platform, absoluteSeconds, ...bound });
  const copy = new RedisCopy(platform, options.events);
  let sweptAt = Number.NEGATIVE_INFINITY;
  return {
    database,
    sessionStore,
    outbox,
    copy,
    async state() {
      if (!(await database.answers())) return "unavailable";
      return copy.shared ? "shared" : "healthy";
    },
    maintenance() {
      if (!database.reachable) return database.probe();
      const now = platform.now();
      const writes = outbox.run();
      if (!copy.used || Math.abs(now - sweptAt) < SWEEP_EVERY_MS) return writes;
      sweptAt = now;
      return Promise.all([writes, sessionStore.sweep().catch(ignoreFailure)]).then(() => {});
    },
    async look(...session) {
      try {
        return await sessionStore.look(...session);
      } catch (error) {
        if (error instanceof StoreError) return null;
        throw error;
      }
    },
  };
}

/** The next sweep deletes it. @throws what is no failure of the database. */
function ignoreFailure(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}

/**
 * Whether the database ends a session whose token is not at hand.
 *
 * @param other Its record elsewhere. Where the database has none, it alone tells when the session was created.
 */
export function endsIt(
  { createdAt, tombstone, marks }: Looked,
  id: string,
  other: KeptSession | null,
): boolean {
  if (tombstone !== null) return true;
  const at = createdAt ?? (other ? timeOf(other.record.created_at) : Number.POSITIVE_INFINITY);
  return marks.some((mark) => markedAt(parseMark(mark), id) >= at);
}

/** Whether the token itself carries the session's record: it was created where neither store could be told. */
export function carriesRecord(
  { offline, userData, rotatedFrom }: SessionClaims,
  database: SessionDatabase | null,
): boolean {
  // Tokens of versions before the database may carry none, and mean an empty one.
  return offline && (userData !== null || (database === null && rotatedFrom === undefined));
}
