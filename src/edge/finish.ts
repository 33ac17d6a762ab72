import { HTTPException } from "hono/http-exception";
import { ConfigError } from "../config/config-error.ts";
import { errorFacts } from "../events/error-place.ts";
import { createEvents, type Events } from "../events/events.ts";
import { forbidStoring } from "../http/cache-fields.ts";
import { contentLength } from "../http/content.ts";
import { CALLER_FIELDS } from "../http/credential-fields.ts";
import { mutableResponse } from "../http/mutable-response.ts";
import { Problem, problemFacts, problemResponse } from "../http/problem.ts";
import { REMAINING_FIELDS } from "../http/quota-fields.ts";
import { addVary } from "../http/vary.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";
import { type LogRecord, logRequest } from "../request/log-record.ts";
import type { CacheOutcome } from "../response-cache/outcome.ts";
import { workerPlatform } from "../runtime/platform.ts";
import { createRequestIds } from "../runtime/request-ids.ts";
import type { Isolate } from "./isolate.ts";
import type { Answer, Findings, Refusal } from "./outcome.ts";
import type { Received, StackPart } from "./receive.ts";
import { serverTiming } from "./server-timing.ts";

type FinishParts = Pick<Isolate, "platform" | "events" | "cors" | "sessions" | "fields" | "config"> &
  Partial<Pick<Isolate, "metrics">>;

/**
 * Writes the edge's header fields and the log line, and starts the deferred work. No other function does (law 12). Of several
 * middlewares the outermost writes for all.
 */
export function finish(
  { platform, events, cors, sessions, fields, config, metrics }: FinishParts,
  received: Received,
  findings: Findings,
  outcome: Answer | Refusal,
): Response {
  const { request, requestId, stack, deferred } = received;
  const now = platform.now();
  const given = responseOf(outcome, requestId, events);
  const response = outcome.kind === "answer" && outcome.made ? given : mutableResponse(given);
  const change =
    (outcome.kind === "answer" ? outcome.session : null) ??
    (findings.session ? sessions.changeOf(findings.session, now - received.startedAt) : null);
  const own: StackPart = {
    findings,
    outcome,
    response,
    cache: outcome.kind === "answer" ? outcome.cache : null,
    writeSession: change && ((headers) => fields.writeSessionFields(change, headers, received.url, now)),
  };
  const all = stack ? stack.add(own) : own;
  // The fields of a 101 cannot be changed: the connection is no longer HTTP.
  if (response.status !== 101) {
    const { headers } = response;
    // What the cache of a middleware inside of this one says is there already.
    if (own.cache || (all && !all.cache)) fields.setCacheFields(headers, own.cache);
    // Else a browser shows the last user's page to the next (RFC 9111 §4.1).
    if (outcome.kind === "answer" && outcome.byCaller) addVary(headers, CALLER_FIELDS);
    // Stored, also by a cache around this middleware, it would refuse others.
    if (outcome.kind === "refusal" && outcome.response) forbidStoring(headers);
    if (all) {
      setLimitFields(headers, all);
      all.writeSession?.(headers);
      headers.set("x-request-id", requestId);
      if (all.findings.timed)
        headers.append("server-timing", serverTiming(all.findings, all.cache, now - received.startedAt));
    }
  }
  if (!all) return response;
  const final = cors.apply(request, response);
  logAll(events, received, all, { final, version: config.deployedVersion, now: platform.now() });
  metrics?.writeAfter(received);
  deferred.start();
  return final;
}

function responseOf(outcome: Answer | Refusal, requestId: string, events: Events): Response {
  if (outcome.kind === "answer") return outcome.response;
  return outcome.response ?? problemOf(outcome.error, requestId, events);
}

function setLimitFields(headers: Headers, { findings: { limits }, outcome }: StackPart): void {
  if (!limits || tellsNoQuota(outcome)) return;
  const ownAnswer = outcome.kind === "refusal" && outcome.response !== undefined;
  const { headers: own } = limits;
  for (const name in own) {
    // A refusal by the limits has its own. Under `EDGE_MODE=observe` a denied request gets the origin's answer, or its failure.
    if (name !== "Retry-After" || ownAnswer) headers.set(name, own[name] ?? "");
  }
}

function logAll(
  events: Events,
  { request, requestId, startedAt }: Received,
  { findings, outcome, cache }: StackPart,
  { final, version, now }: { final: Response; version: string | null; now: number },
): void {
  if (cache) countCache(events, findings.route, cache);
  if (!events.tells("request", final)) return;
  const { route, caller, session, limits, eager, storeCalls, storeMs, originMs, observed } = findings;
  const limited = limitsWord(limits);
  logRequest(events, {
    request,
    caller,
    request_id: requestId,
    version: version ?? undefined,
    route,
    status: final.status,
    verdict: verdictOf(outcome.kind === "answer" ? observed : outcome.error),
    limits: limited,
    // That refuses the request, or else is nearest to it.
    policy: limits?.violated[0] ?? limits?.nearest?.name,
    source: limited && limits ? limits.source : undefined,
    session: !session || session.kind === "none" ? null : session.kind,
    cache: cache ? cache.word.toLowerCase() : null,
    cache_reason: cache && "fwd" in cache.status ? (cache.status.detail ?? cache.status.fwd) : undefined,
    eager: eager?.outcome,
    store_calls: storeCalls,
    store_ms: storeMs,
    origin_ms: originMs ?? undefined,
    // To the response's header fields.
    total_ms: now - startedAt,
    bytes: request.method === "HEAD" ? undefined : (contentLength(final.headers) ?? undefined),
  });
}

function countCache({ meter }: Events, route: string, { word, status, savedBytes = 0 }: CacheOutcome): void {
  const reason = word === "BYPASS" && "fwd" in status ? (status.detail ?? status.fwd) : "";
  meter?.cache(route, word.toLowerCase(), reason, savedBytes);
}

/**
 * Statuses by which an origin states a limit of its own, or that it is overloaded: RFC 6585 §4, RFC 9110 §15.5.14 and §15.6.4,
 * and those that some APIs and servers use in their place. Clients read how long to wait from the fields beside them.
 */
const STATES_A_LIMIT: ReadonlySet<number> = new Set([413, 420, 429, 430, 503, 509, 529]);

/**
 * Whether the edge's quota says nothing of this answer. Whoever was not let in, by the edge or by the origin's 401, is told
 * nothing of it: it may be somebody else's. An origin's own limit stands alone with its own fields; and a 503 of the edge is
 * not to be waited out by a quota's reset.
 */
function tellsNoQuota(outcome: Answer | Refusal): boolean {
  if (outcome.kind === "answer") {
    const { status } = outcome.response;
    if (status < 400) return false;
    return status === 401 || STATES_A_LIMIT.has(status) || saysToWait(outcome.response.headers);
  }
  if (!(outcome.error instanceof Problem)) return false;
  const { status } = outcome.error.facts;
  return status === 401 || status === 403 || status === 503;
}

/** An error of any other status may be a limit as well: GitHub's is a 403 with `Retry-After`, or with nothing remaining. */
function saysToWait(headers: Headers): boolean {
  if (headers.has("retry-after")) return true;
  if (REMAINING_FIELDS.some((name) => /^(0+|-\d+)$/.test(headers.get(name) ?? ""))) return true;
  return /[;,\s](r|remaining)=(0+|-\d+)(?![\d.])/.test(` ${headers.get("ratelimit") ?? ""}`);
}

/** Null where no limit was asked. */
function limitsWord(limits: LimitVerdict | null): LogRecord["limits"] {
  return limits && Object.keys(limits.headers).length > 0 ? `${limits.kind} by ${limits.source}` : null;
}

/** The log's word for a refusal: the problem's code in lower case. */
function verdictOf(error: unknown): string {
  if (error === null) return "allowed";
  return error instanceof Problem ? error.code.toLowerCase() : "failed";
}

/**
 * The problem response for an error. An unexpected error reaches the caller as a 500 without details. Its message does not
 * reach the log either, because it may quote the request.
 */
export function problemOf(error: unknown, requestId: string, events = withoutIsolate): Response {
  if (error instanceof Problem) return problemResponse(error.facts, requestId);
  if (error instanceof HTTPException) {
    const { status, message } = error;
    const title = message || "Refused";
    return problemResponse({ status, code: `HTTP_${status}`, title, message: title }, requestId);
  }
  if (error instanceof ConfigError) {
    events.emit("config.error", { request_id: requestId, message: error.message });
    return problemResponse(problemFacts("CONFIG_ERROR"), requestId);
  }
  events.emit("request.failed", { request_id: requestId, ...errorFacts(error) });
  return problemResponse(problemFacts("INTERNAL_ERROR"), requestId);
}

/** Events where no isolate could be opened. */
const withoutIsolate = createEvents({ platform: workerPlatform });
/** Request ids where no isolate could be opened. */
export const newRequestId = createRequestIds(workerPlatform);
