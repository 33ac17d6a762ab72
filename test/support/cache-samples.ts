import type { FreshnessRule } from "../../src/response-cache/rules/freshness.ts";
import type { RequestFacts } from "../../src/response-cache/rules/message.ts";
import type { StoredResponse } from "../../src/response-cache/rules/stored.ts";
import type { Exchange } from "../../src/response-cache/rules/storing.ts";

/** Tue, 07 Apr 2026 12:00:00 GMT, in milliseconds. */
export const NOON = Date.UTC(2026, 3, 7, 12);

type Fields = Record<string, string> | [string, string][];

export function get(fields: Fields = {}, method = "GET"): RequestFacts {
  return { method, url: "https://api.example/v1/emissions?year=2025", headers: new Headers(fields) };
}

export function rule(changes: Partial<FreshnessRule> = {}): FreshnessRule {
  return { scope: "public", ttl: undefined, staleWhileRevalidate: 0, staleIfError: 0, ...changes };
}

/** A stored response that arrived at noon, at once, dated noon. */
export function stored(fields: Fields = {}, changes: Partial<StoredResponse> = {}): StoredResponse {
  const headers = new Headers(fields);
  if (!headers.has("date")) headers.set("date", new Date(NOON).toUTCString());
  return {
    status: 200,
    headers: [...headers],
    requestTime: NOON,
    responseTime: NOON,
    vary: [],
    credentials: false,
    ...changes,
  };
}

/** An anonymous GET at noon, and a 200 to it. */
export function exchange(
  fields: Fields = {},
  changes: Partial<Exchange> & { status?: number } = {},
): Exchange {
  const { status = 200, ...rest } = changes;
  return {
    request: get(),
    response: { status, headers: new Headers(fields) },
    requestTime: NOON,
    responseTime: NOON,
    requester: "anonymous",
    rule: rule(),
    ...rest,
  };
}

/** An HTTP-date that many seconds after noon. */
export function dateAt(seconds: number): string {
  return new Date(NOON + seconds * 1000).toUTCString();
}
