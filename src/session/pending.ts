import type { Events } from "../events/events.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { Outbox } from "../store/outbox.ts";
import type { ReplayOutcome } from "../store/recovery.ts";
import type { Store } from "../store/store.ts";
import type { SessionName } from "./memory-session-store.ts";
import type { NewSession } from "./session-store.ts";
import type { UpstashSessionStore } from "./upstash-session-store.ts";

export interface PendingOptions {
  store: Store;
  sessionStore: UpstashSessionStore;
  platform: Pick<Platform, "now">;
  events: Events;
  absoluteSeconds: number;
  /** Most of each kind. Default 10000. */
  entries?: number;
}

const CREATES_BYTES = 8 * 1024 * 1024;

/**
 * What Redis has not been told of sessions: each waits until it has heard. Endings of one session, of one user and of
 * everyone are kept apart, so that many of the small ones never leave a great one without room.
 */
export function createPending({ store, sessionStore, platform, events, ...options }: PendingOptions) {
  const { absoluteSeconds, entries = 10_000 } = options;
  // What does not fit is no loss yet: the token of a session tells of it to whoever sees it.
  const creates = new Outbox<NewSession>({
    platform,
    entries,
    bytes: CREATES_BYTES,
    sizeOf: ({ record }) => JSON.stringify(record).length + 512,
    write: (batch, session) => sessionStore.queueAdopt(batch, session),
  });
  const ends = new Outbox<{ userHash: string | null }>({
    platform,
    entries,
    write: (batch, { userHash }, id) => sessionStore.queueRevoke(batch, id, userHash),
  });
  const userEnds = new Outbox<{ exceptId: string | null; at: number }>({
    platform,
    entries,
    write: (batch, { exceptId, at }, userHash) =>
      sessionStore.queueRevokeAllOf(batch, userHash, exceptId, at, "late"),
  });
  const everyone = new Outbox<number>({
    platform,
    entries: 1,
    write: (batch, at) => sessionStore.queueRevokeEveryone(batch, at),
  });
  const all = [creates, ends, userEnds, everyone];
  const endings = () => ends.size + userEnds.size + everyone.size;
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

    create(session: NewSession): void {
      store.markDue();
      creates.put(session.record.session_id, session, session.expiresAt);
    },

    /** @returns false where there is no room: nobody will tell Redis. So all of these. */
    end(id: string, userHash: string | null): boolean {
      store.markDue();
      return ends.put(id, { userHash }, uselessAt());
    },

    endUser(userHash: string, exceptId: string | null, at: number): boolean {
      store.markDue();
      return userEnds.put(userHash, { exceptId, at }, uselessAt());
    },

    endEveryone(at: number): boolean {
      store.markDue();
      return everyone.put("everyone", at, uselessAt());
    },

    /** Whether the end of this very one waits here. */
    ends: (id: string): boolean => ends.get(id) !== undefined,

    /** Whether Redis is yet to be told that this one is over, whatever it says meanwhile. */
    ended({ id, userHash, createdAt }: SessionName): boolean {
      if (ends.get(id) !== undefined) return true;
      if (createdAt <= (everyone.get("everyone") ?? Number.NEGATIVE_INFINITY)) return true;
      const mark = userEnds.get(userHash);
      return mark !== undefined && mark.exceptId !== id && createdAt <= mark.at;
    },
  };
}

export type PendingSessions = ReturnType<typeof createPending>;
