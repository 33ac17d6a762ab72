import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { ConfigError } from "../config/config-error.ts";
import type { Route } from "../config/route.ts";
import { errorFacts } from "../events/error-place.ts";
import { createEvents, type Events } from "../events/events.ts";
import { changeable } from "../http/mutable-response.ts";
import { Problem, type ProblemFacts, problemResponse } from "../http/problem.ts";
import type { Caller } from "../identity/caller.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";
import type { EdgeRequest } from "../request/capability.ts";
import { AfterResponse } from "../request/deferred.ts";
import { newReport, type RequestReport, writeReport } from "../request/log-record.ts";
import { workerPlatform } from "../runtime/platform.ts";
import { createRequestIds } from "../runtime/request-ids.ts";
import type { SessionVerdict } from "../session/verdict.ts";
import type { Isolate } from "./isolate.ts";
import { type AccessCheck, type AccessCheckOptions, checkAccess } from "./pipeline.ts";

/** What handlers behind the edge find in `c.var`. */
export interface EdgeVariables {
  isolate: Isolate;
  edgeRequest: EdgeRequest;
  caller: Caller;
  session: SessionVerdict;
  rateLimit: LimitVerdict | null;
  accessCheck: AccessCheck;
  report: RequestReport;
  after: AfterResponse;
  requestId: string;
}

export interface EdgeEnv {
  Bindings: object;
  Variables: EdgeVariables;
}

/**
 * What surrounds every answer: request id, CORS, the problem body of a refusal, one log line, and what is left to be done
 * after the response.
 */
export async function serve(
  c: Context<EdgeEnv>,
  isolate: Isolate,
  answer: () => Promise<Response>,
): Promise<Response> {
  const { platform, events, store, cors } = isolate;
  const startedAt = platform.now();
  const requestId = isolate.newRequestId();
  const report = newReport(requestId, c.req.method);
  const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const after = new AfterResponse({ store, events, requestId, waitUntil });
  c.set("isolate", isolate);
  c.set("requestId", requestId);
  c.set("report", report);
  c.set("after", after);

  const preflight = cors.preflight(c.req.raw);
  if (preflight) {
    const allowed = preflight.headers.has("access-control-allow-origin");
    events.emit("cors.preflight", { request_id: requestId, status: preflight.status, allowed });
    return preflight;
  }
  let response: Response;
  try {
    response = await answer();
  } catch (error) {
    response = failure(error, requestId, events);
    report.verdict = verdictOf(error);
  }
  response = changeable(response);
  c.get("accessCheck")?.annotate(response.headers);
  if (response.status !== 101) response.headers.set("x-request-id", requestId);
  const final = cors.apply(c.req.raw, response);
  writeReport(events, report, final.status, platform.now() - startedAt);
  after.start();
  return final;
}

/** Opens the accessCheck of a request and puts what it found where handlers look for it. */
export async function open(
  c: Context<EdgeEnv>,
  isolate: Isolate,
  options: Pick<AccessCheckOptions, "capabilities"> & { route?: Route } = {},
): Promise<AccessCheck> {
  const accessCheck = await checkAccess({
    ...options,
    isolate,
    request: c.req.raw,
    report: c.var.report,
    after: c.var.after,
    waitUntil: (work) => c.executionCtx.waitUntil(work),
  });
  c.set("accessCheck", accessCheck);
  c.set("edgeRequest", accessCheck.edgeRequest);
  c.set("caller", accessCheck.edgeRequest.caller);
  c.set("session", accessCheck.session);
  c.set("rateLimit", accessCheck.rateLimit);
  return accessCheck;
}

/**
 * A problem body for whatever was thrown. Nothing of an error the edge does not know reaches the caller, and of its text
 * nothing reaches the log: it may quote what the caller sent.
 */
export function failure(error: unknown, requestId = newRequestId(), events: Events = logOnly): Response {
  if (error instanceof Problem) return problemResponse(error.facts, requestId);
  if (error instanceof HTTPException) {
    const { status, message } = error;
    const title = message || "Refused";
    return problemResponse({ status, code: `HTTP_${status}`, title, message: title }, requestId);
  }
  if (error instanceof ConfigError) {
    events.emit("config.error", { request_id: requestId, message: error.message });
    return problemResponse(configProblem, requestId);
  }
  events.emit("request.failed", { request_id: requestId, ...errorFacts(error) });
  return problemResponse(internalProblem, requestId);
}

const configProblem: ProblemFacts = {
  status: 500,
  code: "CONFIG_ERROR",
  title: "Configuration error",
  message: "The edge is not configured correctly. Its log says what to fix.",
};

const internalProblem: ProblemFacts = {
  status: 500,
  code: "INTERNAL_ERROR",
  title: "Internal error",
  message: "The edge failed. Quote the request id when you report it.",
};

/** What a refusal is called in the log: its problem's code. */
export function verdictOf(error: unknown): string {
  return error instanceof Problem ? error.code.toLowerCase() : "failed";
}

/** Where no isolate can be opened. */
const newRequestId = createRequestIds(workerPlatform);
const logOnly = createEvents({ platform: workerPlatform });

/** Hono merges the headers of the response it had into the one it gets: here the new one is the whole answer. */
export function replaceResponse(c: Context, response: Response): void {
  c.res = undefined;
  c.res = response;
}
