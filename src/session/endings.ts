import { isSessionId, signInOf } from "../identity/session-id.ts";
import { NO_MARK, withEnding } from "../identity/session-marks.ts";
import type { UserNames } from "../identity/session-users.ts";
import type { Batch } from "../store/batch.ts";
import type { SessionEnding } from "./handler-sessions.ts";
import type { SessionName } from "./memory-session-store.ts";
import type { KeptSession } from "./record.ts";
import type { ServiceParts } from "./service-parts.ts";
import type { SessionStore } from "./session-store.ts";

/** Ending sessions: one, a user's, everyone's. */
export function sessionEndings(parts: ServiceParts) {
  const { onRedis, database, shared, identifier, platform, events, local, sessionStore, pending, seen } =
    parts;
  const later = database?.outbox;
  const { attempt, forMs, forgetHere, acceptedHere } = parts;

  return { endedHere, endedForAll, writeEndAgain, revoke, endRotated, revokeAllOf, revokeEveryone };

  /** Whether it was ended here, whatever Redis has heard of that. */
  function endedHere(session: SessionName): boolean {
    return local.ended(session) || pending.ended(session);
  }

  /** Whether it was ended here by its id or with everyone's; its user's mark is not looked at. */
  function endedForAll(id: string, createdAt: number): boolean {
    return local.ended({ id, user: [""], createdAt });
  }

  /** Writes an end of this isolate to Redis, if Redis has not confirmed it and it does not wait in the pending writes. */
  async function writeEndAgain(batch: Batch, id: string, user: UserNames): Promise<void> {
    if (!onRedis || !local.notWritten(id) || pending.ends(id)) return;
    await sessionStore.queueRevoke(batch, id, user).then(
      () => void local.addTombstone(id, forMs(true)),
      () => {},
    );
  }

  /**
   * Ends a session, also where a rotation has given it another id meanwhile.
   *
   * @param userId Its user, or null where the store is lost and this isolate does not know the user.
   */
  async function revoke(id: string, userId: string | null, requestId?: string): Promise<SessionEnding> {
    if (!isSessionId(id)) return "missing";
    const user = userId === null ? null : await identifier.sessionUser(userId);
    const here = (await local.read(id)) !== null;
    // The end takes effect in this isolate at once, also when the call fails.
    forgetHere(id);
    local.addTombstone(id);
    const session = await identifier.hash("session", id);
    events.emit("session.revoked", { request_id: requestId, session });
    let isMissing = false;
    const ended = await attempt<SessionEnding>({
      async redis() {
        const there = await sessionStore.revoke(id, user);
        isMissing = !there && !here;
        later?.put({ kind: "end", id });
        local.addTombstone(id, forMs(true));
        // Where Redis has none, the database may have it, and is told of the end.
        return there || here || database !== null ? "done" : "missing";
      },
      async database(stored) {
        const there = await stored.revoke(id, user);
        isMissing = !there && !here;
        local.addTombstone(id, { user });
        // The journal has it for Redis; this isolate may be there first.
        if (onRedis) pending.end(id, user);
        return there || here || onRedis ? "done" : "missing";
      },
      async here() {
        const known = local.addTombstone(id, { user });
        isMissing = !here && !shared;
        const queued = later?.put({ kind: "end", id }) ?? true;
        if (onRedis) return acceptedHere(pending.end(id, user), requestId);
        return here || !known || shared ? acceptedHere(known && queued, requestId) : "missing";
      },
    });
    return isMissing && userId !== null && (await endRotated({ id, userId }, requestId)) ? "done" : ended;
  }

  /**
   * Ends what rotations have made of a session since: whoever signs out with a former id of it means the session that goes on, be it theirs or
   * a thief's (RFC 9700 §4.14.2).
   *
   * @param former Its user is the one that this isolate remembers, where none is given.
   * @returns whether there was any.
   */
  async function endRotated(
    { id, userId = seen.get(id)?.record.user_id }: { id: string; userId?: string | undefined },
    requestId?: string,
  ): Promise<boolean> {
    if (userId === undefined || !isSessionId(id)) return false;
    const user = await identifier.sessionUser(userId);
    const since = async (stored: SessionStore) =>
      (await stored.list(user)).filter(
        ({ record }) =>
          record.user_id === userId &&
          record.session_id !== id &&
          signInOf(record.session_id) === signInOf(id) &&
          !local.hasTombstone(record.session_id),
      );
    const found = await attempt({
      redis: () => since(sessionStore),
      database: since,
      here: () => since(local),
    });
    for (const { record } of found) await revoke(record.session_id, userId, requestId);
    return found.length > 0;
  }

  /** Ends all sessions of a user except one. `count` is how many lived; null where only Redis knows. */
  async function revokeAllOf(
    userId: string,
    exceptId: string | null,
    requestId?: string,
  ): Promise<{ ended: SessionEnding; count: number | null }> {
    const now = platform.now();
    const user = await identifier.sessionUser(userId);
    const except = exceptId === null ? null : signInOf(exceptId);
    for (const [id, { record }] of seen) {
      if (record.user_id !== userId || signInOf(id) === except) continue;
      seen.delete(id);
      local.addTombstone(id);
    }
    const here = await local.revokeAllOf(user, exceptId, now);
    const unwritten = pending
      .createsOf(user)
      .flatMap(({ record: { session_id: id } }) => (signInOf(id) === except ? [] : [id]));
    for (const id of unwritten) pending.creates.delete(id);
    const hash = await identifier.hash("user", userId);
    events.emit("session.revoked_all", { request_id: requestId, user: hash });
    const idsOf = (ended: readonly KeptSession[]) =>
      ended.flatMap(({ record }) => (record.user_id === userId ? [record.session_id] : []));
    const mark = withEnding(NO_MARK, now, except);
    return attempt<{ ended: SessionEnding; count: number | null }>({
      async redis() {
        const there = idsOf(await sessionStore.revokeAllOf(user, exceptId, now));
        // The ids are those that an isolate with a faster clock has created, too.
        later?.put({ kind: "end user", user, mark }, ...there.map((id) => ({ kind: "end", id }) as const));
        return { ended: "done", count: new Set([...unwritten, ...there]).size };
      },
      async database(stored) {
        const there = idsOf(await stored.revokeAllOf(user, exceptId, now));
        if (onRedis) pending.endUser(user, except, now);
        return { ended: "done", count: onRedis ? null : there.length };
      },
      async here() {
        const marked = local.ended({ id: "", user, createdAt: now });
        const queued = later?.put({ kind: "end user", user, mark }) ?? true;
        const kept = onRedis ? pending.endUser(user, except, now) : marked && queued;
        return { ended: acceptedHere(kept, requestId), count: shared ? null : here.length };
      },
    });
  }

  /** Ends all sessions of all users. */
  async function revokeEveryone(requestId?: string): Promise<SessionEnding> {
    const now = platform.now();
    await local.revokeEveryone(now);
    seen.clear();
    pending.creates.clear();
    events.emit("session.revoked_everyone", { request_id: requestId });
    return attempt<SessionEnding>({
      async redis() {
        await sessionStore.revokeEveryone(now);
        later?.put({ kind: "end everyone", at: now });
        return "done";
      },
      async database(stored) {
        await stored.revokeEveryone(now);
        if (onRedis) pending.endEveryone(now);
        return "done";
      },
      async here() {
        later?.put({ kind: "end everyone", at: now });
        return acceptedHere(!onRedis || pending.endEveryone(now), requestId);
      },
    });
  }
}
