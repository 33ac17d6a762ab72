import type { Events } from "../events/events.ts";
import type { CorsPolicy } from "../http/cors.ts";
import { AfterResponse } from "../request/deferred.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Store } from "../store/store.ts";

/** A request that has just come in. */
export interface Received {
  request: Request;
  url: URL;
  requestId: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** What is left to be done once the response is on its way. */
  deferred: AfterResponse;
  /** Keeps the invocation alive until the promise settles. */
  waitUntil(work: Promise<unknown>): void;
}

export interface ReceiveOptions {
  platform: Pick<Platform, "now">;
  newRequestId(): string;
  store: Store;
  events: Events;
}

export function receive(
  { platform, newRequestId, store, events }: ReceiveOptions,
  request: Request,
  waitUntil: Received["waitUntil"],
): Received {
  const requestId = newRequestId();
  return {
    request,
    url: new URL(request.url),
    requestId,
    startedAt: platform.now(),
    deferred: new AfterResponse({ store, events, requestId, waitUntil }),
    waitUntil,
  };
}

/** A request from inside the Worker, on behalf of one that came from outside: it shares its id and its deferred work. */
export function receivedInside(outer: Received, request: Request): Received {
  return { ...outer, request, url: new URL(request.url) };
}

/** The edge's answer to a CORS preflight, or null where the request is none or CORS is the origin's. */
export function preflightAnswer(
  { cors, events }: { cors: CorsPolicy; events: Events },
  { request, requestId }: Received,
): Response | null {
  const preflight = cors.preflight(request);
  if (!preflight) return null;
  const allowed = preflight.headers.has("access-control-allow-origin");
  events.emit("cors.preflight", { request_id: requestId, status: preflight.status, allowed });
  return preflight;
}
