import type { SessionClaims } from "../identity/session-token.ts";
import { StoreError } from "../store/errors.ts";
import { refuseTooLarge } from "./offline-user-data.ts";
import { parseRecord } from "./record.ts";
import type { ServiceParts } from "./service-parts.ts";
import type { NewSession, OldSession } from "./session-store.ts";
import type { ActiveSession } from "./verdict.ts";

/** How a session was created. */
export interface Made {
  /** `false`: only this isolate and the token hold the session until the store is back. */
  durable: boolean;
  /** The database has it, and Redis does not yet. */
  awaitsRedis: boolean;
  /** The creation time that counts, ms since the epoch. The token states the same. */
  createdAt: number;
  /** Upstash's consistency token of the write. */
  syncToken: string | null;
  /** The session that it replaces has another id by now: Redis has none under that one. Default it has the same. */
  replacesNone?: boolean;
}

/** How a session was given a new id. */
export interface Rotated extends Omit<Made, "createdAt"> {
  /** The reply was lost: Redis has the record under the new id or still under this one. */
  rotatedFrom?: string;
}

/** Creating sessions, and giving them new ids. */
export function sessionStarts(parts: ServiceParts) {
  const {
    store,
    config,
    onRedis,
    database,
    shared,
    identifier,
    platform,
    local,
    sessionStore,
    pending,
    seen,
  } = parts;
  const later = database?.outbox;
  const { attempt, forMs, forgetHere, acceptedHere } = parts;

  return { create, rotate };

  /**
   * Creates a session.
   *
   * @param replaced The session that the same client had before. It ends with the same call, and only if that call creates
   *   the new one.
   * @throws UserDataTooLarge when the store is lost and the token cannot carry the user data.
   */
  async function create(session: NewSession, replaced?: SessionClaims, requestId?: string): Promise<Made> {
    const replacedUser = replaced ? await identifier.sessionUser(replaced.userId) : null;
    return attempt<Made>({
      async redis() {
        const batch = store.batch();
        const made = sessionStore.queueCreate(batch, session);
        const ended =
          replaced && sessionStore.queueRevoke(batch, replaced.id, replacedUser).then(existed, no);
        await batch.send();
        const createdAt = await made;
        const { record, text } = session;
        seen.set(record.session_id, { record, text, confirmedAt: platform.now() });
        later?.put({ kind: "adopt", session: { ...session, createdAt } });
        const end = await ended;
        if (replaced) await endReplaced(replaced, session, Boolean(end), requestId);
        const replacesNone = end === "missing";
        return {
          durable: true,
          awaitsRedis: false,
          createdAt,
          syncToken: batch.syncToken ?? null,
          replacesNone,
        };
      },
      async database(stored) {
        const createdAt = await stored.create(session, replaced?.id);
        const { record, text } = session;
        seen.set(record.session_id, { record, text, confirmedAt: platform.now() });
        if (replaced) await endReplaced(replaced, session, true, requestId);
        if (replaced && onRedis) pending.end(replaced.id, replacedUser);
        return { durable: true, awaitsRedis: onRedis, createdAt, syncToken: null };
      },
      async here() {
        if (shared) refuseTooLarge(session);
        const createdAt = await local.create(session);
        if (onRedis) pending.create({ ...session, createdAt });
        later?.put({ kind: "adopt", session: { ...session, createdAt } });
        if (replaced) await endReplaced(replaced, session, false, requestId);
        return { durable: !shared, awaitsRedis: false, createdAt, syncToken: null };
      },
    });
  }

  /**
   * Gives a session a new id. Null when the old id was over already.
   *
   * Where the reply is lost, nobody knows which of the two ids the store has. The new one is given out all the same, with the old
   * one in its token: whichever isolate meets it next finds the record under either. An outage ends no session.
   *
   * @param old Redis or the database has just confirmed it, or it was made in an outage: an end that only they know names the
   *   old id and would not reach the new one.
   * @throws UserDataTooLarge as {@link create}, of a session that Redis may not have, and where nothing was sent. Nothing is
   *   changed then.
   * @throws StoreError where the database alone has confirmed the old one, and is not asked now.
   */
  async function rotate(
    old: SessionClaims & Pick<OldSession, "text"> & { source?: ActiveSession["source"] },
    session: NewSession,
    requestId?: string,
  ): Promise<Rotated | null> {
    if (onRedis && !database && old.offline) refuseTooLarge(session);
    const batch = store.batch();
    const callsBefore = database?.database.calls;
    return attempt<Rotated | null>({
      async redis() {
        // Redis may have lost the old one, which the database has just confirmed.
        const lost = database?.copy.sure === false ? oldOf(old, session) : null;
        if (lost) void sessionStore.queueAdopt(batch, lost).catch(no);
        const rotated = sessionStore.queueRotate(batch, old, session);
        await batch.send();
        if ((await rotated) === 0) return null;
        forgetHere(old.id);
        local.replace(old.id, session, forMs(true).forMs);
        later?.put({ kind: "end", id: old.id }, { kind: "adopt", session });
        return { durable: true, awaitsRedis: false, syncToken: batch.syncToken ?? null };
      },
      async database(stored) {
        // Redis has just confirmed it, or the database has: that it has no record of it does not end it.
        const { id, text } = old;
        // Where Redis has confirmed it, its text is newer than the database's.
        const since = old.source === "database" && text !== undefined ? { text } : {};
        if (!(await stored.rotate({ id, offline: onRedis || old.offline, ...since }, session))) return null;
        forgetHere(old.id);
        local.replace(old.id, session);
        if (onRedis) pending.end(old.id, session.user);
        return { durable: true, awaitsRedis: onRedis, syncToken: null };
      },
      async here() {
        const isSent = batch.calls > 0 || database?.database.calls !== callsBefore;
        const isStored = database
          ? old.source === "redis" || old.source === "database"
          : onRedis && !old.offline;
        if (old.source === "database" && !isSent)
          throw new StoreError("absent", "The database has what is known of the session");
        if (shared && !(isSent && isStored)) refuseTooLarge(session);
        // The old one need not be in this isolate's map.
        if (!(await local.rotate({ id: old.id, offline: shared || old.offline }, session))) return null;
        forgetHere(old.id);
        if (isSent && isStored) return withoutReply(old, session, requestId);
        later?.put({ kind: "end", id: old.id }, { kind: "adopt", session });
        if (onRedis) {
          pending.create(session);
          acceptedHere(pending.end(old.id, session.user), requestId);
        }
        return { durable: !shared, awaitsRedis: false, syncToken: null };
      },
    });
  }

  function withoutReply(
    { id: rotatedFrom, source }: Pick<ActiveSession["claims"], "id"> & { source?: ActiveSession["source"] },
    session: NewSession,
    requestId: string | undefined,
  ): Rotated {
    // The end of the old id is written along with the new one, and not by itself: its record may be all that there is.
    local.replace(rotatedFrom, session, config.absoluteSeconds * 1000);
    const unconfirmed = { ...session, rotatedFrom };
    const queued = later?.put({ kind: "adopt", session: unconfirmed }) ?? true;
    // What the database alone has confirmed gets into Redis from there.
    acceptedHere(source === "database" ? queued : pending.create(unconfirmed), requestId);
    return { durable: false, awaitsRedis: false, syncToken: null, rotatedFrom };
  }

  /** Ends the session that a new one replaces, after the new one exists. */
  async function endReplaced(
    replaced: SessionClaims,
    by: NewSession,
    durable: boolean,
    requestId: string | undefined,
  ): Promise<void> {
    const { id, issuedAt: createdAt } = replaced;
    const user = await identifier.sessionUser(replaced.userId);
    forgetHere(id);
    const except = by.record.user_id === replaced.userId ? { except: by.record.session_id } : {};
    const known = local.addTombstone(id, { user, createdAt, ...except, ...forMs(durable) });
    const queued = later?.put({ kind: "end", id }) ?? true;
    if (!durable) acceptedHere(onRedis ? pending.end(id, user) : known && queued, requestId);
  }
}

/** A session before its rotation, to be written; null where its record is not known. */
function oldOf({ text }: Pick<OldSession, "text">, session: NewSession): NewSession | null {
  const kept = text === undefined ? null : parseRecord(text);
  return kept && { ...session, ...kept };
}

const existed = (deleted: number) => (deleted === 1 ? "done" : "missing");
/** The store counts the failure for the breaker. */
const no = () => false;
