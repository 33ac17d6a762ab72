import type { Events } from "../events/events.ts";
import { type Mark, markedAt, NO_MARK, withEnding } from "../identity/session-marks.ts";
import type { UserNames } from "../identity/session-users.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { Outbox } from "../store/outbox.ts";
import type { ReplayOutcome } from "../store/recovery.ts";
import type { Store } from "../store/store.ts";
import type { SessionName } from "./memory-session-store.ts";
import type { KeptSession } from "./record.ts";
import type { NewSession } from "./session-store.ts";
import type { UpstashSessionStore } from "./upstash-session-store.ts";

export interface PendingOptions {
  store: Store;
  sessionStore: UpstashSessionStore;
  platform: Pick<Platform, "now">;
  events: Events;
  /** A write is dropped after this many seconds: no token of its session is valid any more. */
  absoluteSeconds: number;
  /** Maximum number of each kind. Default 10000. */
  entries?: number;
}

/** Maximum bytes of the sessions that wait to be created. */
const CREATES_BYTES = 8 * 1024 * 1024;

/**
 * Writes of sessions that wait until Redis is back. Ends of one session, of one user and of everyone have lists of their
 * own, so that many ends of single sessions never take the room of an end of everyone.
 */
export function createPending({ store, sessionStore, platform, events, ...options }: PendingOptions) {
  const { absoluteSeconds, entries = 10_000 } = options;
  // A session that does not fit is not lost: its token carries its data, and a request with that token writes it.
  const creates = new Outbox<NewSession>({
    platform,
    entries,
    bytes: CREATES_BYTES,
    sizeOf: ({ text }) => 2 * text.length + 512,
    write: (batch, session) => sessionStore.queueUnwritten(batch, session),
  });
  const ends = new Outbox<{ user: UserNames | null }>({
    platform,
    entries,
    write: (batch, { user }, id) => sessionStore.queueRevoke(batch, id, user),
  });
  const userEnds = new Outbox<{ user: UserNames; mark: Mark }>({
    platform,
    entries,
    write: (batch, { user, mark }) => sessionStore.queueRevokeAllOf(batch, user, mark, "late"),
  });
  const everyone = new Outbox<number>({
    platform,
    entries: 1,
    write: (batch, at) => sessionStore.queueRevokeEveryone(batch, at),
  });
  const all = [creates, ends, userEnds, everyone];
  const endings = () => ends.size + userEnds.size + everyone.size;
  /** No token of a session that exists now is valid after this time. */
  const uselessAt = () => platform.now() + absoluteSeconds * 1000;

  store.onRecovery(replay);

  async function replay(batch: Batch): Promise<ReplayOutcome> {
    const [created, ended] = [creates.size, endings()];
    if (created + ended === 0) return "done";
    const outcomes = await Promise.all(all.map((outbox) => outbox.replay(batch)));
    events.emit("session.replayed", {
      created: created - creates.size,
      ended: ended - endings(),
      left: creates.size + endings(),
    });
    if (outcomes.includes("refused")) return "refused";
    return outcomes.includes("more") ? "more" : "done";
  }

  return {
    creates,

    get size(): number {
      return creates.size + endings();
    },

    /** Adds a session of an outage. @returns false where there is no room: a request with its token writes it. */
    create(session: NewSession): boolean {
      store.markDue();
      return creates.put(session.record.session_id, session, session.expiresAt);
    },

    /** The records of a user's sessions that wait to be written. */
    createsOf: ([name]: UserNames): KeptSession[] =>
      [...creates].flatMap(([, { user, record, text }]) => (user[0] === name ? [{ record, text }] : [])),

    /** Adds the end of a session. @returns false where there is no room, so that Redis never gets it; likewise below. */
    end(id: string, user: UserNames | null): boolean {
      store.markDue();
      return ends.put(id, { user }, uselessAt());
    },

    /** @param except The sign-in that goes on, or null. */
    endUser(user: UserNames, except: string | null, at: number): boolean {
      store.markDue();
      const mark = withEnding(userEnds.get(user[0])?.mark ?? NO_MARK, at, except);
      return userEnds.put(user[0], { user, mark }, uselessAt());
    },

    endEveryone(at: number): boolean {
      store.markDue();
      return everyone.put("everyone", at, uselessAt());
    },

    /** Whether the end of this session, by its id, waits here. */
    ends: (id: string): boolean => ends.get(id) !== undefined,

    /** Whether an end of this session waits here, by its id, its user or everyone. Redis may still have its record. */
    ended({ id, user, createdAt }: SessionName): boolean {
      if (ends.get(id) !== undefined) return true;
      if (createdAt <= (everyone.get("everyone") ?? Number.NEGATIVE_INFINITY)) return true;
      const waiting = userEnds.get(user[0]);
      return waiting !== undefined && createdAt <= markedAt(waiting.mark, id);
    },
  };
}

export type PendingSessions = ReturnType<typeof createPending>;
