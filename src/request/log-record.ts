import type { Log, LogFields } from "../events/log.ts";

/** What one request did, gathered on its way and written as one line when the response leaves. */
export interface RequestReport {
  requestId: string;
  method: string;
  /** The route as configured, never the path: a path can hold anything. */
  route: string;
  /** HMAC of the caller. */
  caller: string | null;
  /** What the edge decided: `allowed`, `denied`, `unauthorised` … */
  verdict: string;
  /** `Cache-Status` of the edge in a word: hit, miss, stale, bypass. */
  cache: string | null;
  limits: string | null;
  session: string | null;
  storeCalls: number;
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

/** The one line per request. */
export function writeReport(log: Log, report: RequestReport, status: number, totalMs: number): void {
  const fields: LogFields = {
    request_id: report.requestId,
    method: report.method,
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
  };
  if (status >= 500) log.warn("request", fields);
  else log.info("request", fields);
}
