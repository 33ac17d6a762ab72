import type { Route } from "../config/route.ts";
import { hasUnforwardableContent } from "../http/content.ts";
import { type Problem, problem } from "../http/problem.ts";
import { confirmation } from "../identity/confirm.ts";
import type { ConfirmedIdentity, IdentityOutcomes } from "../identity/confirmed.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { OriginFetch } from "../request/origin-reply.ts";
import type { CacheHandler } from "../response-cache/outcome.ts";
import type { SessionVerdict } from "../session/verdict.ts";
import type { Batch } from "../store/batch.ts";
import { check, refuseWithoutSession } from "./check.ts";
import { type Answer, type Findings, finish, NO_FINDINGS, refusal } from "./finish.ts";
import type { Isolate } from "./isolate.ts";
import { preflightAnswer, type Received } from "./receive.ts";
import { routeOf } from "./route.ts";

/** The capabilities that a request uses. */
export interface Capabilities {
  limits: boolean;
  session: boolean;
  cache: boolean;
}

export interface AdmitOptions {
  /** The route to use. Default: the first of the configured ones that matches. */
  route?: Route;
  /** Default all; none under `EDGE_MODE=bypass`. */
  capabilities?: Capabilities;
}

/** A request that passed all checks, with the results of the steps. */
export interface Admitted {
  kind: "admitted";
  request: EdgeRequest;
  identity: ConfirmedIdentity;
  session: SessionVerdict;
  limits: LimitVerdict | null;
  cache: CacheHandler | null;
  findings: Findings;
}

/** The result of `admit`. */
export type Admission = Admitted | { kind: "refused"; error: unknown; findings: Findings };

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

/** All steps before the answer: route, identify, prepare, send, confirm, check. */
export async function admit(
  parts: PipelineParts,
  received: Received,
  options: AdmitOptions = {},
): Promise<Admission> {
  let findings = NO_FINDINGS;
  try {
    const wanted = parts.config.mode === "bypass" ? NONE : (options.capabilities ?? ALL);
    const { route, path } = routeOf(received, parts.matchRoute, options.route);
    findings = { ...findings, route: route.name };
    if (hasUnforwardableContent(received.request)) {
      throw problem("CONTENT_NOT_FORWARDED", { values: { method: received.request.method } });
    }

    const identified = await parts.identify(received.request, received.url);
    const asked = edgeRequest(received, route, path, identified);
    const choice = wanted.session ? await parts.sessions.choose(asked) : { claims: identified, calls: 0 };
    const { claims } = choice;
    const request = { ...asked, claims };
    if (parts.config.mode === "enforce" && wanted.session) refuseEarly(parts, request);
    const { outcomes, confirm } = await confirmation(claims, {
      identifier: parts.identifier,
      knownOutcome: parts.sessions.knownOutcome,
      sessions: wanted.session,
    });
    findings = { ...findings, caller: confirm(false).identity.hash };

    const batch = parts.store.batch();
    const decide = await prepare(parts, request, outcomes, batch, wanted);
    const sentAt = parts.platform.now();
    await batch.send();
    findings = {
      ...findings,
      storeCalls: choice.calls + batch.calls,
      storeMs: parts.platform.now() - sentAt,
    };

    const session = await decide.session();
    const identity = confirm(session.kind === "active");
    const limits = await decide.limits(identity);
    findings = { ...findings, caller: identity.identity.hash, session, limits };

    const refused =
      parts.config.mode === "enforce" ? checked(parts, request, identity, session, limits) : null;
    if (refused) return { kind: "refused", error: refused, findings };
    return {
      kind: "admitted",
      request,
      identity,
      session,
      limits,
      cache: await decide.cache(identity),
      findings,
    };
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
  return { kind: "answer", response: reply.response, cache: outcome, session: reply.session ?? null };
}

const ALL: Capabilities = { limits: true, session: true, cache: true };
const NONE: Capabilities = { limits: false, session: false, cache: false };

function edgeRequest(
  { request, url, requestId, deferred, waitUntil }: Received,
  route: Route,
  path: string,
  claims: EdgeRequest["claims"],
): EdgeRequest {
  const after: EdgeRequest["after"] = (work) => deferred.add(work);
  return { request, url, path, route, claims, requestId, after, waitUntil };
}

/** Refuses what needs no call to the store. @throws Problem, the refusal. */
function refuseEarly(
  { sessions, events }: Pick<PipelineParts, "sessions" | "events">,
  request: EdgeRequest,
): void {
  const refused = refuseWithoutSession(request, events);
  if (refused) throw refused;
  // Checked before the origin is asked: without a secret the edge cannot issue a token for the session that it starts.
  if (request.route.session && request.request.method === "POST") sessions.requireSecret(request.requestId);
}

/** Each capability in use queues its commands on the same batch. */
async function prepare(
  {
    sessions,
    limiter,
    cache,
    verifiedKeys,
  }: Pick<PipelineParts, "sessions" | "limiter" | "cache" | "verifiedKeys">,
  request: EdgeRequest,
  outcomes: IdentityOutcomes,
  batch: Batch,
  wanted: Capabilities,
) {
  const [session, limits, cached] = await Promise.all([
    wanted.session ? sessions.prepare(request, batch) : null,
    wanted.limits ? limiter.prepare(request, outcomes, batch) : null,
    wanted.cache ? cache.prepare(request, outcomes, batch) : null,
  ]);
  const { key } = request.claims;
  if (key.kind === "unverified" && request.route.verifiesKeys) verifiedKeys.look(key.hash, batch);
  return {
    session: async (): Promise<SessionVerdict> => (await session?.()) ?? { kind: "none" },
    limits: async (identity: ConfirmedIdentity) => (await limits?.(identity)) ?? null,
    cache: async (identity: ConfirmedIdentity) => (await cached?.(identity)) ?? null,
  };
}

function checked(
  { config, store }: Pick<PipelineParts, "config" | "store">,
  request: EdgeRequest,
  identity: ConfirmedIdentity,
  session: SessionVerdict,
  limits: LimitVerdict | null,
): Problem | null {
  return check({
    request,
    identity,
    session,
    limits,
    trustedOrigins: config.corsOrigins ?? [],
    storeRetryAfterSeconds: store.retryAfterSeconds,
  });
}
