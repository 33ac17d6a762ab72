import { isSessionId } from "../identity/session-id.ts";
import { idleTimes } from "../identity/session-idle.ts";
import type { UserNames } from "../identity/session-users.ts";
import type { Confirmation } from "./confirmations.ts";
import { sessionEndings } from "./endings.ts";
import type { FoundSession } from "./handler-sessions.ts";
import { changedRecord, isoTime, type KeptSession, parseRecord, timeOf } from "./record.ts";
import { createServiceParts, type SessionServiceOptions } from "./service-parts.ts";
import { endsIt } from "./session-database.ts";
import type { SessionStore } from "./session-store.ts";
import { sessionStarts } from "./starts.ts";

export type SessionService = ReturnType<typeof createSessionService>;

/**
 * All changes to sessions. A change goes to Redis, and after the response to the database, if any. On a StoreError it goes to
 * the database at once, and where that fails too, to the isolate's map and to the lists of writes that wait for both.
 */
export function createSessionService(options: SessionServiceOptions) {
  const parts = createServiceParts(options);
  const { onRedis, shared, database, identifier, platform, local, sessionStore, pending, seen, attempt } =
    parts;
  const { lifetimeMs } = idleTimes(parts.config.idleSeconds);

  return {
    local,
    sessionStore,
    ...sessionStarts(parts),
    ...sessionEndings(parts),
    confirm,
    confirmedWithin,
    forget: (id: string): void => void seen.delete(id),
    remembered,
    parsed,
    read,
    touch,
    list,

    /** Number of entries in each of the isolate's maps. */
    get sizes() {
      return { ...local.sizes, seen: seen.size, pending: pending.size };
    },
  };

  /** Remembers a record that Redis or the database has just confirmed. */
  function confirm(id: string, { record, text }: KeptSession): void {
    seen.set(id, { record, text, confirmedAt: platform.now() });
  }

  /**
   * A record as it reads, from its stored text. One whose text is the very one that was confirmed last is not parsed again.
   *
   * @returns null where the text is no record.
   */
  function parsed(id: string, text: string): KeptSession | null {
    const before = seen.get(id);
    return before?.text === text ? { record: before.record, text } : parseRecord(text);
  }

  /** Whether Redis or the database has confirmed the session in the last `ms` milliseconds. */
  function confirmedWithin(id: string, ms: number): boolean {
    const sinceMs = platform.now() - (seen.get(id)?.confirmedAt ?? Number.NEGATIVE_INFINITY);
    // After the clock was set back, a confirmation from the future does not count.
    return sinceMs >= 0 && sinceMs <= ms;
  }

  /** The record that this isolate remembers, and when it was last confirmed, ms since the epoch. */
  async function remembered(id: string): Promise<Confirmation | null> {
    const kept = await local.read(id);
    if (kept) return { ...kept, confirmedAt: platform.now() };
    return seen.get(id) ?? null;
  }

  /**
   * Reads a session by its id. The caller checks whose it is. A text that is no id names none: it may name another key.
   *
   * @param of `any`: also one that was silent for too long, as far as its record tells. To be ended it need not be alive.
   */
  async function read(id: string, of: "living" | "any" = "living"): Promise<FoundSession> {
    if (!isSessionId(id)) return { kind: "missing" };
    return attempt<FoundSession>({
      async redis() {
        const { kept, isEnded } = await sessionStore.look(id);
        // Of the version's time and the record's, which is its isolate's, only the list knows which is later.
        if (kept && isEnded(kept) && !(await isListed(kept))) return { kind: "missing" };
        // Another isolate may have lost Redis and made it in the database alone, since the two were compared.
        const isSure = database?.copy.sure !== false;
        const asksBoth = database !== null && (kept === null || !isSure);
        const other = asksBoth ? await database.look(id, await userOf(kept)) : null;
        if (other && endsIt(other, id, kept)) return { kind: "missing" };
        // The database may not have been told yet of what has ended here or elsewhere.
        const copy = local.hasTombstone(id) || isEnded(other?.kept) ? null : other?.kept;
        const found = kept ?? copy;
        const isOver = !found || (isSure && of === "living" && isSilent(found));
        return isOver ? { kind: "missing" } : { kind: "found", ...found };
      },
      async database(stored) {
        if (local.hasTombstone(id)) return { kind: "missing" };
        const here = (await local.read(id)) ?? seen.get(id) ?? null;
        const looked = await stored.look(id, await userOf(here));
        if (endsIt(looked, id, here)) return { kind: "missing" };
        // It has heard of all activity where Redis has no sessions.
        if (!onRedis && of === "living" && looked.kept && isSilent(looked.kept)) return { kind: "missing" };
        const kept = looked.kept ?? here;
        if (kept) return { kind: "found", record: kept.record, text: kept.text };
        return { kind: onRedis ? "unknown" : "missing" };
      },
      async here() {
        if (local.hasTombstone(id)) return { kind: "missing" };
        const kept = (await local.read(id)) ?? seen.get(id);
        if (kept) return { kind: "found", record: kept.record, text: kept.text };
        return { kind: shared ? "unknown" : "missing" };
      },
    });
  }

  /** Its user's names; null where its record is not known: the ends of that user's sessions stand under them. */
  async function userOf(kept: KeptSession | null): Promise<UserNames | null> {
    return kept && identifier.sessionUser(kept.record.user_id);
  }

  function isSilent({ record }: KeptSession): boolean {
    return platform.now() - timeOf(record.last_active) > lifetimeMs;
  }

  async function isListed({ record }: KeptSession): Promise<boolean> {
    const records = await sessionStore.list(await identifier.sessionUser(record.user_id));
    return records.some((each) => each.record.session_id === record.session_id);
  }

  /** Writes down activity now. @returns false when the session is gone or was changed meanwhile. */
  function touch(id: string): Promise<boolean> {
    const over = async (sessionStore: SessionStore) => {
      const kept = isSessionId(id) ? await sessionStore.read(id) : null;
      if (!kept) return false;
      const touched = changedRecord(kept, { last_active: isoTime(platform.now()) });
      return sessionStore.touch(kept, touched, await identifier.sessionUser(kept.record.user_id));
    };
    return attempt({
      async redis() {
        if (await over(sessionStore)) return true;
        // Redis may have lost it.
        return database !== null && (await read(id)).kind === "found" && over(database.sessionStore);
      },
      database: over,
      here: () => over(local),
    });
  }

  /** The living sessions of a user. `complete` is false in an outage: other isolates may have more. */
  async function list(userId: string): Promise<{ records: KeptSession[]; complete: boolean }> {
    const user = await identifier.sessionUser(userId);
    const isUsers = ({ record }: KeptSession) =>
      record.user_id === userId && !local.hasTombstone(record.session_id);
    return attempt({
      async redis() {
        // Redis may lack what the database has, and have what that has ended.
        if (database?.copy.sure === false) await options.compare();
        const records = (await sessionStore.list(user)).filter(isUsers);
        const listed = new Set(records.map(({ record }) => record.session_id));
        const unwritten = pending.createsOf(user).filter(({ record }) => !listed.has(record.session_id));
        // Redis may have lost some that the database has.
        const isSure = database?.copy.sure !== false;
        const others = isSure ? [] : await database.sessionStore.list(user).catch(() => []);
        const more = others.filter((each) => isUsers(each) && !listed.has(each.record.session_id));
        return { records: [...records, ...unwritten, ...more], complete: isSure };
      },
      async database(stored) {
        const records = (await stored.list(user)).filter(isUsers);
        return { records, complete: !onRedis };
      },
      here: async () => ({ records: await local.list(user), complete: !shared }),
    });
  }
}
