import { HTTPException } from "hono/http-exception";
import { ConfigError } from "../config/config-error.ts";
import { errorFacts } from "../events/error-place.ts";
import { createEvents } from "../events/events.ts";
import { API_KEY_FIELD } from "../http/credential-fields.ts";
import { mutableResponse } from "../http/mutable-response.ts";
import { Problem, problemFacts, problemResponse } from "../http/problem.ts";
import { addVary } from "../http/vary.ts";
import type { EagerFetch } from "../origin/eager-fetch.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";
import { type LogRecord, logRequest } from "../request/log-record.ts";
import type { SessionChange } from "../request/session-change.ts";
import type { CacheOutcome } from "../response-cache/outcome.ts";
import { workerPlatform } from "../runtime/platform.ts";
import { createRequestIds } from "../runtime/request-ids.ts";
import type { SessionVerdict } from "../session/verdict.ts";
import type { Isolate } from "./isolate.ts";
import type { Received } from "./receive.ts";

/** Facts about a request for its log line and its response fields. Each step of the pipeline adds to a copy. */
export interface Findings {
  /** The route as configured. The log never contains the path, which may hold personal data. */
  route: string;
  /** The caller's hash. */
  caller: string | null;
  session: SessionVerdict | null;
  limits: LimitVerdict | null;
  /** The request to the origin that began before it was known whether it is needed, where there was one. */
  eager: EagerFetch | null;
  /** What `EDGE_MODE=enforce` would have refused the request with, under `observe`. */
  observed: Problem | null;
  /** Calls to the store before the response. */
  storeCalls: number;
  /** Milliseconds that the request waits for the store. */
  storeMs: number;
}

/** The findings before the first step. */
export const NO_FINDINGS: Findings = {
  route: "*",
  caller: null,
  session: null,
  limits: null,
  eager: null,
  observed: null,
  storeCalls: 0,
  storeMs: 0,
};

/** A response, with the data of the modules that produced it. */
export interface Answer {
  kind: "answer";
  response: Response;
  cache: CacheOutcome | null;
  /** A change of the session by the origin or an endpoint. It takes precedence over the verdict's change. */
  session: SessionChange | null;
  /** Another caller may be given another answer. Default false. */
  byCaller?: boolean;
}

/** An error in place of an answer. */
export interface Refusal {
  kind: "refusal";
  error: unknown;
}

export function refusal(error: unknown): Refusal {
  return { kind: "refusal", error };
}

/** The fields by which the edge knows callers. */
const CALLER_FIELDS = ["Authorization", "Cookie", API_KEY_FIELD];

type FinishParts = Pick<Isolate, "platform" | "events" | "cors" | "sessions" | "fields">;

/** Writes the edge's header fields and the log line, and starts the deferred work. No other function does (law 12). */
export function finish(
  { platform, events, cors, sessions, fields }: FinishParts,
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
    fields.setCacheFields(headers, cache);
    // Else a browser shows the last user's page to the next (RFC 9111 §4.1).
    if (outcome.kind === "answer" && outcome.byCaller) addVary(headers, CALLER_FIELDS);
    const limitFields = tellsNoQuota(outcome) ? {} : (findings.limits?.headers ?? {});
    for (const [name, value] of Object.entries(limitFields)) {
      // A refusal by the limits has its own. Under `EDGE_MODE=observe` a denied request gets the origin's answer, or its failure.
      if (name !== "Retry-After") headers.set(name, value);
    }
    const change =
      (outcome.kind === "answer" ? outcome.session : null) ??
      (findings.session ? sessions.changeOf(findings.session) : null);
    if (change) fields.writeSessionFields(change, headers, url, now);
    headers.set("x-request-id", requestId);
  }
  const final = cors.apply(request, response);
  logRequest(events, {
    requestId,
    method: request.method,
    route: findings.route,
    status: final.status,
    caller: findings.caller,
    verdict: verdictOf(outcome.kind === "answer" ? findings.observed : outcome.error),
    limits: limitsWord(findings.limits),
    session: !findings.session || findings.session.kind === "none" ? null : findings.session.kind,
    cache: cache ? cache.word.toLowerCase() : null,
    eager: findings.eager?.outcome,
    storeCalls: findings.storeCalls,
    storeMs: findings.storeMs,
    totalMs: platform.now() - startedAt,
  });
  deferred.start();
  return final;
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
    const { status, headers } = outcome.response;
    return status === 401 || STATES_A_LIMIT.has(status) || saysToWait(status, headers);
  }
  if (!(outcome.error instanceof Problem)) return false;
  const { status } = outcome.error.facts;
  return status === 401 || status === 403 || status === 503;
}

/** An error of any other status may be a limit as well: GitHub's is a 403 with `Retry-After`, or with nothing remaining. */
function saysToWait(status: number, headers: Headers): boolean {
  if (status < 400) return false;
  return headers.has("retry-after") || /^(0+|-\d+)$/.test(headers.get("x-ratelimit-remaining") ?? "");
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
