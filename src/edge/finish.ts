import { HTTPException } from "hono/http-exception";
import { ConfigError } from "../config/config-error.ts";
import { errorFacts } from "../events/error-place.ts";
import { createEvents } from "../events/events.ts";
import { mutableResponse } from "../http/mutable-response.ts";
import { Problem, problemFacts, problemResponse } from "../http/problem.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";
import { type LogRecord, logRequest } from "../request/log-record.ts";
import type { SessionChange } from "../request/session-change.ts";
import { type CacheOutcome, setCacheFields } from "../response-cache/outcome.ts";
import { workerPlatform } from "../runtime/platform.ts";
import { createRequestIds } from "../runtime/request-ids.ts";
import { writeSessionFields } from "../session/changes.ts";
import type { SessionVerdict } from "../session/verdict.ts";
import type { Isolate } from "./isolate.ts";
import type { Received } from "./receive.ts";

/** What was found out about a request, for its log line and the fields of its answer. Each step adds to a copy. */
export interface Findings {
  /** The route as configured, never the path: a path can hold anything. */
  route: string;
  /** The caller's hash. */
  caller: string | null;
  session: SessionVerdict | null;
  limits: LimitVerdict | null;
  storeCalls: number;
  storeMs: number;
}

export const NO_FINDINGS: Findings = {
  route: "*",
  caller: null,
  session: null,
  limits: null,
  storeCalls: 0,
  storeMs: 0,
};

/** A response, with what the modules that made it have to say beside it. */
export interface Answer {
  kind: "answer";
  response: Response;
  cache: CacheOutcome | null;
  /** What became of the client's session beyond what validating it found. */
  session: SessionChange | null;
}

/** Whatever was thrown, instead of an answer. */
export interface Refusal {
  kind: "refusal";
  error: unknown;
}

export function refusal(error: unknown): Refusal {
  return { kind: "refusal", error };
}

type FinishParts = Pick<Isolate, "platform" | "events" | "cors" | "sessions">;

/** The one place that writes the edge's header fields, and the log line. */
export function finish(
  { platform, events, cors, sessions }: FinishParts,
  received: Received,
  findings: Findings,
  outcome: Answer | Refusal,
): Response {
  const { request, url, requestId, startedAt, deferred } = received;
  const now = platform.now();
  const response = mutableResponse(
    outcome.kind === "answer" ? outcome.response : problemOf(outcome.error, requestId, events),
  );
  const cache = outcome.kind === "answer" ? outcome.cache : null;
  // The fields of a 101 cannot be changed: the connection is no longer HTTP.
  if (response.status !== 101) {
    const { headers } = response;
    setCacheFields(headers, cache);
    const limitFields = isAccessRefusal(outcome) ? {} : (findings.limits?.headers ?? {});
    for (const [name, value] of Object.entries(limitFields)) headers.set(name, value);
    const change =
      (outcome.kind === "answer" ? outcome.session : null) ??
      (findings.session ? sessions.changeOf(findings.session) : null);
    if (change) writeSessionFields(change, headers, url, now);
    headers.set("x-request-id", requestId);
  }
  const final = cors.apply(request, response);
  logRequest(events, {
    requestId,
    method: request.method,
    route: findings.route,
    status: final.status,
    caller: findings.caller,
    verdict: outcome.kind === "answer" ? "allowed" : verdictOf(outcome.error),
    limits: limitsWord(findings.limits),
    session: !findings.session || findings.session.kind === "none" ? null : findings.session.kind,
    cache: cache ? cache.word.toLowerCase() : null,
    storeCalls: findings.storeCalls,
    storeMs: findings.storeMs,
    totalMs: platform.now() - startedAt,
  });
  deferred.start();
  return final;
}

/** Whoever was not let in is told nothing of a quota: it may be somebody else's. */
function isAccessRefusal(outcome: Answer | Refusal): boolean {
  if (outcome.kind === "answer" || !(outcome.error instanceof Problem)) return false;
  const { status, code } = outcome.error.facts;
  return (
    status === 401 || status === 403 || code === "IDENTITY_UNAVAILABLE" || code === "SESSION_UNAVAILABLE"
  );
}

/** Null where no limit was asked. */
function limitsWord(limits: LimitVerdict | null): LogRecord["limits"] {
  return limits && Object.keys(limits.headers).length > 0 ? `${limits.kind} by ${limits.source}` : null;
}

/** What a refusal is called in the log: its problem's code. */
function verdictOf(error: unknown): string {
  return error instanceof Problem ? error.code.toLowerCase() : "failed";
}

/**
 * A problem body for whatever was thrown. Nothing of an error that the edge does not know reaches the caller, and of its
 * text nothing reaches the log: it may quote what the caller sent.
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

/** Where no isolate could be opened. */
const withoutIsolate = createEvents({ platform: workerPlatform });
/** Where no isolate could be opened. */
export const newRequestId = createRequestIds(workerPlatform);
