import type { Events } from "../events/events.ts";
import { type EventFields, METHODS } from "../events/table.ts";

type RequestFields = EventFields<"request">;

/** What one request did: gathered on its way, emitted as the event `request` when the response leaves. */
export interface RequestReport {
  requestId: string;
  method: string;
  /** The route as configured, never the path: a path can hold anything. */
  route: string;
  /** HMAC of the caller. */
  caller: string | null;
  /** What the edge decides: `allowed`, or the code of the refusal in lower case. */
  verdict: string;
  /** `X-Cache` of the edge in lower case: `hit`, `miss`, `stale` … */
  cache: string | null;
  limits: NonNullable<RequestFields["limits"]> | null;
  session: NonNullable<RequestFields["session"]> | null;
  storeCalls: number;
  /** Milliseconds that the request waits for the store. */
  storeMs: number;
}

export function newReport(requestId: string, method: string): RequestReport {
  return {
    requestId,
    method,
    route: "*",
    caller: null,
    verdict: "allowed",
    cache: null,
    limits: null,
    session: null,
    storeCalls: 0,
    storeMs: 0,
  };
}

/** Emits the one event that every request has. */
export function writeReport(events: Events, report: RequestReport, status: number, totalMs: number): void {
  events.emit("request", {
    request_id: report.requestId,
    // A method is a text of the client's (RFC 9110 §9.1): one that is not known may be anything.
    method: METHODS.find((method) => method === report.method) ?? "other",
    route: report.route,
    status,
    caller: report.caller,
    verdict: report.verdict,
    limits: report.limits,
    session: report.session,
    cache: report.cache,
    store_calls: report.storeCalls,
    store_ms: report.storeMs,
    total_ms: totalMs,
  });
}
