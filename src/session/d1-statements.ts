import { signInOf } from "../identity/session-id.ts";
import { endingsOf, type Mark } from "../identity/session-marks.ts";
import type { UserNames } from "../identity/session-users.ts";
import { type Sql, type SqlValue, sql } from "./d1-sql.ts";
import { MARK_LIFETIME_MS, TOMBSTONE_MARGIN_MS } from "./lifetimes.ts";
import { type KeptSession, type SessionRecord, timeOf } from "./record.ts";
import type { NewSession, OldSession } from "./session-store.ts";

/** The name of the mark that ends everyone's sessions. No user's name is so short. */
export const EVERYONE = "*";

/** The names whose marks concern a user's sessions. */
const namesOf = (user: UserNames) => sql`SELECT value FROM json_each(${JSON.stringify([...user, EVERYONE])})`;
/** The same for a row. */
const namesOfRow = sql`session_records.user, ${EVERYONE}`;

/** Sessions with this id that were created up to this time are over, as `markedAt` computes it. */
const endedAt = (id: Sql, signIn: Sql, names: Sql) => sql`coalesce((
  SELECT max(CASE WHEN except_id IN (${id}, ${signIn}) THEN excepted_until ELSE until END)
  FROM session_marks WHERE name IN (${names})), 0)`;
const idEndedAt = (id: string, user: UserNames) => endedAt(value(id), value(signInOf(id)), namesOf(user));
const signInOfRow = sql`substr(session_records.id, 1, instr(session_records.id || '~', '~') - 1)`;
const rowEndedAt = (names = namesOfRow) => endedAt(sql`session_records.id`, signInOfRow, names);

const value = (given: SqlValue): Sql => ({ text: "?", values: [given] });

const activeAt = ({ last_active }: SessionRecord) => timeOf(last_active);

/** Times that the statements need, ms since the epoch. */
export interface Times {
  now: number;
  /** A session that was created up to then is over. */
  oldest: number;
  /** One that was last active before then is over, where the database was told of all activity. */
  idleSince: number;
  /** No token of a session that exists now is valid after it. */
  latestEnd: number;
}

/** The rows of a user's sessions that nothing ends. Their silence is not looked at. */
const lives = (user: UserNames, { now, oldest }: Times) => sql`
  user IN (${namesOf(user)}) AND created_at > ${oldest} AND expires_at > ${now}
  AND created_at > ${rowEndedAt()}`;

const insertInto = sql`INSERT INTO session_records (id, user, text, created_at, active_at, expires_at)`;
const tombstonesOf = sql`INSERT INTO session_tombstones (id, expires_at)`;

/** The first row says the creation time that counts. */
export function createStatements(session: NewSession, maxPerUser: number, times: Times): Sql[] {
  const { record, text, user, createdAt, expiresAt } = session;
  const id = record.session_id;
  const made = sql`max(${createdAt}, 1 + ${idEndedAt(id, user)})`;
  return [
    sql`SELECT ${made} AS made`,
    sql`${insertInto} SELECT ${id}, ${user[0]}, ${text}, ${made}, ${activeAt(record)},
        ${Math.floor(expiresAt)} WHERE true
      ON CONFLICT (id) DO NOTHING`,
    endOldest(session, maxPerUser, times),
  ];
}

/** The last row says whether it lives: 0 or 1. */
export function adoptStatements(session: NewSession, maxPerUser: number, times: Times): Sql[] {
  const { record, text, user, createdAt, expiresAt } = session;
  const id = record.session_id;
  const notEnded = sql`${createdAt} > ${idEndedAt(id, user)}
    AND NOT EXISTS (SELECT 1 FROM session_tombstones WHERE id = ${id})`;
  return [
    sql`${insertInto} SELECT ${id}, ${user[0]}, ${text}, ${createdAt}, ${activeAt(record)},
        ${Math.floor(expiresAt)}
      WHERE ${notEnded}
      ON CONFLICT (id) DO NOTHING`,
    endOldest(session, maxPerUser, times),
    sql`SELECT EXISTS (SELECT 1 FROM session_records WHERE id = ${id}) AND ${notEnded} AS lives`,
  ];
}

/**
 * Ends the user's oldest sessions beyond the maximum, where the new one was written. Those whose activity the database has not
 * heard of do not count: it may be that Redis has, and each that ends here has enough newer ones that live.
 */
function endOldest({ record, user }: NewSession, maxPerUser: number, times: Times): Sql {
  const id = record.session_id;
  return sql`${tombstonesOf} SELECT id, expires_at + ${TOMBSTONE_MARGIN_MS} FROM session_records
    WHERE ${lives(user, times)} AND id <> ${id} AND active_at >= ${times.idleSince}
    AND EXISTS (SELECT 1 FROM session_records AS made WHERE made.id = ${id})
    ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ${maxPerUser - 1}
    ON CONFLICT (id) DO NOTHING`;
}

export function readStatement(id: string, { now, oldest }: Times): Sql {
  return sql`SELECT text FROM session_records
    WHERE id = ${id} AND created_at > ${oldest} AND expires_at > ${now} AND created_at > ${rowEndedAt()}`;
}

/**
 * What tells whether a session lives: rows of `kind` record, tombstone and mark, each with its `value` as Redis has it, the
 * record's with the creation time that counts.
 *
 * @param user Its user; null where only the record says whose it is.
 */
export function lookStatement(id: string, user: UserNames | null, { now }: Pick<Times, "now">): Sql {
  const ownNames = sql`SELECT user FROM session_records WHERE id = ${id} UNION SELECT ${EVERYONE}`;
  return sql`SELECT 'record' AS kind, text AS value, created_at FROM session_records
      WHERE id = ${id} AND expires_at > ${now}
    UNION ALL SELECT 'tombstone', '1', 0 FROM session_tombstones WHERE id = ${id}
    UNION ALL SELECT 'mark', until || ' ' || except_id || ' ' || excepted_until, 0 FROM session_marks
      WHERE name IN (${user ? namesOf(user) : ownNames})`;
}

/** It replies a row where the record had the present text. */
export function touchStatement(present: KeptSession, { record, text }: KeptSession, [name]: UserNames): Sql {
  return sql`UPDATE session_records SET text = ${text}, user = ${name}, active_at = ${activeAt(record)}
    WHERE id = ${present.record.session_id} AND text = ${present.text} AND created_at > ${rowEndedAt()} RETURNING id`;
}

/** The first has a row where the session existed. */
export function revokeStatements(id: string, { latestEnd }: Pick<Times, "latestEnd">): Sql[] {
  const end = sql`coalesce((SELECT expires_at FROM session_records WHERE id = ${id}), ${latestEnd})`;
  return [
    sql`SELECT id FROM session_records WHERE id = ${id}`,
    sql`${tombstonesOf} SELECT ${id}, ${end} + ${TOMBSTONE_MARGIN_MS} WHERE true ON CONFLICT (id) DO NOTHING`,
  ];
}

/**
 * The first has a row where the old one was alive. What another program has written over the old text since goes on under the
 * new id, where the old id stands in it once as it is.
 */
export function rotateStatements(
  old: OldSession,
  { record, text, user, createdAt, expiresAt }: NewSession,
): Sql[] {
  const id = record.session_id;
  const [quoted, renamed] = [JSON.stringify(old.id), JSON.stringify(id)];
  const oldRow = sql`FROM session_records AS old WHERE old.id = ${old.id}`;
  const changed = sql`SELECT replace(old.text, ${quoted}, ${renamed}) ${oldRow} AND old.text <> ${old.text ?? ""}
    AND ${old.text ?? ""} <> '' AND length(old.text) - length(replace(old.text, ${quoted}, '')) = length(${quoted})`;
  const oldLives = sql`${createdAt} > ${idEndedAt(old.id, user)}
    AND NOT EXISTS (SELECT 1 FROM session_tombstones WHERE id IN (${old.id}, ${id}))
    AND (${old.offline ? 1 : 0} = 1 OR EXISTS (SELECT 1 ${oldRow}))`;
  return [
    sql`${insertInto} SELECT ${id}, ${user[0]}, coalesce((${changed}), ${text}), ${createdAt}, ${activeAt(record)},
        ${Math.floor(expiresAt)}
      WHERE ${oldLives} ON CONFLICT (id) DO NOTHING RETURNING id`,
    sql`${tombstonesOf} SELECT ${old.id}, ${Math.floor(expiresAt) + TOMBSTONE_MARGIN_MS}
      WHERE EXISTS (SELECT 1 FROM session_records WHERE id = ${id}) ON CONFLICT (id) DO NOTHING`,
  ];
}

/** A text that no record is: what the database has is taken for newer. */
const NOT_READ = "-";

/** A rotation that has been answered, of which nobody knows whether it was written: the old id is over in any case. */
export function unconfirmedStatements(session: NewSession, rotatedFrom: string, times: Times): Sql[] {
  return [
    ...rotateStatements({ id: rotatedFrom, offline: true, text: NOT_READ }, session),
    ...revokeStatements(rotatedFrom, times).slice(1),
  ];
}

export function listStatement(user: UserNames, times: Times): Sql {
  return sql`SELECT text FROM session_records WHERE ${lives(user, times)} ORDER BY created_at`;
}

/**
 * Ends a user's sessions. The first has the records of those that lived.
 *
 * @param written `now`: it covers every session of the user in the database, also those that an isolate with a faster clock
 *   has created. `late`: it is written some time after it was accepted, and sessions that were created since go on.
 */
export function revokeAllOfStatements(
  user: UserNames,
  mark: Mark,
  written: "now" | "late",
  times: Times,
): Sql[] {
  const endings = endingsOf(mark).map(([at, except]) => {
    const latest = sql`coalesce((SELECT max(created_at) FROM session_records WHERE user IN (${namesOf(user)})), 0)`;
    return { until: written === "now" ? sql`max(${at}, ${latest})` : value(at), except: except ?? "" };
  });
  const covered = endings.map(
    ({ until, except }) => sql`(created_at <= ${until} AND ${signInOfRow} <> ${except})`,
  );
  const any = covered.reduce((one, other) => sql`${one} OR ${other}`);
  return [
    sql`SELECT text FROM session_records WHERE ${lives(user, times)} AND (${any})`,
    ...endings.map(({ until, except }) => addEnding(JSON.stringify(user), until, except, times)),
    sql`DELETE FROM session_records WHERE user IN (${namesOf(user)}) AND created_at <= ${rowEndedAt()}`,
  ];
}

export function revokeEveryoneStatement(at: number, times: Times): Sql {
  return addEnding(JSON.stringify([EVERYONE]), value(at), "", times);
}

/** As `withEnding` does. @param names A JSON list of marks' names. */
function addEnding(names: string, until: Sql, except: string, { now }: Times): Sql {
  return sql`INSERT INTO session_marks (name, until, except_id, excepted_until, expires_at)
    SELECT value, ${until}, ${except}, 0, ${now + MARK_LIFETIME_MS} FROM json_each(${names}) WHERE true
    ON CONFLICT (name) DO UPDATE SET
      until = max(until, excluded.until),
      except_id = CASE WHEN excluded.until > until THEN excluded.except_id ELSE except_id END,
      excepted_until = CASE
        WHEN excluded.except_id = except_id THEN excepted_until
        WHEN excluded.until > until THEN until
        ELSE max(excepted_until, excluded.until) END,
      expires_at = excluded.expires_at`;
}

/** Entries of the journal after one, oldest first, each with what its row holds now, if it is there and nothing ends it. */
export function journalStatement(after: number, limit: number): Sql {
  return sql`SELECT seq, kind, session_journal.name, text, created_at, session_records.expires_at,
      until || ' ' || except_id || ' ' || excepted_until AS mark
    FROM session_journal
    LEFT JOIN session_records ON kind = 'record' AND session_records.id = session_journal.name
      AND created_at > ${rowEndedAt()}
    LEFT JOIN session_marks ON kind = 'mark' AND session_marks.name = session_journal.name
    WHERE seq > ${after} ORDER BY seq LIMIT ${limit}`;
}

/** The number of the newest entry that there ever was; 0 for none. That one may be swept, and nothing has gone back. */
export const journalHead = sql`SELECT max(
    coalesce((SELECT max(seq) FROM session_journal), 0),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'session_journal'), 0)) AS head`;

/** Deletes some of what no token needs any more. */
export function sweepStatements(now: number, limit: number): Sql[] {
  const gone = (key: Sql, table: Sql) => sql`DELETE FROM ${table} WHERE ${key} IN (
    SELECT ${key} FROM ${table} WHERE expires_at <= ${now} LIMIT ${limit})`;
  return [
    gone(sql`id`, sql`session_records`),
    gone(sql`id`, sql`session_tombstones`),
    gone(sql`name`, sql`session_marks`),
    gone(sql`seq`, sql`session_journal`),
  ];
}
