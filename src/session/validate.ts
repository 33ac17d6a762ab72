import type { TokenSource } from "../identity/caller.ts";
import { idleTimes } from "../identity/session-idle.ts";
import { sessionKeys, storedOutcome } from "../identity/session-outcome.ts";
import type { SessionClaims } from "../identity/session-token.ts";
import type { UserNames } from "../identity/session-users.ts";
import type { Decide, EdgeRequest } from "../request/capability.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import { newSessionOf, recordOf } from "./claims.ts";
import type { EndedBy, KnownEnds } from "./known-ends.ts";
import type { SessionName } from "./memory-session-store.ts";
import type { SessionsOptions } from "./options.ts";
import { changedRecord, isoTime, type KeptSession, timeOf } from "./record.ts";
import type { SessionService } from "./session-service.ts";
import { keptSession } from "./upstash-session-store.ts";
import type { SessionVerdict } from "./verdict.ts";

export interface SessionValidatorOptions extends SessionsOptions {
  isolateMaxAgeMs: number;
  service: SessionService;
  onRedis: boolean;
  /** Sessions that Redis has reported as over. */
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
 * StoreError it decides from the token and this isolate's memory.
 */
export function createSessionValidator({
  service,
  knownEnds,
  onRedis,
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

  return { prepare, knownOutcome };

  async function knownOutcome(claims: SessionClaims): Promise<"alive" | "over" | null> {
    const user = await identifier.sessionUser(claims.userId);
    if (!onRedis) return (await keptAlone(claims, user)).because === null ? "alive" : "over";
    const name = nameOf(claims, user);
    if (knownEnds.has(name) || service.endedHere(name)) return "over";
    return service.confirmedWithin(claims.id, isolateMaxAgeMs) ? "alive" : null;
  }

  async function prepare(request: EdgeRequest, batch: Batch): Promise<Decide<SessionVerdict>> {
    const claim = request.claims.session;
    if (claim.kind === "absent") return () => ({ kind: "none" });
    const { tokenSource } = claim;
    if (claim.kind === "invalid") return () => over("invalid", tokenSource);
    const { claims } = claim;
    const user = await identifier.sessionUser(claims.userId);
    const asked = { request, claims, tokenSource, user };
    if (!onRedis) return () => withoutRedis(asked);
    const name = nameOf(claims, user);
    if (knownEnds.has(name)) return () => over("revoked", tokenSource);
    if (service.endedHere(name)) {
      // The list of pending writes may have been full. Then a request with the session's token writes the end again.
      request.after((after) => void service.writeEndAgain(after, claims.id, user));
      return () => over("revoked", tokenSource);
    }

    // Only the first token of a session or of a rotation carries a consistency token. A renewed one carries none.
    if (claims.syncToken !== null && platform.now() - claims.confirmedAt < YOUNG_MS)
      batch.syncToken = claims.syncToken;
    // One MGET reads them all. Tombstone, version and marks distinguish an ended session from an absent record.
    const reads = sessionKeys(keys, asked).map((key) => batch.read(key));
    return async () => {
      try {
        return await confirmed(asked, await Promise.all(reads));
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        return inOutage(asked);
      }
    };
  }

  /** The verdict from Redis' reply: what it holds at the keys that tell of the session. */
  async function confirmed(
    { request, claims, tokenSource, user }: Asked,
    texts: readonly (string | null)[],
  ): Promise<SessionVerdict> {
    const name = nameOf(claims, user);
    const ended = (because: "revoked" | "idle", by: EndedBy | null = null) => {
      service.forget(claims.id);
      if (by !== null) knownEnds.add(claims, by);
      return over(because, tokenSource);
    };
    const [text = null, , version = null, ...marks] = texts;
    knownEnds.learn(user, version, marks);
    const outcome = storedOutcome(claims, texts);
    if (outcome === "ended") return ended("revoked", "evidence");
    // It may have ended here while Redis was asked: what Redis said before must not count as a confirmation after it.
    if (service.endedHere(name)) return ended("revoked");
    // Redis has lost the record, and the token does not carry the session's data: the session is over.
    if (outcome === "absent") return ended("revoked", "absent");
    const now = platform.now();
    const kept = keptSession(text);
    // The record cannot be read.
    if (kept === null && !claims.offline) return ended("revoked", "absent");
    const present = kept ?? recordOf(claims);
    const { record } = present;
    if (record.user_id !== claims.userId) return ended("revoked");
    const silentMs = now - timeOf(record.last_active);
    if (silentMs > lifetimeMs) return ended("idle");
    if (!kept) {
      // Another isolate created it in an outage and has not written it. This request writes it after its response.
      const session = newSessionOf(present, claims, user);
      request.after((batch) => void sessionStore.queueAdopt(batch, session).catch(ignore));
    } else if (silentMs >= touchIntervalMs) {
      const updated = changedRecord(kept, { last_active: isoTime(now) });
      request.after((batch) => void sessionStore.queueTouch(batch, kept, updated, user).catch(ignore));
    }
    service.confirm(claims.id, present);
    const renew = (claims.offline && kept) || now - claims.confirmedAt >= renewEveryMs;
    return {
      kind: "active",
      claims,
      ...present,
      source: "redis",
      tokenSource,
      renewed: renew ? await renewed(claims, now, kept !== null) : null,
    };
  }

  /** The store is lost: a valid signature suffices while the last confirmation is within the grace. */
  async function inOutage(asked: Asked): Promise<SessionVerdict> {
    const { request, claims, tokenSource, user } = asked;
    const name = nameOf(claims, user);
    if (knownEnds.has(name) || service.endedHere(name)) return over("revoked", tokenSource);
    const remembered = await service.remembered(claims.id);
    const confirmedAt = Math.max(claims.confirmedAt, remembered?.confirmedAt ?? 0);
    const withinGrace = request.route.offline && graceMs > 0 && platform.now() - confirmedAt <= graceMs;
    return withinGrace ? active(asked, remembered, null) : { kind: "unknown", tokenSource };
  }

  /** No store is configured: this isolate's map decides, and for another isolate's session the signature and idle time. */
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
    return sign(kept ? { ...confirmedNow, offline: false, userData: null } : confirmedNow);
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
