/**
 * A client without dependencies for pages and programs that call an API behind the edge.
 *
 * @module
 */
export type { ProblemCode } from "../http/problem-codes.ts";
export type { Clock, RetryOptions } from "./attempts.ts";
export { type ClientOptions, createClient, type EdgeClient, type EdgeRequestInit } from "./client.ts";
export {
  EdgeError,
  type EdgeProblem,
  type EdgeProblemCode,
  edgeProblem,
  type ReadableResponse,
} from "./problem.ts";
export { type RateLimit, rateLimits, retryAfterSeconds } from "./rate-limits.ts";
export type { ClientSessions, ListedSession, SessionEnd } from "./sessions.ts";
