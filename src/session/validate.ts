import type { TokenSource } from "../identity/caller.ts";
import { idleTimes } from "../identity/session-idle.ts";
import { sessionKeys, storedOutcome } from "../identity/session-outcome.ts";
import type { SessionClaims } from "../identity/session-token.ts";
import type { UserNames } from "../identity/session-users.ts";
import type { Decide, EdgeRequest } from "../request/capability.ts";
import type { Batch } from "../store/batch.ts";
import { notUnderstood, StoreError } from "../store/errors.ts";
import { newSessionOf, recordOf } from "./claims.ts";
import type { Looked } from "./d1-session-store.ts";
import type { EndedBy, KnownEnds } from "./known-ends.ts";
import type { SessionName } from "./memory-session-store.ts";
import type { SessionsOptions } from "./options.ts";
import { changedRecord, isoTime, type KeptSession, timeOf } from "./record.ts";
import { carriesRecord, type SessionDatabase } from "./session-database.ts";
import type { SessionService } from "./session-service.ts";
import { inBoth, inDatabase, type Stored } from "./stored.ts";
import { unmovedKeys, unmovedRecord } from "./unmoved.ts";
import type { SessionVerdict } from "./verdict.ts";

export interface SessionValidatorOptions extends SessionsOptions {
  isolateMaxAgeMs: number;
  service: SessionService;
  onRedis: boolean;
  database: SessionDatabase | null;
  /** Sessions that Redis or the database has reported as over. */
  knownEnds: KnownEnds;
  sign(claims: SessionClaims): Promise<string>;
}

/** A consistency token is sent along for this long after it was given, ms. */
const YOUNG_MS = 60_000;

interface Asked {
  request: EdgeRequest;
  claims: SessionClaims;
  tokenSource: TokenSource;
  user: UserNames;
}

/**
 * The session capability: `prepare` queues the reads of a request's session, and its second step returns the verdict. On a
 * StoreError the database decides; where there is none, or it does not answer, the token and this isolate's memory.
 */
export function createSessionValidator({
  service,
  knownEnds,
  onRedis,
  database,
  isolateMaxAgeMs,
  sign,
  keys,
  config,
  platform,
  identifier,
}: SessionValidatorOptions) {
  const { sessionStore, local } = service;
  const { touchIntervalMs, lifetimeMs } = idleTimes(config.idleSeconds);
  /** Activity elsewhere cannot be seen in an outage, so nothing is honoured longer than the idle limit either. */
  const graceMs = Math.min(config.offlineGraceSeconds, config.idleSeconds) * 1000;
  const renewEveryMs = Math.max(touchIntervalMs, graceMs / 2);
  /** What the database says of a request's session, by the request's own claims: two steps of it ask. */
  const lookedUp = new WeakMap<SessionClaims, Promise<Looked | null>>();

  return { prepare, knownOutcome };

  async function knownOutcome(claims: SessionClaims): Promise<"alive" | "over" | null> {
    const user = await identifier.sessionUser(claims.userId);
    if (!onRedis && !database) return (await keptAlone(claims, user)).because === null ? "alive" : "over";
    const name = nameOf(claims, user);
    if (knownEnds.has(name) || service.endedHere(name)) return "over";
    if (service.confirmedWithin(claims.id, isolateMaxAgeMs)) return "alive";
    return onRedis ? null : inDatabaseAlone(claims, user);
  }

  /** The same where Redis has no sessions: nothing that is sent to Redis could tell. */
  async function inDatabaseAlone(claims: SessionClaims, user: UserNames): Promise<"alive" | "over"> {
    const looked = await lookOnce(claims, user);
    if (!looked) return (await graced(claims)).within ? "alive" : "over";
    const { texts, before } = inDatabase(looked);
    const kept = looked.kept ?? unmovedRecord(claims, before);
    const outcome = outcomeOf(claims, texts);
    if (kept === "ended" || outcome === "ended" || isSilent(claims, kept)) return "over";
    return kept !== null || outcome === "alive" ? "alive" : "over";
  }

  function lookOnce(claims: SessionClaims, user: UserNames): Promise<Looked | null> {
    const { id, rotatedFrom } = claims;
    const looking = lookedUp.get(claims) ?? database?.look(id, user, rotatedFrom) ?? Promise.resolve(null);
    lookedUp.set(claims, looking);
    return looking;
  }

  function outcomeOf(claims: SessionClaims, texts: readonly (string | null)[]) {
    return storedOutcome({ ...claims, offline: carriesRecord(claims, database) }, texts);
  }

  async function prepare(request: EdgeRequest, batch: Batch): Promise<Decide<SessionVerdict>> {
    const claim = request.claims.session;
    if (claim.kind === "absent") return () => ({ kind: "none" });
    const { tokenSource } = claim;
    if (claim.kind === "invalid") return () => over("invalid", tokenSource);
    const { claims } = claim;
    database?.copy.use();
    const user = await identifier.sessionUser(claims.userId);
    const asked = { request, claims, tokenSource, user };
    if (!onRedis && !database) return () => withoutRedis(asked);
    const name = nameOf(claims, user);
    if (knownEnds.has(name)) return () => over("revoked", tokenSource);
    if (service.endedHere(name)) {
      // The list of pending writes may have been full. Then a request with the session's token writes the end again.
      request.after((after) => void service.writeEndAgain(after, claims.id, user));
      return () => over("revoked", tokenSource);
    }
    if (!onRedis) {
      // It is asked beside Redis, which is asked about limits and the cache.
      void lookOnce(claims, user);
      return () => byDatabase(asked);
    }

    // Only the first token of a session or of a rotation carries a consistency token. A renewed one carries none.
    if (claims.syncToken !== null && platform.now() - claims.confirmedAt < YOUNG_MS)
      batch.syncToken = claims.syncToken;
    // One MGET reads them all. Tombstone, version and marks distinguish an ended session from an absent record.
    const reads = batch.readAll(sessionKeys(keys, asked));
    const unmoved = batch.readAll(unmovedKeys(keys, claims));
    const learned = database?.copy.learned;
    const position = database ? batch.read(keys.sessionsCarried()) : null;
    // What Redis says will not suffice: both are asked at once.
    if (database?.copy.sure === false) void lookOnce(claims, user);
    return async () => {
      try {
        const texts = await reads;
        if (position) database?.copy.see(await position, learned);
        return await byRedis(asked, { texts, before: await unmoved });
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        database?.copy.doubt();
        return byDatabase(asked);
      }
    };
  }

  /** The verdict from Redis' reply; and from the database's, where Redis may lack what the database has. */
  async function byRedis(asked: Asked, redis: Pick<Stored, "texts" | "before">): Promise<SessionVerdict> {
    const { claims, user } = asked;
    const outcome = outcomeOf(claims, redis.texts);
    const isMissing =
      outcome === "absent" || (outcome === "alive" && !redis.texts[0] && claims.rotatedFrom !== undefined);
    const isSure = database?.copy.sure !== false;
    // Redis may have lost its latest writes while nobody looked: a session that it lacks is no reason to be sure.
    if (!database || (isSure && !isMissing)) return confirmed(asked, { ...redis, from: "redis" });
    const looked = await lookOnce(claims, user);
    // Redis has no record, and what may have one does not answer: that is no denial (law 2).
    const isExpected = !isSure || claims.offline;
    if (!looked && isMissing && isExpected && !redis.before[0]) return inOutage(asked);
    return confirmed(asked, inBoth(redis, looked));
  }

  /** The verdict where Redis does not answer, or has no sessions. */
  async function byDatabase(asked: Asked): Promise<SessionVerdict> {
    const looked = database && (await lookOnce(asked.claims, asked.user));
    if (!looked) return inOutage(asked);
    const stored = inDatabase(looked);
    // It was never told of sessions from before it was configured.
    const isKnown = stored.before.some((text) => text !== null);
    if (onRedis && !isKnown && outcomeOf(asked.claims, stored.texts) === "absent") return inOutage(asked);
    return confirmed(asked, stored);
  }

  /** The verdict from what is stored at the keys that tell of the session. */
  async function confirmed(asked: Asked, { texts, from, before }: Stored): Promise<SessionVerdict> {
    const { claims, tokenSource, user } = asked;
    const name = nameOf(claims, user);
    const ended = (because: "revoked" | "idle", by: EndedBy | null = null) => {
      service.forget(claims.id);
      if (by !== null) knownEnds.add(claims, by);
      return over(because, tokenSource);
    };
    const [text = null, , version = null, ...marks] = texts;
    const kept = text === null ? null : service.parsed(claims.id, text);
    // A reply to another request says nothing of this session (law 2).
    if (from === "redis" && kept && kept.record.session_id !== claims.id) throw notUnderstood();
    knownEnds.learn(user, version, marks);
    if (outcomeOf(claims, texts) === "ended") return ended("revoked", "evidence");
    // It may have ended here while Redis was asked: what Redis said before must not count as a confirmation after it.
    if (service.endedHere(name)) return ended("revoked");
    const unmoved = text === null ? unmovedRecord(claims, before) : null;
    if (unmoved === "ended") return ended("revoked", "evidence");
    const now = platform.now();
    const present = kept ?? unmoved ?? (carriesRecord(claims, database) ? recordOf(claims) : null);
    // Redis has lost the record, or it cannot be read, and the token does not carry the session's data: the session is over.
    if (present === null) return ended("revoked", "absent");
    const { record } = present;
    if (record.user_id !== claims.userId) return ended("revoked");
    if (isSilent(claims, present)) return ended("idle", from === "copy" ? "absent" : null);
    writeAfter(asked, { kept, present, from });
    service.confirm(claims.id, present);
    // A copy is on its way there, and may not arrive.
    const inRedis = kept !== null && (from === "redis" || !onRedis);
    const offline = claims.offline && !inRedis;
    const settled = kept === null ? claims : { ...claims, offline, rotatedFrom: undefined };
    const renew = (claims.offline && inRedis) || now - claims.confirmedAt >= renewEveryMs;
    return {
      kind: "active",
      claims: settled,
      ...present,
      source: from === "database" ? "database" : "redis",
      tokenSource,
      renewed: renew ? await renewed(settled, now, inRedis) : null,
    };
  }

  /** Writes down activity after the response, and the record where Redis has none. */
  function writeAfter(
    { request, claims, user }: Asked,
    { kept, present, from }: Pick<Stored, "from"> & { kept: KeptSession | null; present: KeptSession },
  ): void {
    const now = platform.now();
    const isDue = kept !== null && now - timeOf(kept.record.last_active) >= touchIntervalMs;
    // Most requests write nothing: then the text need not be made.
    if (kept && !isDue && from !== "copy") return;
    const updated = kept && changedRecord(kept, { last_active: isoTime(now) });
    const session = newSessionOf(updated ?? present, claims, user);
    // Its isolate could tell neither store, or does not know what it has told, and may be gone.
    if (!kept && database) request.after(() => void database.outbox.put({ kind: "adopt", session }));
    if (from === "database") {
      if (updated)
        request.after(
          async () => void (await database?.sessionStore.touch(kept, updated, user).catch(ignore)),
        );
    } else if (!updated || from === "copy") {
      // Another isolate created it in an outage and has not written it, or Redis has lost it, and maybe more.
      if (from === "copy" && database?.copy.sure) database.copy.doubt();
      request.after((batch) => void sessionStore.queueUnwritten(batch, session).catch(ignore));
    } else request.after((batch) => void sessionStore.queueTouch(batch, kept, updated, user).catch(ignore));
  }

  /** Activity elsewhere may be written down in the token alone: nothing else was told of it in an outage. */
  function isSilent({ confirmedAt }: SessionClaims, kept: KeptSession | null): boolean {
    const written = kept ? timeOf(kept.record.last_active) : confirmedAt;
    const lastActive = database ? Math.max(confirmedAt, written) : written;
    return platform.now() - lastActive > lifetimeMs;
  }

  /** The store is lost: a valid signature suffices while the last confirmation is within the grace. */
  async function inOutage(asked: Asked): Promise<SessionVerdict> {
    const { request, claims, tokenSource, user } = asked;
    const name = nameOf(claims, user);
    if (knownEnds.has(name) || service.endedHere(name)) return over("revoked", tokenSource);
    const { remembered, within } = await graced(claims);
    return request.route.offline && within
      ? active(asked, remembered, null)
      : { kind: "unknown", tokenSource };
  }

  /** Whether a session was confirmed so recently that its signature suffices in an outage. */
  async function graced({ id, confirmedAt }: SessionClaims) {
    const remembered = await service.remembered(id);
    const latest = Math.max(confirmedAt, remembered?.confirmedAt ?? 0);
    return { remembered, within: graceMs > 0 && platform.now() - latest <= graceMs };
  }

  /** Sessions have no store: this isolate's map decides, and for another isolate's session the signature and idle time. */
  async function withoutRedis(asked: Asked): Promise<SessionVerdict> {
    const { claims, tokenSource, user } = asked;
    const { kept, because } = await keptAlone(claims, user);
    if (because !== null) return over(because, tokenSource);
    const now = platform.now();
    const touched = changedRecord(kept ?? recordOf(claims), { last_active: isoTime(now) });
    if (!kept) await local.adopt(newSessionOf(touched, claims, user));
    else if (now - timeOf(kept.record.last_active) >= touchIntervalMs) await local.touch(kept, touched);
    // Of activity in another isolate only the token tells.
    const renew = now - claims.confirmedAt >= touchIntervalMs;
    return active(asked, kept, renew ? await renewed(claims, now) : null);
  }

  /** What this isolate's map holds of a session, and why the session is over, without a store. */
  async function keptAlone(
    claims: SessionClaims,
    user: UserNames,
  ): Promise<{ kept: KeptSession | null; because: "revoked" | "idle" | null }> {
    if (local.ended(nameOf(claims, user))) return { kept: null, because: "revoked" };
    const kept = await local.read(claims.id);
    const lastWritten = Math.max(claims.confirmedAt, kept ? timeOf(kept.record.last_active) : 0);
    return { kept, because: platform.now() - lastWritten > lifetimeMs ? "idle" : null };
  }

  /**
   * A token with a newer confirmation time, so that the grace of an outage counts from now.
   *
   * @param kept Redis has the record. Until it does, the token carries the session's data.
   */
  function renewed(claims: SessionClaims, now: number, kept = true): Promise<string> {
    const confirmedNow = { ...claims, syncToken: null, confirmedAt: now };
    if (!kept) return sign(confirmedNow);
    return sign({ ...confirmedNow, offline: false, userData: null, rotatedFrom: undefined });
  }
}

function nameOf({ id, issuedAt }: SessionClaims, user: UserNames): SessionName {
  return { id, user, createdAt: issuedAt };
}

function active(
  { claims, tokenSource }: Asked,
  remembered: KeptSession | null,
  renewed: string | null,
): SessionVerdict {
  const { record, text } = remembered ?? recordOf(claims);
  return {
    kind: "active",
    claims,
    record,
    text,
    source: remembered ? "memory" : "signature",
    tokenSource,
    renewed,
  };
}

function over(because: "invalid" | "revoked" | "idle", tokenSource: TokenSource): SessionVerdict {
  return { kind: "over", because, tokenSource };
}

/** The store counts the failure for the breaker, and the next request writes again. */
function ignore(): void {}
