import { decodedPath } from "../config/match.ts";
import type { Route } from "../config/route.ts";
import type { Events } from "../events/events.ts";
import { crossSiteRefusal } from "../http/cross-site.ts";
import { changeable } from "../http/mutable-response.ts";
import { ambiguityOf } from "../http/path.ts";
import { Problem, type ProblemFacts, problemHeaders } from "../http/problem.ts";
import type { Caller } from "../identity/caller.ts";
import { originProblem } from "../origin/origin.ts";
import { type LimitVerdict, quotaProblem } from "../ratelimit/verdict.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { AfterResponse } from "../request/deferred.ts";
import type { RequestReport } from "../request/log-record.ts";
import type { OriginFetch } from "../response-cache/origin-fetch.ts";
import { type CacheOutcome, setCacheFields } from "../response-cache/outcome.ts";
import type { SessionVerdict } from "../session/verdict.ts";
import type { Isolate } from "./isolate.ts";

export interface AccessCheckOptions {
  isolate: Isolate;
  request: Request;
  report: RequestReport;
  after: AfterResponse;
  waitUntil(work: Promise<unknown>): void;
  /** The route to use; default: the first of the configured ones that matches. */
  route?: Route;
  /** Which capabilities take part. Default all. */
  capabilities?: { limits: boolean; session: boolean; cache: boolean };
}

/** What the edge found out about a request that it lets through. */
export interface AccessCheck {
  edgeRequest: EdgeRequest;
  session: SessionVerdict;
  rateLimit: LimitVerdict | null;
  /** Answers from the cache, or through `origin`, which is called only when the cache cannot answer. */
  respond(origin: OriginFetch): Promise<{ response: Response; cache: CacheOutcome | null }>;
  /** Adds what limits and session have to tell to a response's headers. */
  annotate(headers: Headers): void;
}

/**
 * A request's way through the harness, up to the point where it needs an answer: who is asking, which route, one batch,
 * may they.
 *
 * @throws Problem where the request is refused; its headers carry what {@link AccessCheck.annotate} would have added.
 */
export async function checkAccess(options: AccessCheckOptions): Promise<AccessCheck> {
  const { isolate, request, report } = options;
  const { config, store } = isolate;
  const wanted = options.capabilities ?? { limits: true, session: true, cache: true };
  const { limits, session, cache } = config.mode === "bypass" ? NO_CAPABILITIES : wanted;
  const observing = config.mode !== "enforce";
  const url = new URL(request.url);
  const path = decodedPath(url.pathname);
  if (path === null) throw new Problem(badPath("a broken escape"));
  const route = options.route ?? isolate.matchRoute(request.method, path);
  const ambiguity = ambiguityOf(url.pathname, route.rawPath) ?? dotSegmentIn(path);
  if (ambiguity) throw new Problem(badPath(ambiguity));
  report.route = route.name;
  const caller = await isolate.resolveCaller(request, url);
  report.caller = caller.identity.hash;
  const edgeRequest: EdgeRequest = {
    request,
    url,
    path,
    route,
    caller,
    requestId: report.requestId,
    after: (work) => options.after.add(work),
    waitUntil: (work) => options.waitUntil(work),
  };

  if (!observing && session) {
    refuseForged(edgeRequest, isolate.events);
    // Not once the origin has signed somebody in: nobody could carry that session.
    if (route.session && request.method === "POST") isolate.sessions.requireSecret(report.requestId);
  }

  const batch = store.batch();
  const [decideSession, decideLimits, decideCache] = await Promise.all([
    session ? isolate.sessions.prepare(edgeRequest, batch) : null,
    limits ? isolate.limiter.prepare(edgeRequest, batch) : null,
    cache ? isolate.cache.prepare(edgeRequest, batch) : null,
  ]);
  if (caller.key.kind === "unverified" && route.verifiesKeys)
    isolate.verifiedKeys.look(caller.key.hash, batch);
  const sentAt = isolate.platform.now();
  await batch.send();
  report.storeCalls += batch.calls;
  report.storeMs += isolate.platform.now() - sentAt;

  const sessionVerdict: SessionVerdict = (await decideSession?.()) ?? { kind: "none" };
  const limitVerdict = (await decideLimits?.()) ?? null;
  report.session = sessionVerdict.kind === "none" ? null : sessionVerdict.kind;
  report.limits =
    limitVerdict && Object.keys(limitVerdict.headers).length > 0
      ? `${limitVerdict.kind} by ${limitVerdict.source}`
      : null;

  const annotate = (headers: Headers) => {
    for (const [name, value] of Object.entries(limitVerdict?.headers ?? {})) headers.set(name, value);
    isolate.sessions.apply(sessionVerdict, headers, edgeRequest);
  };
  const refusal = observing ? null : refusalOf(edgeRequest, sessionVerdict, limitVerdict, isolate);
  if (refusal) {
    report.verdict = refusal.facts.code.toLowerCase();
    throw withHeaders(refusal, annotate);
  }
  const prepared = (await decideCache?.()) ?? null;
  // Entries of a caller are found by the token's user before anybody has said that the session still lives.
  const doubtful = caller.session.kind === "signed" && sessionVerdict.kind !== "active";
  const cacheHandler =
    cache && doubtful && route.cache?.scope === "caller" ? isolate.cache.pass(edgeRequest) : prepared;
  return {
    edgeRequest,
    session: sessionVerdict,
    rateLimit: limitVerdict,
    annotate,
    async respond(origin) {
      const { reply, cache } = cacheHandler
        ? await cacheHandler.respond(origin)
        : { reply: await origin.fetch(request.headers), cache: null };
      report.cache = cache?.word.toLowerCase() ?? null;
      if (reply.kind === "failed") throw new Problem(originProblem(reply));
      const response = changeable(reply.response);
      // A handler's answer without an outcome of its own may bear that of a cache middleware behind this one.
      const tells = cache !== null || origin.repeatable;
      if (tells && response.status !== 101) setCacheFields(response.headers, cache);
      return { response, cache };
    },
  };
}

const NO_CAPABILITIES = { limits: false, session: false, cache: false };

/** A path that the edge and an origin could read differently: a route's rule could be walked around by it. */
function badPath(what: string): ProblemFacts {
  return { status: 400, code: "AMBIGUOUS_PATH", title: "Ambiguous path", message: `The path holds ${what}.` };
}

/** Only decoding shows it, and only where the route takes raw paths: `a%2f..%2fb`. */
function dotSegmentIn(path: string): string | null {
  return /(^|\/)\.{1,2}(\/|$)/.test(path) ? "a dot segment" : null;
}

/** A forged or expired token on a route that needs a session: 401 without a call to the store. */
function refuseForged({ route, caller, requestId }: EdgeRequest, events: Events): void {
  if (route.access !== "session" || caller.session.kind === "signed") return;
  if (caller.session.kind === "invalid")
    events.emit("session.refused", { request_id: requestId, route: route.name, reason: "invalid" });
  throw new Problem(sessionRequired(caller));
}

function refusalOf(
  edgeRequest: EdgeRequest,
  session: SessionVerdict,
  limits: LimitVerdict | null,
  isolate: Isolate,
): Problem | null {
  return (
    accessRefusal(edgeRequest, session, isolate) ??
    crossSite(edgeRequest, session, isolate) ??
    limitRefusal(limits)
  );
}

function accessRefusal(
  { route, caller }: EdgeRequest,
  session: SessionVerdict,
  isolate: Isolate,
): Problem | null {
  if (route.access === "public") return null;
  if (session.kind === "active") return null;
  const doubtful = storeNeeded(isolate.store.retryAfterSeconds);
  if (route.access === "session")
    return session.kind === "unknown" ? doubtful : new Problem(sessionRequired(caller));
  // One good credential is enough, whatever becomes of the others.
  if (caller.key.kind === "verified" || caller.jwt.kind === "verified") return null;
  // The origin is the one to say whether it knows this key.
  if (caller.key.kind === "unverified" && route.verifiesKeys) return null;
  if (session.kind === "unknown" || caller.jwt.kind === "unknown") return doubtful;
  return new Problem({
    status: 401,
    code: "CREDENTIALS_REQUIRED",
    title: "Credentials required",
    message: "This needs an API key, a JWT or a session.",
    headers: { "www-authenticate": "Bearer" },
  });
}

function sessionRequired(caller: Caller) {
  const presented = caller.session.kind !== "absent";
  return {
    status: 401,
    code: presented ? "SESSION_INVALID" : "SESSION_REQUIRED",
    title: presented ? "Session not valid" : "Session required",
    message: presented ? "The session has ended or its token is not valid. Sign in again." : "Sign in first.",
    headers: { "www-authenticate": presented ? 'Bearer error="invalid_token"' : "Bearer" },
  };
}

function storeNeeded(retryAfter: number): Problem {
  return new Problem({
    status: 503,
    code: "IDENTITY_UNAVAILABLE",
    title: "Identity cannot be checked",
    message: "Who is asking cannot be checked right now. Try again shortly.",
    retryAfter,
  });
}

function crossSite({ request, url }: EdgeRequest, session: SessionVerdict, isolate: Isolate): Problem | null {
  if (session.kind !== "active" || session.tokenSource !== "cookie") return null;
  return crossSiteRefusal(request, url.origin, isolate.config.corsOrigins ?? []);
}

function limitRefusal(limits: LimitVerdict | null): Problem | null {
  if (!limits || limits.kind === "allowed") return null;
  if (limits.kind === "denied") return new Problem(quotaProblem(limits));
  return new Problem({
    status: 503,
    code: "LIMITS_UNAVAILABLE",
    title: "Limits cannot be checked",
    message: "This route is closed while its limits cannot be checked. Try again shortly.",
    retryAfter: limits.retryAfterSeconds,
  });
}

function withHeaders(problem: Problem, annotate: (headers: Headers) => void): Problem {
  const headers = problemHeaders(problem.facts);
  annotate(headers);
  return new Problem({ ...problem.facts, headers: [...headers] });
}
