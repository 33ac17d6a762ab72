import { withHead } from "../config/check-routes.ts";
import type { RouteMatcher } from "../config/match.ts";
import type { Events } from "../events/events.ts";
import type { CorsPolicy } from "../http/cors.ts";
import { decodedPath } from "../http/path.ts";
import { AfterResponse } from "../request/deferred.ts";
import type { CacheOutcome } from "../response-cache/outcome.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Sessions } from "../session/sessions.ts";
import type { Store } from "../store/store.ts";
import type { Answer, Findings, Refusal } from "./outcome.ts";

/** A request at its arrival. */
export interface Received {
  request: Request;
  url: URL;
  requestId: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Work for after the response. */
  deferred: AfterResponse;
  /** Keeps the invocation alive until the promise settles. */
  waitUntil(work: Promise<unknown>): void;
  /** Where several middlewares handle the request, one inside of another. Absent: this is all that does. */
  stack?: Stack;
}

/** Several middlewares that handle one request. The outermost writes the fields and the log line for all. */
export interface Stack {
  /**
   * Adds what one of them has found and how it ends.
   *
   * @returns what all of them have found, where it is the outermost; null where it is another, whose fields and log line are not
   *   its own to write.
   */
  add(part: StackPart): StackPart | null;
}

/** What one middleware, or all of them together, made of a request. */
export interface StackPart {
  findings: Findings;
  /** It decides what is told of limits, and the verdict in the log. */
  outcome: Answer | Refusal;
  /**
   * Writes the change of its session into the fields of the answer, or null. The outermost calls it for all, and may have no
   * sessions itself.
   */
  writeSession: ((headers: Headers) => void) | null;
  cache: CacheOutcome | null;
  response: Response;
}

export interface ReceiveOptions {
  platform: Pick<Platform, "now">;
  newRequestId(): string;
  store: Store;
  sessions: Pick<Sessions, "maintenance">;
  events: Events;
}

/** Gives a request its id, its start time and its list of deferred work. */
export function receive(
  { platform, newRequestId, store, sessions, events }: ReceiveOptions,
  request: Request,
  waitUntil: Received["waitUntil"],
): Received {
  const requestId = newRequestId();
  return {
    request,
    url: new URL(request.url),
    requestId,
    startedAt: platform.now(),
    deferred: new AfterResponse({ store, events, requestId, maintain: sessions.maintenance, waitUntil }),
    waitUntil,
  };
}

/** A request that the Worker makes on behalf of an outer one. It shares the id and the deferred work of the outer one. */
export function receivedInside(outer: Received, request: Request): Received {
  return { ...outer, request, url: new URL(request.url) };
}

/** The edge's answer to a CORS preflight. @returns null for any other request, and where the origin handles CORS. */
export function preflightAnswer(
  { cors, events, matchRoute }: { cors: CorsPolicy; events: Events; matchRoute: RouteMatcher },
  { request, url, requestId }: Received,
): Response | null {
  const preflight = cors.preflight(request, (method) =>
    withHead(matchRoute(method, decodedPath(url.pathname) ?? "").methods),
  );
  if (!preflight) return null;
  preflight.headers.set("x-request-id", requestId);
  const allowed = preflight.headers.has("access-control-allow-origin");
  events.emit("cors.preflight", { request_id: requestId, status: preflight.status, allowed });
  return preflight;
}
