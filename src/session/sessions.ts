import type { Identifier } from "../caller/index.ts";
import type { Capability, Decide, EdgeRequest } from "../capability.ts";
import type { Config } from "../config/index.ts";
import type { Log } from "../observe/index.ts";
import type { Platform } from "../platform.ts";
import { type Keys, type Store, StoreError, type Trip } from "../store/index.ts";
import { clearedCookie, sessionCookie } from "./cookies.ts";
import type { NewSession } from "./keeper.ts";
import { createLedger, type SessionLedger } from "./ledger.ts";
import { parseSessionSignal } from "./origin-signal.ts";
import { isoTime, type SessionRecord, timeOf } from "./record.ts";
import { base64url, type SessionClaims, signToken } from "./token.ts";
import { keptSession } from "./upstash-keeper.ts";
import type { ActiveSession, SessionVerdict } from "./verdict.ts";

export interface SessionsOptions {
  store: Store;
  keys: Keys;
  config: Config["session"];
  /** false keeps sessions in the isolate. Default true. */
  useRedis?: boolean;
  identifier: Pick<Identifier, "hash">;
  platform: Platform;
  log: Log;
}

/** What a new session is made of. */
export interface SessionInput {
  userId: string;
  tier?: string | null;
  /** Any JSON. */
  userData?: unknown;
  deviceInfo?: unknown;
  ipAddress?: string | null;
  /** Seconds until its absolute end. Default and most: `SESSION_ABSOLUTE_SECONDS`. */
  ttlSeconds?: number;
}

export interface CreatedSession {
  record: SessionRecord;
  token: string;
  claims: SessionClaims;
  /** false: kept in this isolate and in the token until the store is back. */
  durable: boolean;
}

/** `last_active` is written at most this often, ms. */
const TOUCH_EVERY_MS = 60_000;
/** A consistency token is sent along for this long after the session began, ms. */
const YOUNG_MS = 60_000;
/** 160 bits (ASVS 7.2.3 asks for 128). */
const ID_BYTES = 20;

export interface Sessions extends Capability<SessionVerdict> {
  /** @throws RangeError when an outage's token could not carry the user data (more than 2 KiB). */
  create(input: SessionInput): Promise<CreatedSession>;
  /** The session of a verdict under a new id; the old one is dead at once. Null when it was dead already. */
  rotate(active: ActiveSession): Promise<CreatedSession | null>;
  /** Reading, listing and ending: `ledger.ts`. */
  readonly ledger: SessionLedger;
  /** What the origin's answer on a `session = "start"` or `"end"` route means; cookies and tokens go into `headers`. */
  fromOrigin(
    request: EdgeRequest,
    verdict: SessionVerdict,
    signal: string | undefined,
    headers: Headers,
  ): Promise<void>;
  /** Tells the client what changed: a renewed token, a cookie that is over. */
  apply(verdict: SessionVerdict, headers: Headers, request: Pick<EdgeRequest, "url">): void;
  /** Hands a session to the client the way it carries them. */
  carry(created: CreatedSession, by: "cookie" | "bearer", headers: Headers, url: URL): void;
}

export function createSessions(options: SessionsOptions): Sessions {
  const { store, keys, config, platform, log, identifier } = options;
  const onRedis = (options.useRedis ?? true) && store.configured;
  const ledger = createLedger({ ...options, onRedis });
  const { keeper, local } = ledger;

  return { prepare, create, rotate, ledger, fromOrigin, apply, carry };

  function prepare(request: EdgeRequest, trip: Trip): Decide<SessionVerdict> {
    const claim = request.caller.session;
    if (claim.kind === "absent") return () => ({ kind: "none" });
    const { carriedBy } = claim;
    if (claim.kind === "invalid") return () => ({ kind: "over", because: "invalid", carriedBy });
    const { claims } = claim;
    if (local.buried(claims.id, claims.issuedAt))
      return () => ({ kind: "over", because: "revoked", carriedBy });
    if (!onRedis) return async () => vouched(claims, await ledger.remembered(claims), carriedBy);

    if (claims.syncToken !== null && platform.now() - claims.issuedAt < YOUNG_MS)
      trip.syncToken = claims.syncToken;
    const record = trip.read(keys.session(claims.id));
    const version = trip.read(keys.sessionVersion());
    const tombstone = claims.offline ? trip.read(keys.sessionTombstone(claims.id)) : Promise.resolve(null);
    return async () => {
      try {
        return await confirmed(request, claims, carriedBy, await Promise.all([record, version, tombstone]));
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        return withoutStore(request, claims, carriedBy);
      }
    };
  }

  /** Redis has answered. */
  async function confirmed(
    request: EdgeRequest,
    claims: SessionClaims,
    carriedBy: "bearer" | "cookie",
    [text, version, tombstone]: [string | null, string | null, string | null],
  ): Promise<SessionVerdict> {
    const over = (because: "revoked" | "idle"): SessionVerdict => {
      ledger.forget(claims.id);
      return { kind: "over", because, carriedBy };
    };
    if (Number(version ?? 0) >= claims.issuedAt) return over("revoked");
    const now = platform.now();
    let kept = keptSession(text);
    if (!kept) {
      // Lost by Redis and never promised to be anywhere else: it is over. One of an outage is written by whoever sees it.
      if (!claims.offline || tombstone !== null) return over("revoked");
      const record = recordOf(claims);
      const session = await newSession(record, claims);
      request.after((trip) => void keeper.queueCreate(trip, session));
      kept = { record, text: JSON.stringify(record) };
    }
    const { record } = kept;
    if (record.user_id !== claims.userId) return over("revoked");
    const idleMs = now - timeOf(record.last_active);
    if (idleMs > config.idleSeconds * 1000) return over("idle");
    ledger.confirm(claims.id, record);
    if (text !== null && idleMs >= TOUCH_EVERY_MS) {
      const current = kept;
      request.after(
        (trip) => void keeper.queueTouch(trip, current, { ...record, last_active: isoTime(now) }),
      );
    }
    return {
      kind: "active",
      claims,
      record,
      source: "redis",
      carriedBy,
      renewed: await renewed(claims, now),
    };
  }

  /** Nobody can be asked: the signature speaks, for as long as the last confirmation is young. */
  async function withoutStore(
    request: EdgeRequest,
    claims: SessionClaims,
    carriedBy: "bearer" | "cookie",
  ): Promise<SessionVerdict> {
    const remembered = await ledger.remembered(claims);
    const graceMs = request.route.offline ? config.offlineGraceSeconds * 1000 : 0;
    const confirmedAt = Math.max(claims.confirmedAt, remembered?.confirmedAt ?? 0);
    if (graceMs === 0 || platform.now() - confirmedAt > graceMs) return { kind: "unknown", carriedBy };
    return vouched(claims, remembered, carriedBy);
  }

  function vouched(
    claims: SessionClaims,
    remembered: { record: SessionRecord } | null,
    carriedBy: "bearer" | "cookie",
  ): SessionVerdict {
    const record = remembered?.record ?? recordOf(claims);
    return {
      kind: "active",
      claims,
      record,
      source: remembered ? "memory" : "signature",
      carriedBy,
      renewed: null,
    };
  }

  /** A token whose confirmation is older than half the grace is replaced, so that an outage finds it young. */
  async function renewed(claims: SessionClaims, now: number): Promise<string | null> {
    const every = Math.max(TOUCH_EVERY_MS, (config.offlineGraceSeconds * 1000) / 2);
    if (!claims.offline && now - claims.confirmedAt < every) return null;
    return sign({ ...claims, offline: false, userData: {}, syncToken: null, confirmedAt: now });
  }

  async function create(input: SessionInput): Promise<CreatedSession> {
    const now = platform.now();
    const lifetimeMs = Math.min(input.ttlSeconds ?? config.absoluteSeconds, config.absoluteSeconds) * 1000;
    const claims: SessionClaims = {
      id: base64url(platform.randomBytes(ID_BYTES)),
      userId: input.userId,
      tier: input.tier ?? null,
      issuedAt: now,
      expiresAt: now + lifetimeMs,
      confirmedAt: now,
      offline: false,
      userData: input.userData ?? {},
      syncToken: null,
    };
    const record: SessionRecord = {
      ...recordOf(claims),
      device_info: input.deviceInfo ?? {},
      ip_address: input.ipAddress ?? null,
    };
    const kept = await ledger.create(await newSession(record, claims));
    log.info("session.created", { session: await logHash(claims.id), durable: kept.durable });
    const final = { ...claims, offline: !kept.durable, syncToken: kept.syncToken };
    return { record, claims: final, token: await sign(final), durable: kept.durable };
  }

  async function rotate({ claims, record }: ActiveSession): Promise<CreatedSession | null> {
    const next = { ...claims, id: base64url(platform.randomBytes(ID_BYTES)), confirmedAt: platform.now() };
    const renamed = { ...record, session_id: next.id, last_active: isoTime(platform.now()) };
    const kept = await ledger.rotate(claims, await newSession(renamed, next));
    if (!kept) return null;
    log.info("session.rotated", { session: await logHash(next.id), durable: kept.durable });
    const final = { ...next, offline: !kept.durable, userData: record.user_data };
    return { record: renamed, claims: final, token: await sign(final), durable: kept.durable };
  }

  async function fromOrigin(
    request: EdgeRequest,
    verdict: SessionVerdict,
    signal: string | undefined,
    headers: Headers,
  ): Promise<void> {
    if (request.route.session === "end") {
      if (verdict.kind !== "active") return;
      await ledger.revoke(verdict.claims.id, verdict.claims.userId);
      if (verdict.carriedBy === "cookie") headers.append("set-cookie", clearedCookie(request.url));
      return;
    }
    const wanted = signal === undefined ? null : parseSessionSignal(signal);
    if (!wanted) {
      if (signal !== undefined) log.warn("session.signal_malformed", { route: request.route.name });
      return;
    }
    // A new id at every sign-in (ASVS 7.2.4): whoever planted the old one has nothing.
    if (verdict.kind === "active") await ledger.revoke(verdict.claims.id, verdict.claims.userId);
    const created = await create({ ...wanted, ipAddress: request.caller.address });
    carry(created, wanted.carry, headers, request.url);
  }

  function apply(verdict: SessionVerdict, headers: Headers, { url }: Pick<EdgeRequest, "url">): void {
    if (verdict.kind === "over" && verdict.carriedBy === "cookie" && !headers.has("set-cookie")) {
      headers.append("set-cookie", clearedCookie(url));
    }
    if (verdict.kind !== "active" || verdict.renewed === null) return;
    const already =
      headers.has("x-session-token") || /(^|\s)(__Host-)?session=/.test(headers.getSetCookie().join("; "));
    if (already || local.buried(verdict.claims.id, verdict.claims.issuedAt)) return;
    if (verdict.carriedBy === "bearer") headers.set("x-session-token", verdict.renewed);
    else
      headers.append(
        "set-cookie",
        sessionCookie(url, verdict.renewed, verdict.claims.expiresAt, platform.now()),
      );
  }

  function carry(
    { token, claims }: CreatedSession,
    by: "cookie" | "bearer",
    headers: Headers,
    url: URL,
  ): void {
    if (by === "bearer") headers.set("x-session-token", token);
    else headers.append("set-cookie", sessionCookie(url, token, claims.expiresAt, platform.now()));
    headers.set("cache-control", "no-store");
  }

  async function newSession(record: SessionRecord, claims: SessionClaims): Promise<NewSession> {
    const userHash = await identifier.hash("user", claims.userId);
    return { record, userHash, createdAt: claims.issuedAt, expiresAt: claims.expiresAt };
  }

  function sign(claims: SessionClaims): Promise<string> {
    const [secret] = config.secrets;
    if (secret === undefined) throw new Error("SESSION_SECRET is not set");
    return signToken(claims, secret);
  }

  function logHash(id: string): Promise<string> {
    return identifier.hash("session", id);
  }
}

/** The record as far as a token tells it. */
function recordOf(claims: SessionClaims): SessionRecord {
  return {
    session_id: claims.id,
    user_id: claims.userId,
    user_data: claims.userData,
    device_info: {},
    ip_address: null,
    created_at: isoTime(claims.issuedAt),
    last_active: isoTime(claims.confirmedAt),
    expires_at: isoTime(claims.expiresAt),
    tier: claims.tier,
  };
}
