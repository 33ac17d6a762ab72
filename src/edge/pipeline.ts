import type { Policy, Route } from "../config/route.ts";
import { hasUnforwardableContent } from "../http/content.ts";
import { announcedMethod } from "../http/cors.ts";
import { Problem, problem } from "../http/problem.ts";
import { type Confirmation, confirmation } from "../identity/confirm.ts";
import type { ConfirmedIdentity, IdentityOutcomes, UnverifiedIdentity } from "../identity/confirmed.ts";
import { unidentified } from "../identity/unidentified.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { OriginFetch } from "../request/origin-reply.ts";
import type { SessionVerdict } from "../session/verdict.ts";
import type { Batch } from "../store/batch.ts";
import { type Admission, type Admitted, edgeRequest } from "./admission.ts";
import { bypassed } from "./bypass.ts";
import { type CheckFacts, check, crossSite, crossSiteSignIn, refuseWithoutSession } from "./check.ts";
import { type Answer, finish, NO_FINDINGS, refusal } from "./finish.ts";
import { withHeardKey } from "./heard-key.ts";
import type { Isolate } from "./isolate.ts";
import { preflightAnswer, type Received } from "./receive.ts";
import { routeOf, withLimits } from "./route.ts";

/** The capabilities that a request uses. */
export interface Capabilities {
  limits: boolean;
  session: boolean;
  cache: boolean;
}

export interface AdmitOptions {
  /** The route to use. Default: the first of the configured ones that matches. */
  route?: Route;
  /** Limits that hold beside those of the route for requests with a signed session token. Default none. */
  limits?: readonly Policy[];
  /** Default all. */
  capabilities?: Capabilities;
  /**
   * The edge answers the path itself. Then the session is read and a cross-site request is refused under every `EDGE_MODE`:
   * no API behind the edge would do either.
   */
  own?: boolean;
  /** The origin is the app's own handlers. Default false. */
  handlers?: boolean;
}

type PipelineParts = Pick<
  Isolate,
  | "config"
  | "platform"
  | "events"
  | "store"
  | "identifier"
  | "identify"
  | "matchRoute"
  | "verifiedKeys"
  | "limiter"
  | "sessions"
  | "cache"
  | "cors"
  | "preflights"
>;

/**
 * Handles a request from its arrival to the response.
 *
 * @param originOf Returns the origin for an admitted request: the API behind the edge, or the handlers behind a middleware.
 * @returns the response; a refusal and an error are problem responses.
 */
export async function handle(
  parts: PipelineParts,
  received: Received,
  originOf: (admitted: Admitted) => OriginFetch,
  options: AdmitOptions = {},
): Promise<Response> {
  const preflight = preflightAnswer(parts, received);
  if (preflight) return preflight;
  const admission = await admit(parts, received, options);
  const { findings } = admission;
  if (admission.kind === "refused") return finish(parts, received, findings, refusal(admission.error));
  try {
    return finish(parts, received, findings, await answer(admission, originOf(admission)));
  } catch (error) {
    return finish(parts, received, findings, refusal(error));
  }
}

/** Notes a refusal for the log. @throws it, under `EDGE_MODE=enforce`. */
type Refuse = (refused: Problem | null) => void;

/**
 * All steps before the answer: route, identify, prepare, send, confirm, check. Under `EDGE_MODE=observe` what `enforce` would
 * refuse passes and is noted for the log; under `bypass` only {@link AdmitOptions.own} paths take these steps.
 */
export async function admit(
  parts: PipelineParts,
  received: Received,
  options: AdmitOptions = {},
): Promise<Admission> {
  const { mode } = parts.config;
  const { own = false } = options;
  let findings = NO_FINDINGS;
  const refuse: Refuse = (refused) => {
    if (refused && mode === "enforce") throw refused;
    findings = { ...findings, observed: findings.observed ?? refused };
  };
  try {
    // Its own route would be that of an OPTIONS, which says nothing of the request that it announces.
    const announced = own || parts.cors.owned ? null : announcedMethod(received.request);
    const { url, request: asSent } = received;
    const method = announced ?? asSent.method;
    const { route, path, refusal } = routeOf({ request: { method }, url }, parts.matchRoute, options.route);
    findings = { ...findings, route: route.name };
    // No mode can let it pass: the runtime sends no content with a GET.
    if (hasUnforwardableContent(received.request)) {
      throw problem("CONTENT_NOT_FORWARDED", { values: { method: received.request.method } });
    }
    if (mode === "bypass" && !own) return await bypassed(parts, received, { path, findings });
    refuse(refusal);
    if (announced !== null) {
      const preflight = await bypassed(parts, received, { path, findings });
      refuse(parts.preflights.refusal(preflight.request.claims));
      return { ...preflight, findings: { ...preflight.findings, observed: findings.observed } };
    }

    const wanted = mode === "bypass" ? SESSION_ONLY : (options.capabilities ?? ALL);
    const identified = await identify(parts, received, options.route ? undefined : route, refuse);
    const limited = limitedRoute(route, identified, options);
    const forwarding = { cached: wanted.cache, toHandlers: options.handlers ?? false };
    const asked = edgeRequest(received, { route: limited, path, forwarding }, identified);
    const choice = wanted.session ? await parts.sessions.choose(asked) : { claims: identified, calls: 0 };
    const { claims } = choice;
    const request = { ...asked, claims };
    if (wanted.session) refuseEarly(parts, request, refuse);
    const { outcomes, confirm, withKey } = await confirmation(claims, {
      identifier: parts.identifier,
      knownOutcome: parts.sessions.knownOutcome,
      sessions: wanted.session,
    });
    findings = { ...findings, caller: confirm(false).identity.hash };

    const batch = parts.store.batch();
    const decide = await prepare(parts, request, outcomes, batch, { ...wanted, all: mode !== "enforce" });
    const sentAt = parts.platform.now();
    await batch.send();
    findings = {
      ...findings,
      storeCalls: choice.calls + batch.calls,
      storeMs: parts.platform.now() - sentAt,
    };

    const session = await decide.session();
    const { identity, limits, calls } = await decide.caller(
      decide.assumed ?? confirm(session.kind === "active"),
      withKey,
    );
    const storeCalls = findings.storeCalls + calls;
    findings = { ...findings, storeCalls, caller: identity.identity.hash, session, limits };

    const facts = checkFacts(parts, { request, identity, session, limits });
    const forged = own ? crossSite(facts) : null;
    if (forged) throw forged;
    refuse(check(facts));
    const cache = await decide.cache(identity);
    return { kind: "admitted", request, identity, session, limits, cache, findings };
  } catch (error) {
    return { kind: "refused", error, findings };
  }
}

/** Answers from the cache, or from the origin when the cache has no answer. @throws Problem when the origin fails. */
export async function answer({ cache, request }: Admitted, origin: OriginFetch): Promise<Answer> {
  const { reply, cache: outcome } = cache
    ? await cache.respond(origin)
    : { reply: await origin.fetch(request.request.headers), cache: null };
  if (reply.kind === "failed") throw problem(reply.code);
  const { response, session = null } = reply;
  return { kind: "answer", response, cache: outcome, session, byCaller: isByCaller(request.route) };
}

/** Whether who asks decides what is answered on a route: an answer of their own, or one at all. */
function isByCaller({ access, cache }: Route): boolean {
  return access !== "public" || cache?.scope === "caller";
}

const ALL: Capabilities = { limits: true, session: true, cache: true };
const SESSION_ONLY: Capabilities = { limits: false, session: true, cache: false };

/** What carries no signed token needs no call to be refused, so that it is not counted either. */
function limitedRoute(route: Route, { session }: UnverifiedIdentity, { limits }: AdmitOptions): Route {
  return limits && session.kind === "signed" ? withLimits(route, limits) : route;
}

/** What the credentials say; nothing where they cannot be read and the request passes all the same. */
async function identify(
  {
    identify,
    identifier,
    config,
    events,
  }: Pick<PipelineParts, "identify" | "identifier" | "config" | "events">,
  { request, url, requestId }: Received,
  route: Route | undefined,
  refuse: Refuse,
): Promise<UnverifiedIdentity> {
  try {
    const identified = await identify(request, url, route);
    const { jwt } = identified;
    if (jwt.kind === "invalid")
      events.emit("jwt.refused", { request_id: requestId, route: route?.name ?? "*", reason: jwt.reason });
    return identified;
  } catch (error) {
    refuse(problemIn(error));
    return unidentified(request.headers, identifier, config);
  }
}

/** Refuses what needs no call to the store. */
function refuseEarly(
  { sessions, events, config }: Pick<PipelineParts, "sessions" | "events" | "config">,
  request: EdgeRequest,
  refuse: Refuse,
): void {
  refuse(crossSiteSignIn(request, config.trustedOrigins));
  refuse(refuseWithoutSession(request, events));
  if (!request.route.session || request.request.method !== "POST") return;
  try {
    // Checked before the origin is asked: without a secret the edge cannot issue a token for the session that it starts.
    sessions.requireSecret(request.requestId);
  } catch (error) {
    refuse(problemIn(error));
  }
}

/** @throws the error where it is no refusal. */
function problemIn(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}

/**
 * Each capability in use queues its commands on the same batch, and so does what is to be known of the API key. Where the
 * limits refuse from what the isolate knows, nothing else is asked (13.14): no cached response, no key, and a session only
 * where the route's access depends on it and the isolate has not confirmed it.
 */
async function prepare(
  parts: Pick<PipelineParts, "store" | "sessions" | "limiter" | "cache" | "verifiedKeys">,
  request: EdgeRequest,
  outcomes: IdentityOutcomes,
  batch: Batch,
  wanted: Capabilities & { all: boolean },
) {
  const { sessions, limiter, cache, verifiedKeys } = parts;
  const limits = wanted.limits ? await limiter.prepare(request, outcomes, batch) : null;
  const { key, addressIdentity } = request.claims;
  const refuses = wanted.all ? undefined : limits?.refuses;
  const isDue = (wanted.limits || wanted.cache) && verifiedKeys.isDue(key, request.route);
  // A key that Redis has verified has limits of its own, whoever is blocked at its address.
  const isKnown = refuses === "listed" || verifiedKeys.isHopeless(key, addressIdentity.hash);
  const asksForKey = isDue && !(refuses && isKnown);
  const refused = refuses !== undefined && !asksForKey;
  const { access } = request.route;
  const settled = outcomes.kind === "settled" ? outcomes.identity : null;
  const needless = refused && (access === "public" || (settled !== null && access !== "session"));
  const [session, cached] = await Promise.all([
    wanted.session && !needless ? sessions.prepare(request, batch) : null,
    wanted.cache && !refused ? cache.prepare(request, outcomes, batch) : null,
  ]);
  const heard =
    key.kind !== "absent" && asksForKey ? verifiedKeys.look(key, batch, addressIdentity.hash) : null;
  return {
    /** Who it is, where the session is not read. */
    assumed: needless ? settled : null,
    session: async (): Promise<SessionVerdict> => (await session?.()) ?? { kind: "none" },
    caller: async (expected: ConfirmedIdentity, withKey: Confirmation["withKey"]) => {
      const decided = { identity: expected, limits: (await limits?.(expected)) ?? null };
      return withHeardKey(parts, request, decided, { key: (await heard?.()) ?? key, withKey });
    },
    cache: async (identity: ConfirmedIdentity) => (await cached?.(identity)) ?? null,
  };
}

function checkFacts(
  { config, store }: Pick<PipelineParts, "config" | "store">,
  found: Pick<CheckFacts, "request" | "identity" | "session" | "limits">,
): CheckFacts {
  return {
    ...found,
    trustedOrigins: config.trustedOrigins,
    storeRetryAfterSeconds: store.retryAfterSeconds,
  };
}
