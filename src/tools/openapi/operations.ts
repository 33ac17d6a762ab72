import { MAX_BODY_BYTES } from "../../endpoints/json-body.ts";
import type { ProblemCode } from "../../http/problem-codes.ts";
import type { SchemaName } from "./answers.ts";
import { consoleFiles, consoleOperations } from "./console-operations.ts";
import { BODY, type Credential, GATE, type Operation } from "./operation.ts";
import { userOperations } from "./user-operations.ts";

const SERVICE: ProblemCode[] = ["SESSIONS_NOT_CONFIGURED", ...GATE];
/** What the checks of a request say, as on a route of the API. */
const USER: ProblemCode[] = [
  "SESSIONS_NOT_CONFIGURED",
  "AMBIGUOUS_PATH",
  "AMBIGUOUS_CREDENTIALS",
  "CONTENT_NOT_FORWARDED",
  "CREDENTIALS_REQUIRED",
  "TOKEN_INVALID",
  "SESSION_REQUIRED",
  "SESSION_INVALID",
  "CALLER_REFUSED",
  "CROSS_SITE_REQUEST",
  "RATE_LIMIT_EXCEEDED",
  "IDENTITY_UNAVAILABLE",
  "LIMITS_UNAVAILABLE",
  "SESSION_UNAVAILABLE",
];
const EITHER: ProblemCode[] = [...new Set([...USER, ...SERVICE, "SESSION_NOT_FOUND" as const])];
const USERS: readonly Credential[] = ["sessionToken", "sessionCookie"];

const ending = (schema: SchemaName) => ({
  200: { description: "They are over.", schema },
  202: { description: "The store is lost: over in this isolate, and everywhere once it is back.", schema },
});
const reached = (schema: SchemaName) => ({
  200: { description: "It holds everywhere.", schema },
  202: { description: "The store is lost: it holds in this isolate.", schema },
});

const health: Operation[] = [
  {
    id: "health",
    method: "get",
    path: "/health",
    summary: "What runs on Redis and what on memory",
    description: "Always 200: an edge without Redis still serves.",
    credentials: [],
    answers: { 200: { description: "The facts, twice.", schema: "Health" } },
    problems: [],
  },
  {
    id: "live",
    method: "get",
    path: "/health/live",
    summary: "Whether the Worker runs",
    credentials: [],
    answers: { 200: { description: "It does.", schema: "Alive" } },
    problems: [],
  },
  {
    id: "ready",
    method: "get",
    path: "/health/ready",
    summary: "Whether there is an API to forward to",
    credentials: [],
    answers: {
      200: { description: "There is.", schema: "Ready" },
      503: { description: "`ORIGIN_URL` is not set and `ORIGIN` not bound.", schema: "NotReady" },
    },
    problems: [],
  },
];

const sessions: Operation[] = [
  {
    id: "createSession",
    method: "post",
    path: "/auth/sessions",
    summary: "Create a session",
    credentials: ["serviceToken"],
    body: { schema: "NewSession", maxBytes: 64 * 1024 },
    answers: { 201: { description: "The session and its token.", schema: "CreatedSession" } },
    problems: [
      ...SERVICE,
      ...BODY,
      "BAD_SESSION",
      "UNNAMEABLE_USER",
      "USER_DATA_TOO_LARGE",
      "DEVICE_INFO_TOO_LARGE",
      "USER_DATA_TOO_LARGE_OFFLINE",
    ],
  },
  {
    id: "listOwnSessions",
    method: "get",
    path: "/auth/sessions",
    summary: "List the user's own sessions",
    credentials: USERS,
    answers: { 200: { description: "The sessions; `current` marks this one.", schema: "OwnSessions" } },
    renews: true,
    problems: USER,
  },
  {
    id: "endOtherSessions",
    method: "delete",
    path: "/auth/sessions",
    summary: "End the user's other sessions",
    credentials: USERS,
    answers: ending("EndedSessions"),
    renews: true,
    problems: [...USER, "ENDING_NOT_KEPT"],
  },
  {
    id: "endCurrentSession",
    method: "delete",
    path: "/auth/sessions/current",
    summary: "End this session",
    credentials: USERS,
    answers: ending("Ended"),
    renews: true,
    problems: [...USER, "ENDING_NOT_KEPT"],
  },
  {
    id: "rotateSession",
    method: "post",
    path: "/auth/sessions/rotate",
    summary: "Give the session a new id and a new token",
    credentials: USERS,
    answers: { 200: { description: "The old token is over.", schema: "RotatedSession" } },
    renews: true,
    problems: [...USER, "SESSION_NOT_FOUND", "USER_DATA_TOO_LARGE_OFFLINE"],
  },
  {
    id: "readSession",
    method: "get",
    path: "/auth/sessions/redis/{id}",
    summary: "Read a session",
    description: "A user's own, or with a service token anybody's. Another user's is a 404.",
    credentials: ["serviceToken", ...USERS],
    answers: { 200: { description: "The session.", schema: "OneSession" } },
    renews: true,
    problems: EITHER,
  },
  {
    id: "endSession",
    method: "delete",
    path: "/auth/sessions/redis/{id}",
    summary: "End a session",
    credentials: ["serviceToken", ...USERS],
    answers: ending("Ended"),
    renews: true,
    problems: [...EITHER, "ENDING_NOT_KEPT"],
  },
  {
    id: "listSessionsOfUser",
    method: "get",
    path: "/auth/sessions/users/{user}",
    summary: "List a user's sessions",
    credentials: ["serviceToken"],
    answers: { 200: { description: "None where there is no such user.", schema: "SessionsOfUser" } },
    problems: SERVICE,
  },
  {
    id: "endSessionsOfUser",
    method: "delete",
    path: "/auth/sessions/users/{user}",
    summary: "End a user's sessions",
    credentials: ["serviceToken"],
    answers: ending("EndedSessions"),
    problems: [...SERVICE, "ENDING_NOT_KEPT"],
  },
  {
    id: "endAllSessions",
    method: "delete",
    path: "/auth/sessions/everyone",
    summary: "End all sessions of all users",
    credentials: ["serviceToken"],
    answers: ending("Ended"),
    problems: [...SERVICE, "ENDING_NOT_KEPT"],
  },
];

const operators = { credentials: ["adminToken"] } as const;
const asked = {
  schema: "Limits",
  description: "Every window that may count the caller, for each tier.",
} as const;
const lookup: ProblemCode[] = [...GATE, "UNKNOWN_CALLER", "STORE_UNAVAILABLE"];

const admin: Operation[] = [
  {
    id: "openapi",
    method: "get",
    path: "/edge/openapi.json",
    summary: "This document",
    description: "404 where the static files are not bound.",
    credentials: [],
    answers: {
      200: { description: "OpenAPI 3.1.", schema: "any JSON", storable: true },
      304: { description: "It is as `If-None-Match` says.", schema: null, storable: true },
    },
    problems: ["NOT_FOUND"],
  },
  {
    ...operators,
    id: "purge",
    method: "post",
    path: "/edge/cache/purge",
    summary: "Withdraw stored answers",
    body: { schema: "Purge", maxBytes: MAX_BODY_BYTES },
    answers: reached("Purged"),
    problems: [...GATE, ...BODY, "BAD_PURGE"],
  },
  {
    ...operators,
    id: "warm",
    method: "post",
    path: "/edge/cache/warm",
    summary: "Ask for paths, so that their answers are stored",
    body: { schema: "Warm", maxBytes: MAX_BODY_BYTES },
    answers: {
      200: {
        description: "A line for each path as it is done, and one with the sums.",
        schema: "Warmed",
        type: "application/x-ndjson",
      },
    },
    problems: [...GATE, ...BODY, "BAD_WARM"],
  },
  {
    ...operators,
    id: "readLimits",
    method: "get",
    path: "/edge/limits/{caller}",
    summary: "What is left to a caller",
    answers: { 200: asked },
    problems: [...lookup, "CALLER_NOT_FOUND"],
  },
  {
    ...operators,
    id: "resetLimits",
    method: "delete",
    path: "/edge/limits/{caller}",
    summary: "Forget what a caller has used",
    answers: { 200: asked },
    problems: [...lookup, "CALLER_NOT_FOUND"],
  },
  {
    ...operators,
    id: "lookUpLimits",
    method: "post",
    path: "/edge/limits/lookup",
    summary: "What is left to a user, a key, an address or a hash; with `reset`, forget what it has used",
    description: "Exactly one of `user`, `key` (its name), `address` and `hash`.",
    body: { schema: "LimitLookup", maxBytes: MAX_BODY_BYTES },
    answers: { 200: asked },
    problems: [...lookup, ...BODY, "CALLER_NOT_FOUND"],
  },
  {
    ...operators,
    id: "readKey",
    method: "get",
    path: "/edge/keys/{key}",
    summary: "Whether the API has verified a key",
    answers: { 200: { description: "Whether it has, and for whom.", schema: "Key" } },
    problems: lookup,
  },
  {
    ...operators,
    id: "endKey",
    method: "delete",
    path: "/edge/keys/{key}",
    summary: "End the verification of a key",
    answers: reached("Key"),
    problems: lookup,
  },
  {
    ...operators,
    id: "lookUpKey",
    method: "post",
    path: "/edge/keys/lookup",
    summary: "The same for a key itself; with `end`, end its verification",
    body: { schema: "KeyLookup", maxBytes: MAX_BODY_BYTES },
    answers: reached("Key"),
    problems: [...lookup, ...BODY],
  },
];

const metrics: Operation = {
  id: "metrics",
  method: "get",
  path: "/edge/metrics",
  summary: "What all isolates have counted, for a monitoring system",
  description: "Always 200: while the store is lost it has what one isolate has counted, and says so.",
  credentials: ["metricsToken"],
  answers: {
    200: {
      description: "OpenMetrics 1.0, or Prometheus' text format where `Accept` prefers it.",
      schema: "text",
      type: "application/openmetrics-text",
      otherType: "text/plain",
    },
  },
  problems: GATE,
};

/** Every operation on a path that the edge owns. HEAD is as GET, without content (RFC 9110 §9.3.2). */
export const operations: readonly Operation[] = [
  ...health,
  ...sessions,
  ...consoleFiles,
  ...consoleOperations,
  ...admin,
  ...userOperations,
  metrics,
];
