import { type Problem, problem } from "../http/problem.ts";
import { PROBLEMS } from "../http/problem-codes.ts";
import { NONCE_BYTES } from "../identity/sealed-text.ts";
import { rotatedId } from "../identity/session-id.ts";
import type { ClaimedSession } from "../identity/session-outcome.ts";
import {
  base64url,
  MAX_TOKEN_LENGTH,
  type SessionClaims,
  signToken,
  tokenFits,
} from "../identity/session-token.ts";
import type { Decide, EdgeRequest } from "../request/capability.ts";
import type { SessionChange } from "../request/session-change.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import { createCarry } from "./carry.ts";
import { changeOf, issued } from "./changes.ts";
import { type Choice, chooseSession } from "./choose.ts";
import { inToken, MAX_SYNC_TOKEN_LENGTH, newSessionOf, recordOf, withSyncToken } from "./claims.ts";
import type { CreatedSession, HandlerSessions, SessionEnding, SessionInput } from "./handler-sessions.ts";
import { checkInput, checkNamed, idIn, inputTooLong } from "./input.ts";
import { createKnownEnds } from "./known-ends.ts";
import { fitsToken, UserDataTooLarge } from "./offline-user-data.ts";
import type { SessionsOptions } from "./options.ts";
import { parseSessionSignal } from "./origin-signal.ts";
import { changedRecord, givenJson, isoTime, userDataOf } from "./record.ts";
import { createSessionDatabase, type DatabaseState } from "./session-database.ts";
import { createSessionService, type SessionService } from "./session-service.ts";
import { createSessionValidator } from "./validate.ts";
import type { ActiveSession, SessionVerdict } from "./verdict.ts";

/** 160 bits (ASVS 7.2.3 asks for 128). */
const ID_BYTES = 20;

/** What the origin says of a session with its answer. */
export interface OriginSaid {
  signal: string | undefined;
  isExpected: boolean;
}

/** The sessions of an isolate. Problems that its methods throw are errors with a `code` for handlers. */
export interface Sessions extends HandlerSessions {
  /** Which of several session cookies counts. Asks the store only where there are several with a good signature. */
  choose(request: EdgeRequest): Promise<Choice>;
  /** Queues what says whether the session of a request lives; the second step gives the verdict. */
  prepare(request: EdgeRequest, batch: Batch): Promise<Decide<SessionVerdict>>;
  /**
   * Whether a session lives, as far as this isolate knows without a call to Redis: it was confirmed within
   * `ISOLATE_MAX_AGE_MS`, its end is known, or sessions are kept without Redis; the database is asked then. Null where Redis
   * has to be asked.
   */
  knownOutcome(claims: SessionClaims): Promise<"alive" | "over" | null>;
  /** @throws Problem 503 without `SESSION_SECRET`. The first time it also emits an event. */
  requireSecret(requestId?: string): void;
  /** Remembers that Redis told of what ends the session. */
  learnEnded(session: ClaimedSession): void;
  /** Lists sessions, and ends several at once. */
  readonly service: SessionService;
  /**
   * Starts or ends a session by the origin's response on a `session: "start"` or `"end"` route.
   *
   * @param said.signal The value of `X-Edge-Session`, or undefined.
   * @param said.isExpected Whether such an answer starts a session as a rule: its silence is an event, once per route.
   * @returns the change for the client, or null for none.
   * @throws Problem 503 where {@link HandlerSessions.create} throws UserDataTooLarge.
   */
  fromOrigin(
    request: Pick<EdgeRequest, "route" | "claims" | "requestId">,
    verdict: SessionVerdict,
    said: OriginSaid,
  ): Promise<SessionChange | null>;
  /** How the database is, asked at most every 5 s; null where none is configured. */
  databaseState(): Promise<DatabaseState | null>;
  /** What is to be done after a response, whoever made it; null: nothing. Give it to `waitUntil`. */
  maintenance(): Promise<void> | null;
  /** The same at a time of the platform's choosing, where no request comes: what only the database has gets into Redis. */
  scheduled(): Promise<void>;
  /** The change that a verdict implies for the client when the response is ready: a renewed token or a cleared cookie. */
  changeOf(verdict: SessionVerdict, tookMs?: number): SessionChange | null;
}

/** The sessions of an isolate: in Redis, in the database, or in both, as configured; else in the isolate's map. */
export function createSessions(options: SessionsOptions): Sessions {
  const { store, config, platform, events, identifier, isolateMaxAgeMs = 5000 } = options;
  const onRedis = (options.useRedis ?? true) && store.configured;
  const { databaseBinding: binding } = options;
  const database = binding ? createSessionDatabase({ ...options, binding }) : null;
  const service = createSessionService({
    ...options,
    onRedis,
    database,
    compare: async () => void (await carry?.turn()),
  });
  const knownEnds = createKnownEnds({ platform, isolateMaxAgeMs });
  const { sessionStore } = service;
  const carry = database && onRedis ? createCarry({ ...options, sessionStore, database }) : null;
  const validator = createSessionValidator({
    ...options,
    service,
    knownEnds,
    onRedis,
    database,
    isolateMaxAgeMs,
    sign,
  });

  let secretMissingEmitted = false;
  /** Routes that answered a sign-in without a signal: as many as are configured. */
  const silentRoutes = new Set<string>();

  return {
    choose: (request) =>
      chooseSession({ known: validator.knownOutcome, validate: validator.prepare, store }, request),
    async prepare(request, batch) {
      const decide = await validator.prepare(request, batch);
      return async () => withRefusalEvent(request, await decide());
    },
    create,
    get: (id) => service.read(idIn("get", id)),
    touch: (id) => service.touch(idIn("touch", id)),
    delete: end,
    rotate,
    requireSecret,
    service,
    fromOrigin,
    knownOutcome: validator.knownOutcome,
    databaseState: async () => database?.state() ?? null,
    maintenance() {
      const writes = database?.maintenance() ?? null;
      return writes ? writes.then(() => carry?.due() ?? undefined) : (carry?.due() ?? null);
    },
    async scheduled() {
      if (!database) return;
      database.copy.use();
      await store.maintenance();
      await database.maintenance();
      await carry?.turn();
    },
    learnEnded: ({ claims }) => knownEnds.add(claims, "evidence"),
    changeOf: (verdict, tookMs) =>
      changeOf(verdict, ({ id, issuedAt }) => service.endedForAll(id, issuedAt), tookMs),
  };

  /** Returns the verdict, after emitting an event where the session is not valid. */
  function withRefusalEvent(
    { requestId, route, claims: { session } }: EdgeRequest,
    verdict: SessionVerdict,
  ): SessionVerdict {
    if (verdict.kind !== "over" && verdict.kind !== "unknown") return verdict;
    const reason = verdict.kind === "over" ? verdict.because : verdict.kind;
    events.emit("session.refused", { request_id: requestId, route: route.name, reason });
    return verdict.kind === "over" && reason === "revoked" && session.kind === "signed"
      ? { ...verdict, ended: session.claims }
      : verdict;
  }

  function requireSecret(requestId?: string): void {
    if (config.secrets.length > 0) return;
    if (!secretMissingEmitted) {
      events.emit("session.secret_missing", {
        request_id: requestId,
        message: PROBLEMS.SESSIONS_NOT_CONFIGURED.message,
      });
    }
    secretMissingEmitted = true;
    throw problem("SESSIONS_NOT_CONFIGURED");
  }

  async function create(
    input: SessionInput,
    replaced?: SessionClaims,
    requestId?: string,
  ): Promise<CreatedSession> {
    requireSecret(requestId);
    checkInput(input);
    if (replaced) checkNamed("create: replaced", replaced, "Give it c.var.session?.claims.");
    const now = platform.now();
    const lifetimeMs = Math.min(input.ttlSeconds ?? config.absoluteSeconds, config.absoluteSeconds) * 1000;
    const claims: SessionClaims = {
      id: newId(),
      userId: input.userId,
      tier: input.tier ?? null,
      issuedAt: now,
      expiresAt: now + lifetimeMs,
      confirmedAt: now,
      offline: false,
      userData: givenJson(input.userData),
      syncToken: null,
    };
    const longest = withSyncToken(
      { ...claims, id: rotatedId(claims.id, claims.id) },
      "x".repeat(MAX_SYNC_TOKEN_LENGTH),
    );
    if (!tokenFits(longest)) throw inputTooLong();
    const kept = recordOf(claims, { device: givenJson(input.deviceInfo), address: input.ipAddress ?? null });
    const user = await identifier.sessionUser(claims.userId);
    const made = await service.create(newSessionOf(kept, claims, user), replaced, requestId);
    events.emit("session.created", {
      request_id: requestId,
      session: await identifier.hash("session", claims.id),
      durable: made.durable,
    });
    if (replaced && made.replacesNone) await service.endRotated(replaced, requestId);
    const { createdAt: issuedAt, durable, syncToken } = made;
    const final = withSyncToken({ ...claims, issuedAt, ...inToken(claims.userData, made) }, syncToken);
    return { ...kept, claims: final, token: await sign(final), durable };
  }

  async function end(
    session: string | Pick<SessionClaims, "id" | "userId">,
    requestId?: string,
  ): Promise<SessionEnding> {
    const named = typeof session === "string" ? { id: session } : session;
    // A request without a session has none to end.
    if (named == null) return "missing";
    checkNamed("delete", named, "Give it c.var.session.claims, or an id.");
    const found = await service.read(named.id, "any");
    if (found.kind === "missing") return (await service.endRotated(named, requestId)) ? "done" : "missing";
    return service.revoke(named.id, found.kind === "found" ? found.record.user_id : null, requestId);
  }

  async function rotate(active: ActiveSession, requestId?: string): Promise<CreatedSession | null> {
    checkNamed("rotate", active?.claims, "Give it c.var.session.");
    const { claims, source } = active;
    requireSecret(requestId);
    // Only Redis knows whether another isolate has ended it. Nothing is sent, so that a lost reply cannot end the old one.
    const isConfirmed = source === "redis" || source === "database";
    if ((onRedis || database) && !isConfirmed && !claims.offline) throw notNow();
    if (claims.rotatedFrom !== undefined) throw notNow();
    const next = {
      ...claims,
      id: rotatedId(claims.id, newId()),
      confirmedAt: platform.now(),
      syncToken: null,
    };
    const renamed = changedRecord(active, { session_id: next.id, last_active: isoTime(platform.now()) });
    const renewal = newSessionOf(renamed, next, await identifier.sessionUser(claims.userId));
    const kept = await service
      .rotate({ ...claims, text: active.text, source }, renewal, requestId)
      .catch((error) => {
        throw error instanceof StoreError ? notNow() : error;
      });
    if (!kept) return null;
    events.emit("session.rotated", {
      request_id: requestId,
      session: await identifier.hash("session", next.id),
      durable: kept.durable,
    });
    const { rotatedFrom } = kept;
    const carried = rotatedFrom === undefined || fitsToken({ ...renewal, rotatedFrom });
    const rotated = { ...next, rotatedFrom, ...inToken(carried ? userDataOf(renamed) : null, kept) };
    const final = withSyncToken(rotated, kept.syncToken);
    return { ...renamed, claims: final, token: await sign(final), durable: kept.durable };
  }

  async function fromOrigin(
    { route, claims, requestId }: Pick<EdgeRequest, "route" | "claims" | "requestId">,
    verdict: SessionVerdict,
    { signal, isExpected }: OriginSaid,
  ): Promise<SessionChange | null> {
    // In observe and bypass mode the request reaches the origin without a secret. Then no session starts or ends here.
    if (config.secrets.length === 0) return null;
    const before = verdict.kind === "active" ? verdict.claims : unchecked(claims, verdict);
    const former = verdict.kind === "over" ? verdict.ended : undefined;
    if (route.session === "end") {
      if (former) await service.endRotated(former, requestId);
      if (!before || !("tokenSource" in verdict)) return null;
      await service.revoke(before.id, before.userId, requestId);
      return verdict.tokenSource === "cookie" ? { kind: "cleared" } : null;
    }
    if (signal === undefined) {
      if (isExpected) signalMissing(route.name, requestId);
      return null;
    }
    const wanted = parseSessionSignal(signal);
    if (!wanted) {
      events.emit("session.signal_malformed", { request_id: requestId, route: route.name });
      return null;
    }
    const { carry, ...input } = { ...wanted, ipAddress: claims.address };
    const created = await create(input, before, requestId).catch((error: unknown) => {
      throw error instanceof UserDataTooLarge ? problem("USER_DATA_TOO_LARGE_OFFLINE") : error;
    });
    if (former) await service.endRotated(former, requestId);
    return issued(created, carry);
  }

  /** The session that nobody can check while the store is lost: a sign-out or a new sign-in ends it all the same. */
  function unchecked(
    { session }: EdgeRequest["claims"],
    { kind }: SessionVerdict,
  ): SessionClaims | undefined {
    return kind === "unknown" && session.kind === "signed" ? session.claims : undefined;
  }

  function signalMissing(route: string, requestId: string): void {
    if (silentRoutes.has(route)) return;
    silentRoutes.add(route);
    events.emit("session.signal_missing", { request_id: requestId, route });
  }

  function notNow(): Problem {
    return problem("SESSION_UNAVAILABLE", {
      message: "The session cannot be given a new id right now; the old one goes on. Try again shortly.",
      retryAfter: store.retryAfterSeconds,
    });
  }

  function newId(): string {
    return base64url(platform.randomBytes(ID_BYTES));
  }

  async function sign(claims: SessionClaims): Promise<string> {
    const [secret] = config.secrets;
    if (secret === undefined) throw new Error("SESSION_SECRET is not set");
    const nonce = claims.offline ? platform.randomBytes(NONCE_BYTES) : undefined;
    const token = await signToken(claims, secret, nonce);
    if (token.length > MAX_TOKEN_LENGTH) throw new UserDataTooLarge("The token would not fit into a cookie");
    return token;
  }
}
