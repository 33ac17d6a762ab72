import type { TokenSource } from "../identity/caller.ts";
import type { SessionClaims } from "../identity/session-token.ts";
import type { Decide, EdgeRequest } from "../request/capability.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import { newSessionOf, recordOf } from "./claims.ts";
import { idleTimes } from "./idle.ts";
import type { EndedBy, KnownEnds } from "./known-ends.ts";
import type { SessionsOptions } from "./options.ts";
import { isoTime, type SessionRecord, timeOf } from "./record.ts";
import type { SessionService } from "./session-service.ts";
import type { KeptSession } from "./session-store.ts";
import { endedByMark, keptSession } from "./upstash-session-store.ts";
import type { SessionVerdict } from "./verdict.ts";

export interface SessionValidatorOptions extends SessionsOptions {
  isolateMaxAgeMs: number;
  service: SessionService;
  onRedis: boolean;
  /** Sessions that Redis said are over. */
  knownEnds: KnownEnds;
  sign(claims: SessionClaims): Promise<string>;
}

/** A consistency token is sent along for this long after it was given, ms. */
const YOUNG_MS = 60_000;

interface Asked {
  request: EdgeRequest;
  claims: SessionClaims;
  tokenSource: TokenSource;
  userHash: string;
}

/** What the edge makes of the session that a request claims: the two steps of the capability. */
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
    const userHash = await identifier.hash("user", claims.userId);
    if (!onRedis) return (await keptAlone(claims, userHash)).because === null ? "alive" : "over";
    const name = { id: claims.id, userHash, createdAt: claims.issuedAt };
    if (knownEnds.has(claims.id) || service.endedHere(name)) return "over";
    return service.confirmedWithin(claims.id, isolateMaxAgeMs) ? "alive" : null;
  }

  async function prepare(request: EdgeRequest, batch: Batch): Promise<Decide<SessionVerdict>> {
    const claim = request.claims.session;
    if (claim.kind === "absent") return () => ({ kind: "none" });
    const { tokenSource } = claim;
    if (claim.kind === "invalid") return () => over("invalid", tokenSource);
    const { claims } = claim;
    const asked = { request, claims, tokenSource, userHash: await identifier.hash("user", claims.userId) };
    if (!onRedis) return () => alone(asked);
    if (knownEnds.has(claims.id)) return () => over("revoked", tokenSource);
    const name = { id: claims.id, userHash: asked.userHash, createdAt: claims.issuedAt };
    if (service.endedHere(name)) {
      // It may be that nobody could keep its end for Redis: then whoever sees its token tells it.
      request.after((after) => void service.retell(after, claims.id, asked.userHash));
      return () => over("revoked", tokenSource);
    }

    // It was made, or rotated to, when its token was first signed: a renewed one carries none.
    if (claims.syncToken !== null && platform.now() - claims.confirmedAt < YOUNG_MS)
      batch.syncToken = claims.syncToken;
    // One MGET, whatever it reads. The tombstone and the mark tell an end from a record that is merely absent.
    const reads = [
      batch.read(keys.session(claims.id)),
      batch.read(keys.sessionVersion()),
      batch.read(keys.sessionTombstone(claims.id)),
      batch.read(keys.sessionMark(asked.userHash)),
    ];
    return async () => {
      try {
        return await confirmed(asked, await Promise.all(reads));
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        return withoutStore(asked);
      }
    };
  }

  /** Redis has answered. */
  async function confirmed(
    { request, claims, tokenSource, userHash }: Asked,
    [text = null, version = null, tombstone = null, mark = null]: (string | null)[],
  ): Promise<SessionVerdict> {
    const ended = (because: "revoked" | "idle", by: EndedBy | null = null) => {
      service.forget(claims.id);
      if (by !== null) knownEnds.add(claims, by);
      return over(because, tokenSource);
    };
    if (Number(version ?? 0) >= claims.issuedAt) return ended("revoked", "evidence");
    if (tombstone !== null || endedByMark(mark, claims.id, claims.issuedAt))
      return ended("revoked", "evidence");
    // It may have ended here while Redis was asked: what Redis said before must not count as a confirmation after it.
    if (
      service.endedHere({ id: claims.id, userHash, createdAt: claims.issuedAt }) ||
      service.endedForAll(claims)
    )
      return ended("revoked");
    const now = platform.now();
    const kept = keptSession(text);
    // Redis lost it, and nobody else was to keep it: it is over.
    if (kept === null && !claims.offline) return ended("revoked", "absent");
    const record = kept?.record ?? recordOf(claims);
    if (record.user_id !== claims.userId) return ended("revoked");
    const silentMs = now - timeOf(record.last_active);
    if (silentMs > lifetimeMs) return ended("idle");
    if (!kept) {
      // Made in an outage by an isolate that never got to write it: whoever sees its token does.
      const session = newSessionOf(record, claims, userHash);
      request.after((batch) => void sessionStore.queueAdopt(batch, session).catch(ignore));
    } else if (silentMs >= touchIntervalMs) {
      const updated = { ...record, last_active: isoTime(now) };
      request.after((batch) => void sessionStore.queueTouch(batch, kept, updated).catch(ignore));
    }
    service.confirm(claims.id, record);
    const renew = (claims.offline && kept) || now - claims.confirmedAt >= renewEveryMs;
    return {
      kind: "active",
      claims,
      record,
      source: "redis",
      tokenSource,
      renewed: renew ? await renewed(claims, now, kept !== null) : null,
    };
  }

  /** Nobody can be asked: the signature speaks, for as long as the last confirmation is young. */
  async function withoutStore(asked: Asked): Promise<SessionVerdict> {
    const { request, claims, tokenSource, userHash } = asked;
    const name = { id: claims.id, userHash, createdAt: claims.issuedAt };
    if (local.ended(name) || service.endedHere(name)) return over("revoked", tokenSource);
    const remembered = await service.remembered(claims.id);
    const confirmedAt = Math.max(claims.confirmedAt, remembered?.confirmedAt ?? 0);
    const honoured = request.route.offline && graceMs > 0 && platform.now() - confirmedAt <= graceMs;
    return honoured ? vouched(asked, remembered?.record ?? null, null) : { kind: "unknown", tokenSource };
  }

  /** No store at all: this isolate's map, and for what other isolates made the signature, for as long as it is in use. */
  async function alone(asked: Asked): Promise<SessionVerdict> {
    const { claims, tokenSource, userHash } = asked;
    const { kept, because } = await keptAlone(claims, userHash);
    if (because !== null) return over(because, tokenSource);
    const now = platform.now();
    const record = { ...(kept?.record ?? recordOf(claims)), last_active: isoTime(now) };
    if (!kept) await local.adopt(newSessionOf(record, claims, userHash));
    else if (now - timeOf(kept.record.last_active) >= touchIntervalMs) await local.touch(kept, record);
    // Of activity in another isolate only the token tells.
    const renew = now - claims.confirmedAt >= touchIntervalMs;
    return vouched(asked, kept ? kept.record : null, renew ? await renewed(claims, now) : null);
  }

  /** What this isolate's map holds of a session, and why the session is over, without a store. */
  async function keptAlone(
    claims: SessionClaims,
    userHash: string,
  ): Promise<{ kept: KeptSession | null; because: "revoked" | "idle" | null }> {
    if (local.ended({ id: claims.id, userHash, createdAt: claims.issuedAt }))
      return { kept: null, because: "revoked" };
    const kept = await local.read(claims.id);
    const lastWritten = Math.max(claims.confirmedAt, kept ? timeOf(kept.record.last_active) : 0);
    return { kept, because: platform.now() - lastWritten > lifetimeMs ? "idle" : null };
  }

  /**
   * A token with a younger confirmation, so that an outage finds it young.
   *
   * @param kept Redis has the record: until it does, the token alone carries the session.
   */
  function renewed(claims: SessionClaims, now: number, kept = true): Promise<string> {
    const young = { ...claims, syncToken: null, confirmedAt: now };
    return sign(kept ? { ...young, offline: false, userData: {} } : young);
  }
}

function vouched(
  { claims, tokenSource }: Asked,
  remembered: SessionRecord | null,
  renewed: string | null,
): SessionVerdict {
  const record = remembered ?? recordOf(claims);
  return {
    kind: "active",
    claims,
    record,
    source: remembered ? "memory" : "signature",
    tokenSource,
    renewed,
  };
}

function over(because: "invalid" | "revoked" | "idle", tokenSource: TokenSource): SessionVerdict {
  return { kind: "over", because, tokenSource };
}

/** The breaker has heard of it, and the next request tries again. */
function ignore(): void {}
