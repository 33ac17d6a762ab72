import type { Events } from "../events/events.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import { endingsOf, type Mark, parseMark, withEnding } from "../identity/session-marks.ts";
import type { UserNames } from "../identity/session-users.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import type { JournalEntry } from "./d1-session-store.ts";
import { EVERYONE } from "./d1-statements.ts";
import { MARK_LIFETIME_MS } from "./lifetimes.ts";
import { changedRecord, type KeptSession, timeOf } from "./record.ts";
import { type Position, positionText } from "./redis-copy.ts";
import { replaceScript } from "./scripts.ts";
import type { SessionDatabase } from "./session-database.ts";
import { keptSession, type UpstashSessionStore } from "./upstash-session-store.ts";

export interface CarryOptions {
  store: Store;
  keys: Keys;
  sessionStore: UpstashSessionStore;
  database: Pick<SessionDatabase, "database" | "sessionStore" | "copy">;
  identifier: Pick<Identifier, "sessionUser">;
  platform: Pick<Platform, "now">;
  events: Events;
}

/** Entries of the journal that one batch carries. */
const PAGE = 50;
/** Batches of one turn: a Worker on the free plan may make 50 calls, and 50 queries of D1, for a request and what follows it. */
const MAX_PAGES = 3;
/** An isolate compares Redis with the journal this often, ms; with the time that it takes, an end holds everywhere in 10 s. */
const EVERY_MS = 9000;
/** Where a comparison failed, or is under way, ms. */
const PAUSE_MS = 2000;
/** Another's comparison of so long ago, ms, is not written down again. */
const RECENT_MS = 5000;
/** The position need not be read anew where a request has read it so recently, ms. */
const SEEN_MS = 2000;

/**
 * Compares Redis with the journal of the database, and carries into Redis what it lacks, in order. Every write is conditional,
 * and the position in Redis advances after what is before it is there. So any number of isolates may do it at once, each may
 * be cut off anywhere, and a Redis that has lost data has an earlier position, from which it starts again.
 */
export function createCarry(options: CarryOptions) {
  const { store, keys, platform, events, database } = options;
  const { copy } = database;
  let startedAt = Number.NEGATIVE_INFINITY;
  let waitMs = 0;

  return {
    /** The comparison that is due beside a request, for `waitUntil`; null where none is. */
    due(): Promise<void> | null {
      const sinceMs = platform.now() - startedAt;
      // A clock that went back must not delay it.
      const waits = sinceMs >= 0 && sinceMs < (copy.doubted ? Math.min(waitMs, PAUSE_MS) : waitMs);
      const isPossible = copy.used && store.reachable && database.database.reachable;
      return waits || !isPossible ? null : turn();
    },
    turn,
  };

  /** Compares now, whenever that was done last. */
  async function turn(): Promise<void> {
    startedAt = platform.now();
    waitMs = PAUSE_MS;
    try {
      for (let page = 0; page < MAX_PAGES; page += 1) {
        if ((await carryPage()) === "more") continue;
        waitMs = EVERY_MS;
        return;
      }
      waitMs = 0;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }

  /** @throws StoreError where either does not answer, or Redis refuses a write. */
  async function carryPage(): Promise<"whole" | "more"> {
    const { learned } = copy;
    if (!copy.seenWithin(SEEN_MS))
      copy.see(await inBatch((batch) => batch.read(keys.sessionsCarried())), learned);
    const { doubts, seen } = copy;
    const { position: at } = seen;
    const now = platform.now();
    const { known, entries, head } = await pageAfter(at);
    const isLast = entries.length < PAGE;
    if (entries.length > 0) await carry(entries, isLast ? 0 : head - (entries.at(-1)?.seq ?? 0));
    const position: Position = {
      database: database.database.id ?? "",
      seq: entries.at(-1)?.seq ?? head,
      comparedAt: isLast ? now : (known?.comparedAt ?? 0),
    };
    const isRecent = entries.length === 0 && known !== null && Math.abs(now - known.comparedAt) < RECENT_MS;
    if (!isRecent) {
      const advanced = await advance(seen.text, position);
      copy.forgetSeen();
      if (!advanced) return "more";
    }
    if (isLast) copy.compared(position, doubts);
    return isLast ? "whole" : "more";
  }

  /** What comes after a position. From the beginning where it is not this database's, or this one has gone back. */
  async function pageAfter(at: Position | null) {
    const page = await database.sessionStore.journal(at?.seq ?? 0, PAGE);
    const isOurs = at !== null && at.database === database.database.id && at.seq <= page.head;
    if (isOurs || at === null) return { known: at, ...page };
    return { known: null, ...(await database.sessionStore.journal(0, PAGE)) };
  }

  async function advance(from: string, to: Position): Promise<boolean> {
    const key = keys.sessionsCarried();
    const replaced = await inBatch((batch) =>
      batch.run(replaceScript, [key], [from, positionText(to), MARK_LIFETIME_MS]),
    );
    return replaced === 1;
  }

  async function carry(entries: readonly JournalEntry[], left: number): Promise<void> {
    const stored = await storedAt(entries);
    const ended = await writeEnds(entries, stored);
    const created = await writeRecords(entries, stored);
    if (ended + created > 0) events.emit("session.replayed", { created, ended, left });
  }

  function keyOf(entry: JournalEntry): string | null {
    switch (entry.kind) {
      case "tombstone":
        return keys.sessionTombstone(entry.id);
      case "mark":
        return entry.name === EVERYONE ? keys.sessionVersion() : keys.sessionMark(entry.name);
      case "record":
        return keys.session(entry.kept.record.session_id);
      case "nothing":
        return null;
    }
  }

  /** What Redis has of these entries. */
  async function storedAt(entries: readonly JournalEntry[]): Promise<Map<JournalEntry, string | null>> {
    const read = entries.flatMap((entry) => {
      const key = keyOf(entry);
      return key === null ? [] : [{ entry, key }];
    });
    const batch = store.batch();
    const texts = read.map(({ key }) => batch.read(key));
    await batch.send();
    const values = await Promise.all(texts);
    return new Map(read.map(({ entry }, index) => [entry, values[index] ?? null]));
  }

  async function writeEnds(
    entries: readonly JournalEntry[],
    stored: ReadonlyMap<JournalEntry, string | null>,
  ): Promise<number> {
    const batch = store.batch();
    const writes = entries.flatMap((entry): Promise<unknown>[] => {
      const text = stored.get(entry) ?? null;
      if (entry.kind === "tombstone" && text === null)
        return [options.sessionStore.queueRevoke(batch, entry.id, null)];
      if (entry.kind !== "mark") return [];
      const mark = parseMark(entry.mark);
      if (entry.name === EVERYONE)
        return Number(text ?? 0) >= mark.until
          ? []
          : [options.sessionStore.queueRevokeEveryone(batch, mark.until)];
      return covers(parseMark(text), mark)
        ? []
        : [options.sessionStore.queueRevokeAllOf(batch, [entry.name], mark, "late")];
    });
    await batch.send();
    await Promise.all(writes);
    return writes.length;
  }

  async function writeRecords(
    entries: readonly JournalEntry[],
    stored: ReadonlyMap<JournalEntry, string | null>,
  ): Promise<number> {
    const users = new Map<JournalEntry, UserNames>();
    for (const entry of entries) {
      if (entry.kind === "record")
        users.set(entry, await options.identifier.sessionUser(entry.kept.record.user_id));
    }
    const batch = store.batch();
    const writes: Promise<unknown>[] = [];
    for (const entry of entries) {
      if (entry.kind !== "record") continue;
      const user = users.get(entry);
      const write =
        user && queueRecord(batch, entry, { user, present: keptSession(stored.get(entry) ?? null) });
      if (write) writes.push(write.catch(unlessUnwritable));
    }
    await batch.send();
    await Promise.all(writes);
    return writes.length;
  }

  /** Queues a record that Redis lacks, or the activity that it has not heard of. */
  function queueRecord(
    batch: Batch,
    { kept, createdAt, expiresAt }: Extract<JournalEntry, { kind: "record" }>,
    { user, present }: { user: UserNames; present: KeptSession | null },
  ): Promise<unknown> | null {
    const { last_active } = kept.record;
    if (!present) return options.sessionStore.queueAdopt(batch, { ...kept, user, createdAt, expiresAt });
    if (timeOf(last_active) <= timeOf(present.record.last_active)) return null;
    const updated = changedRecord(present, { last_active });
    return options.sessionStore.queueTouch(batch, present, updated, user);
  }

  async function inBatch<Reply>(queue: (batch: Batch) => Promise<Reply>): Promise<Reply> {
    const batch = store.batch();
    const reply = queue(batch);
    await batch.send();
    return reply;
  }
}

/** Whether a mark ends everything that another does. */
function covers(mark: Mark, other: Mark): boolean {
  const sum = endingsOf(other).reduce((all, [at, except]) => withEnding(all, at, except), mark);
  return sum.until === mark.until && sum.except === mark.except && sum.exceptedUntil === mark.exceptedUntil;
}

/** A record that Redis can never take stops none behind it. */
function unlessUnwritable(error: unknown): void {
  const isUnwritable =
    error instanceof StoreError && (error.code === "size" || error.redisCode === "WRONGTYPE");
  if (!isUnwritable) throw error;
}
