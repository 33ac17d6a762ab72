import type { Route } from "../config/route.ts";
import { hasUnforwardableContent } from "../http/content.ts";
import { announcedMethod, preflightReply } from "../http/cors.ts";
import { Problem, problem } from "../http/problem.ts";
import { confirmation } from "../identity/confirm.ts";
import type { EdgeRequest } from "../request/capability.ts";
import { loggedCaller } from "../request/log-record.ts";
import type { OriginFetch } from "../request/origin-reply.ts";
import type { CacheReply } from "../response-cache/outcome.ts";
import {
  type Admission,
  type AdmitOptions,
  type Admitted,
  edgeRequest,
  type ToldByApp,
} from "./admission.ts";
import { identify, type Refuse, refuseEarly } from "./before-store.ts";
import { bypassed } from "./bypass.ts";
import { finish } from "./finish.ts";
import type { Isolate } from "./isolate.ts";
import { OriginTime } from "./origin-time.ts";
import { type Answer, type Findings, NO_FINDINGS, refusal } from "./outcome.ts";
import { prepare } from "./prepare.ts";
import { preflightAnswer, type Received } from "./receive.ts";
import { routeOf, withLimits } from "./route.ts";
import { wantsTiming } from "./server-timing.ts";

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
  | "checks"
  | "sessions"
  | "cache"
  | "cors"
  | "fields"
  | "forwarded"
  | "preflights"
  | "origin"
  | "eager"
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
  const wanted = wantsTiming(received.request, parts.config);
  const { findings } = admission;
  findings.timed = typeof wanted === "boolean" ? wanted : await wanted;
  const origin = new OriginTime(parts.platform);
  try {
    if (admission.kind === "refused") {
      const own = await ownRefusal(admission, options);
      return finish(parts, received, findings, {
        ...refusal(admission.error),
        ...(own && { response: own }),
      });
    }
    const answered = await answer(admission, origin.timed(originOf(admission)));
    options.learn?.(received, admission, answered);
    findings.originMs = origin.waitedMs;
    return finish(parts, received, findings, answered);
  } catch (error) {
    findings.originMs = origin.waitedMs;
    return finish(parts, received, findings, refusal(error));
  }
}

/** The app's own answer to a request that the limits refuse. */
async function ownRefusal(
  { error, findings: { limits } }: Extract<Admission, { kind: "refused" }>,
  { onLimited }: AdmitOptions,
): Promise<Response | null> {
  const isLimited = error instanceof Problem && error.code === "RATE_LIMIT_EXCEEDED";
  return isLimited && limits && onLimited ? onLimited(limits) : null;
}

/**
 * All steps before the answer: route, identify, prepare, send, confirm, check. Under `EDGE_MODE=observe` what `enforce` would
 * refuse passes and is noted for the log; under `bypass` only {@link AdmitOptions.own} paths take these steps.
 */
export async function admit(
  parts: PipelineParts,
  received: Received,
  options: AdmitOptions = {},
): Promise<Admission> {
  const findings: Findings = { ...NO_FINDINGS };
  const refuse: Refuse = (refused) => {
    if (refused && parts.config.mode === "enforce") throw refused;
    findings.observed ??= refused;
  };
  const note: Note = (found) => Object.assign(findings, found);
  try {
    const routed = routedRequest(parts, received, options, { refuse, note });
    return await (routed.passes
      ? passed(parts, received, routed, { refuse, note })
      : checked(parts, received, routed, options, { refuse, note }));
  } catch (error) {
    findings.eager?.end();
    return { kind: "refused", error, findings };
  }
}

/** Adds to what is known of a request for its log line and its response. @returns all of it. */
type Note = (found: Partial<Findings>) => Findings;

interface Notes {
  refuse: Refuse;
  note: Note;
}

interface RoutedRequest {
  route: Route;
  path: string;
  /** It is a preflight for a request that has this route. */
  announced: boolean;
  passes: boolean;
}

/** The route. `passes` where no rule of it holds: under `bypass`, and for a preflight that the origin answers. */
function routedRequest(
  { config, cors, matchRoute }: PipelineParts,
  { request, url }: Received,
  { route: ownRoute, routeName, own = false }: AdmitOptions,
  { refuse, note }: Notes,
): RoutedRequest {
  // The edge's own path has the route of an OPTIONS, which says nothing of the request that it announces.
  const announced = own || cors.owned ? null : announcedMethod(request, config.credentials);
  const method = announced ?? request.method;
  const { route, path, refusal } = routeOf({ request: { method }, url }, matchRoute, ownRoute);
  note({ route: routeName ?? route.name });
  // No mode can let it pass: the runtime sends no content with a GET.
  if (hasUnforwardableContent(request))
    throw problem("CONTENT_NOT_FORWARDED", { values: { method: request.method } });
  const bypass = config.mode === "bypass" && !own;
  if (!bypass) refuse(refusal);
  return { route, path, announced: !bypass && announced !== null, passes: bypass || announced !== null };
}

/** A request that passes without a route's rules; preflights have a limit of their own. */
async function passed(
  parts: PipelineParts,
  received: Received,
  { path, announced }: RoutedRequest,
  { refuse, note }: Notes,
): Promise<Admission> {
  const admitted = await bypassed(parts, received, { path, findings: note({}) });
  if (announced) refuse(parts.preflights.refusal(admitted.request.claims, received.request));
  const { caller } = admitted.findings;
  return { ...admitted, findings: note({ caller }), ...(announced && { isPreflight: true }) };
}

/** A request that the route's rules decide on. @throws Problem, the refusal. */
async function checked(
  parts: PipelineParts,
  received: Received,
  { route, path }: RoutedRequest,
  options: AdmitOptions,
  { refuse, note }: Notes,
): Promise<Admitted> {
  const { mode } = parts.config;
  const asks = mode === "bypass" ? SESSION_ONLY : (options.capabilities ?? ALL);
  const identified = await identify(parts, received, options.route ? undefined : route, refuse);
  // What carries no signed token needs no call to be refused, so that it is not counted either.
  const { limits: more } = options;
  const limited = more && identified.session.kind === "signed" ? withLimits(route, more) : route;
  // Whom a route of the API trusts, however broad it is, may not end or rotate sessions here.
  const trusting = options.own ? { ...limited, crossSite: [] } : limited;
  const forwarding = { cached: asks.cache, toHandlers: options.handlers ?? false };
  const told = options.told ? await options.told() : NOTHING_TOLD;
  const wanted = told.unlimited ? { ...asks, limits: false } : asks;
  const forwarded = parts.forwarded(received, trusting, forwarding);
  const asked = edgeRequest(received, { route: trusting, path, forwarded }, identified, told);
  const elsewhere = wanted.session ? undefined : options.confirmed;
  const known = elsewhere ? { ...identified, session: elsewhere.claim } : identified;
  const choice = wanted.session ? await parts.sessions.choose(asked) : { claims: known, calls: 0 };
  const request = choice.claims === asked.claims ? asked : { ...asked, claims: choice.claims };
  if (wanted.session) refuseEarly(parts, request, refuse);
  const { outcomes, confirm, withKey } = await confirmation(request.claims, {
    identifier: parts.identifier,
    knownOutcome: elsewhere ? async () => (elsewhere.lives ? "alive" : "over") : parts.sessions.knownOutcome,
    sessions: wanted.session || elsewhere !== undefined,
  });
  note({ caller: loggedCaller(confirm(false)) });

  const batch = parts.store.batch(received.waitUntil);
  const decide = await prepare(parts, request, outcomes, batch, { ...wanted, all: mode !== "enforce" });
  if (options.eager) note({ eager: options.eager(parts, request, confirm, batch, decide.eager) });
  const sentAt = parts.platform.now();
  await batch.send();
  const storeCalls = choice.calls + batch.calls;
  note({ storeCalls, storeMs: parts.platform.now() - sentAt });

  const session = await decide.session();
  const assumed = decide.assumed ?? confirm(elsewhere?.lives ?? session.kind === "active");
  const { identity, limits, calls } = await decide.caller(assumed, withKey);
  note({ storeCalls: storeCalls + calls, caller: loggedCaller(identity), session, limits });

  const facts = {
    ...{ request, identity, session, limits },
    trustedOrigins: parts.config.trustedOrigins,
    storeRetryAfterSeconds: parts.store.retryAfterSeconds,
  };
  const forged = options.own ? parts.checks.crossSite(facts) : null;
  if (forged) throw forged;
  refuse(parts.checks.check(facts));
  const cache = await decide.cache(identity);
  return { kind: "admitted", request, identity, session, limits, cache, findings: note({}) };
}

/** Answers from the cache, or from the origin when the cache has no answer. @throws Problem when the origin fails. */
export async function answer(
  { cache, request, findings, isPreflight }: Admitted,
  origin: OriginFetch,
): Promise<Answer> {
  const { reply, cache: outcome } = await (cache ? cache.respond(origin) : uncached(request, origin)).finally(
    () => findings.eager?.end(),
  );
  if (reply.kind === "failed") throw problem(reply.code);
  const { made = false, session = null } = reply;
  const response = isPreflight ? preflightReply(reply.response) : reply.response;
  return { kind: "answer", response, made, cache: outcome, session, byCaller: isByCaller(request.route) };
}

async function uncached({ request }: EdgeRequest, origin: OriginFetch): Promise<CacheReply> {
  return { reply: await (origin.eager?.adopt() ?? origin.fetch(request.headers)), cache: null };
}

/** Whether who asks decides what is answered on a route: an answer of their own, or one at all. */
function isByCaller({ access, cache }: Route): boolean {
  return access !== "public" || cache?.scope === "caller";
}

const NOTHING_TOLD: ToldByApp = {};
const ALL = { limits: true, session: true, cache: true };
const SESSION_ONLY = { limits: false, session: true, cache: false };
