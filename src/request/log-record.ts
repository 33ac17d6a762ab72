import type { Events } from "../events/events.ts";
import { type EventFields, METHODS } from "../events/table.ts";

type RequestFields = EventFields<"request">;

/** What one request did, when its response leaves. */
export interface LogRecord {
  requestId: string;
  method: string;
  /** The route as configured, never the path: a path can hold anything. */
  route: string;
  status: number;
  /** HMAC of the caller. */
  caller: string | null;
  /** What the edge decides: `allowed`, or the code of the refusal in lower case. */
  verdict: string;
  limits: NonNullable<RequestFields["limits"]> | null;
  session: NonNullable<RequestFields["session"]> | null;
  /** What the cache did, in lower case: `hit`, `miss`, `stale` … */
  cache: string | null;
  storeCalls: number;
  /** Milliseconds that the request waits for the store. */
  storeMs: number;
  totalMs: number;
}

/** Emits the one event that every request has. */
export function logRequest(events: Events, record: LogRecord): void {
  events.emit("request", {
    request_id: record.requestId,
    // A method is a text of the client's (RFC 9110 §9.1): one that is not known may be anything.
    method: METHODS.find((method) => method === record.method) ?? "other",
    route: record.route,
    status: record.status,
    caller: record.caller,
    verdict: record.verdict,
    limits: record.limits,
    session: record.session,
    cache: record.cache,
    store_calls: record.storeCalls,
    store_ms: record.storeMs,
    total_ms: record.totalMs,
  });
}
