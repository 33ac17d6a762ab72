/** Upper bounds of a histogram's buckets, ms. One more bucket takes what is longer. */
export type BucketsMs = readonly number[];

/**
 * A group of numbers that are counted together, for each combination of its labels. One of these three:
 *
 * - a histogram: its numbers are the buckets and, last, the sum in ms;
 * - one counter;
 * - several counters (`columns`), each a metric of its own.
 */
export interface Family {
  /** Its name where counts are stored. Once given it is never used for anything else. */
  readonly key: string;
  /** Of the metric: without `_total` for a counter; what stands before the columns' names for several. */
  readonly name: string;
  readonly labels: readonly string[];
  readonly help: string;
  /** Of a histogram. */
  readonly bucketsMs?: BucketsMs;
  /** The names and meanings of several counters. */
  readonly columns?: readonly (readonly [name: string, help: string])[];
  /** Values that its one label can have: they are 0 from the beginning, else `increase()` would not see the first count. */
  readonly values?: readonly string[];
  /** Labels that each sample has. */
  readonly always?: Readonly<Record<string, string>>;
}

/** OpenTelemetry's advice for `http.server.request.duration` and `http.client.request.duration`. */
const HTTP_BUCKETS_MS = [5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];
/** OpenTelemetry's advice for `db.client.operation.duration`. */
const STORE_BUCKETS_MS = [1, 5, 10, 50, 100, 500, 1000, 5000, 10_000];

export const requests: Family = {
  key: "req",
  name: "http_server_request_duration_seconds",
  labels: ["http_route", "http_request_method", "http_response_status_code"],
  help: "Requests that the edge answered, by the time until the response's header fields.",
  bucketsMs: HTTP_BUCKETS_MS,
};

export const verdicts: Family = {
  key: "ver",
  name: "envoyou_edge_verdicts",
  labels: ["http_route", "verdict"],
  help: "Requests by verdict: allowed, or the code of the refusal.",
};

export const originAnswers: Family = {
  key: "org",
  name: "http_client_request_duration_seconds",
  labels: ["http_route", "http_response_status_code", "error_type"],
  help: "Requests to the origin, by the time until its header fields.",
  bucketsMs: HTTP_BUCKETS_MS,
};

/** The names of Envoy's rate limit service, and Unkey's label `source`. */
export const limitChecks: Family = {
  key: "lim",
  name: "ratelimit_service_rate_limit_",
  labels: ["http_route", "policy", "source"],
  help: "",
  columns: [
    ["total_hits", "Requests that a limit was asked about."],
    ["within_limit", "Requests that found room in the limit."],
    ["near_limit", "Requests within the limit that left its caller with more than 80 % of it used."],
    ["over_limit", "Requests that the limit denied."],
    ["shadow_mode", "Requests that the limit would have denied, were it not in shadow mode."],
  ],
};

/** Where each of the columns of {@link limitChecks} stands among its numbers. */
export const LIMIT_COLUMNS = { total: 0, within: 1, near: 2, over: 3, shadow: 4 } as const;

export const cacheAnswers: Family = {
  key: "cac",
  name: "envoyou_edge_cache_requests",
  labels: ["http_route", "result", "reason"],
  help: "Answers on routes with a cache: hit, stale, revalidated, miss, bypass with its reason.",
};

export const savedBytes: Family = {
  key: "sav",
  name: "envoyou_edge_cache_saved_bytes",
  labels: ["http_route"],
  help: "Bytes of bodies that came from the cache.",
};

export const sessionChanges: Family = {
  key: "ses",
  name: "envoyou_edge_session_changes",
  labels: ["change"],
  values: ["created", "rotated", "ended", "ended_user", "ended_everyone"],
  help: "Sessions created, rotated and ended; ended_user and ended_everyone end several at once.",
};

export const sessionRefusals: Family = {
  key: "srf",
  name: "envoyou_edge_sessions_refused",
  labels: ["http_route", "reason"],
  help: "Requests whose session does not count, by reason.",
};

export const storeCalls: Family = {
  key: "sto",
  name: "db_client_operation_duration_seconds",
  labels: ["error_type"],
  help: "HTTP calls to the store; error_type says why one failed.",
  bucketsMs: STORE_BUCKETS_MS,
  always: { db_system_name: "redis", db_operation_name: "PIPELINE" },
};

export const storeCommands: Family = {
  key: "cmd",
  name: "envoyou_edge_store_commands",
  labels: ["error_type"],
  help: "Commands in the calls to the store; error_type says why the call failed.",
};

export const storeLosses: Family = {
  key: "los",
  name: "envoyou_edge_store_lost",
  labels: ["reason"],
  values: ["timeout", "unreachable", "unauthorized", "throttled", "server", "malformed"],
  help: "How often an isolate lost the store: its circuit breaker opened.",
};

export const families: readonly Family[] = [
  requests,
  verdicts,
  originAnswers,
  limitChecks,
  cacheAnswers,
  savedBytes,
  sessionChanges,
  sessionRefusals,
  storeCalls,
  storeCommands,
  storeLosses,
];
