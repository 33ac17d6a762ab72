import type { Problem } from "../http/problem.ts";
import type { EagerFetch } from "../origin/eager-fetch.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";
import type { LoggedCaller } from "../request/log-record.ts";
import type { SessionChange } from "../request/session-change.ts";
import type { CacheOutcome } from "../response-cache/outcome.ts";
import type { SessionVerdict } from "../session/verdict.ts";

/** Facts about a request for its log line and its response fields. Each step of the pipeline adds to them. */
export interface Findings {
  /** The route as configured. The log never contains the path, which may hold personal data. */
  route: string;
  caller: LoggedCaller | null;
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
  /** Milliseconds that the request waits for the origin; null where it does not ask. */
  originMs: number | null;
  /** The answer says where the time went. */
  timed: boolean;
}

/** The findings before the first step. */
export const NO_FINDINGS: Readonly<Findings> = {
  route: "*",
  caller: null,
  session: null,
  limits: null,
  eager: null,
  observed: null,
  storeCalls: 0,
  storeMs: 0,
  originMs: null,
  timed: false,
};

/** A response, with the data of the modules that produced it. */
export interface Answer {
  kind: "answer";
  response: Response;
  cache: CacheOutcome | null;
  /** A change of the session by the origin or an endpoint. It takes precedence over the verdict's change. */
  session: SessionChange | null;
  /** The response was made for this request by the edge itself, so that its fields can be changed as they are. Default false. */
  made?: boolean;
  /** Another caller may be given another answer. Default false. */
  byCaller?: boolean;
}

/** An error in place of an answer. */
export interface Refusal {
  kind: "refusal";
  error: unknown;
  /** The app's own answer in place of the problem. */
  response?: Response;
}

export function refusal(error: unknown): Refusal {
  return { kind: "refusal", error };
}
