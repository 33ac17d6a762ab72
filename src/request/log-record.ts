import type { Events } from "../events/events.ts";
import { type EventFields, METHODS } from "../events/table.ts";

type RequestFields = EventFields<"request">;

/** The facts of a request for its log line. */
export interface LogRecord {
  requestId: string;
  method: string;
  /** The route as configured. The log never contains the path, which may hold personal data. */
  route: string;
  status: number;
  /** The HMAC of the caller. */
  caller: string | null;
  /** `allowed`, or the code of the refusal in lower case. */
  verdict: string;
  limits: NonNullable<RequestFields["limits"]> | null;
  session: NonNullable<RequestFields["session"]> | null;
  /** What became of the eager fetch, where there was one. */
  eager?: RequestFields["eager"];
  /** The cache's outcome in lower case: `hit`, `miss`, `stale` … */
  cache: string | null;
  storeCalls: number;
  /** Milliseconds that the request waits for the store. */
  storeMs: number;
  /** Milliseconds from the arrival to the response's header fields. */
  totalMs: number;
}

/** Emits the `request` event. */
export function logRequest(events: Events, record: LogRecord): void {
  events.emit("request", {
    request_id: record.requestId,
    // A client may send any token as method (RFC 9110 §9.1). The log contains only known ones.
    method: METHODS.find((method) => method === record.method) ?? "other",
    route: record.route,
    status: record.status,
    caller: record.caller,
    verdict: record.verdict,
    limits: record.limits,
    session: record.session,
    cache: record.cache,
    eager: record.eager,
    store_calls: record.storeCalls,
    store_ms: record.storeMs,
    total_ms: record.totalMs,
  });
}
