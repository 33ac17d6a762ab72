export type { Clock, RetryOptions } from "./attempts.ts";
export { type ClientOptions, createClient, type EdgeClient, type EdgeRequestInit } from "./client.ts";
export { EdgeError, type EdgeProblem, type EdgeProblemCode, edgeProblem } from "./problem.ts";
export { type RateLimit, rateLimits, retryAfterSeconds } from "./rate-limits.ts";
export type { ClientSessions, ListedSession, SessionEnd } from "./sessions.ts";
