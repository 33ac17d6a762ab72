import { BEARER_CHALLENGE, INVALID_TOKEN_CHALLENGE } from "./bearer.ts";

/** What the code of a problem stands for. */
export interface ProblemKind {
  /** HTTP status. */
  status: number;
  /** A short name of the kind of problem: RFC 9457 `title`, and `error` for the frontends. */
  title: string;
  /** One sentence for people, with what to do about it. A word in braces is filled in where the problem occurs. */
  message: string;
  /** RFC 9457 `type`, a URI. Default `about:blank`. */
  type?: string;
  /** Whole seconds: the `Retry-After` header and `retry_after`, where nobody knows better. */
  retryAfter?: number;
  /** `WWW-Authenticate`, which a 401 must have (RFC 9110 §15.5.2). */
  challenge?: string;
}

/** Every problem the edge answers with, by its code. docs/your-api.md lists them. */
export const PROBLEMS = {
  // The request as it was sent.
  AMBIGUOUS_PATH: { status: 400, title: "Ambiguous path", message: "The path holds {what}." },
  AMBIGUOUS_CREDENTIALS: {
    status: 400,
    title: "Ambiguous credentials",
    message: "The request carries two different API keys. Send one.",
  },
  CONTENT_NOT_FORWARDED: {
    status: 400,
    title: "Content not forwarded",
    message: "The content of a {method} cannot be forwarded. Send it with another method, or in the query.",
  },
  CROSS_SITE_REQUEST: {
    status: 403,
    title: "Cross-site request refused",
    message: "A request that changes something must come from a page of this site or of a listed origin.",
  },

  // Who is asking.
  CREDENTIALS_REQUIRED: {
    status: 401,
    title: "Credentials required",
    message: "This needs {what}.",
    challenge: BEARER_CHALLENGE,
  },
  TOKEN_INVALID: {
    status: 401,
    title: "Token not valid",
    message: "The token {what}. Get a new one.",
    challenge: INVALID_TOKEN_CHALLENGE,
  },
  SESSION_REQUIRED: {
    status: 401,
    title: "Session required",
    message: "Sign in first.",
    challenge: BEARER_CHALLENGE,
  },
  SESSION_INVALID: {
    status: 401,
    title: "Session not valid",
    message: "The session has ended or its token is not valid. Sign in again.",
    challenge: INVALID_TOKEN_CHALLENGE,
  },
  IDENTITY_UNAVAILABLE: {
    status: 503,
    title: "Identity cannot be checked",
    message: "Who is asking cannot be checked right now. Try again shortly.",
  },

  // Limits.
  RATE_LIMIT_EXCEEDED: {
    status: 429,
    title: "Rate limit exceeded",
    message: "Too many requests. Try again in {seconds} seconds.",
    // draft-ietf-httpapi-ratelimit-headers §5.
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
  },
  TOO_MANY_PREFLIGHTS: {
    status: 429,
    title: "Too many preflights",
    message: "Too many CORS preflights came from this address.",
  },
  CALLER_REFUSED: { status: 403, title: "Refused", message: "This caller may not use this service." },
  LIMITS_UNAVAILABLE: {
    status: 503,
    title: "Limits cannot be checked",
    message: "This route is closed while its limits cannot be checked. Try again shortly.",
  },

  // Sessions.
  SESSION_NOT_FOUND: { status: 404, title: "Session not found", message: "Session not found" },
  SESSION_UNAVAILABLE: {
    status: 503,
    title: "Sessions cannot be checked",
    message: "The session cannot be checked right now. Try again shortly.",
    retryAfter: 1,
  },
  SESSIONS_NOT_CONFIGURED: {
    status: 503,
    title: "Sessions are not configured",
    message: "The operator of this edge must set SESSION_SECRET.",
  },
  USER_DATA_TOO_LARGE: {
    status: 413,
    title: "User data too large",
    message: "user_data may be 16 KiB of JSON at most.",
  },
  DEVICE_INFO_TOO_LARGE: {
    status: 413,
    title: "Device info too large",
    message: "device_info may be 4 KiB of JSON at most.",
  },
  USER_DATA_TOO_LARGE_OFFLINE: {
    status: 503,
    title: "Not possible during an outage",
    message: "While the store is lost a session may carry 2 KiB of user_data at most. Try again shortly.",
    retryAfter: 5,
  },
  ENDING_NOT_KEPT: {
    status: 503,
    title: "Ending not kept",
    message: "It could be stored nowhere that lasts. Repeat it when the store is back.",
    retryAfter: 5,
  },
  UNNAMEABLE_USER: {
    status: 400,
    title: "User id cannot be named",
    message: "No URL can name this user id, because a path has no . and .. segments.",
  },
  BAD_SESSION: { status: 422, title: "Session not understood", message: "{reason}" },

  // The cache and the origin.
  ONLY_IF_CACHED: {
    status: 504,
    title: "Not in the cache",
    message: "The request asked for a stored answer only, and there is none that may be used.",
  },
  ORIGIN_NOT_CONFIGURED: {
    status: 503,
    title: "No origin",
    message: "The edge has no API to stand in front of: its operator must set ORIGIN_URL.",
  },
  CONTENT_STALLED: {
    status: 408,
    title: "Request timeout",
    message: "The request's content did not end in time.",
  },
  CONTENT_BROKEN_OFF: {
    status: 400,
    title: "Incomplete request",
    message: "The request's content broke off before its end.",
  },
  ORIGIN_UNREACHABLE: {
    status: 502,
    title: "Bad gateway",
    message: "The API behind the edge could not be reached.",
  },
  ORIGIN_TIMEOUT: {
    status: 504,
    title: "Gateway timeout",
    message: "The API behind the edge did not answer in time.",
  },
  LOOP_DETECTED: {
    status: 508,
    title: "Loop detected",
    message: "The request has been through this edge already.",
  },

  // The paths the edge owns.
  NOT_FOUND: { status: 404, title: "Not found", message: "There is nothing at this path." },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: "Method not allowed",
    message: "This path does not take this method.",
  },
  TOKEN_REQUIRED: {
    status: 401,
    title: "Token required",
    message: "Send one of the configured tokens as the bearer.",
    challenge: BEARER_CHALLENGE,
  },
  TOO_MANY_FAILURES: {
    status: 429,
    title: "Too many failures",
    message: "Too many wrong tokens came from this address.",
  },
  CONTENT_TOO_LARGE: {
    status: 413,
    title: "Content too large",
    message: "The body may have {bytes} bytes at most.",
  },
  UNSUPPORTED_CONTENT: { status: 415, title: "Content of another type", message: "{reason}" },
  BAD_QUERY: { status: 400, title: "Query not understood", message: "{reason}" },
  BAD_LOOKUP: { status: 400, title: "Lookup not understood", message: "{reason}" },
  BAD_PURGE: { status: 400, title: "Purge not understood", message: "{reason}" },
  BAD_WARM: { status: 400, title: "Warming not understood", message: "{reason}" },
  UNKNOWN_CALLER: { status: 400, title: "Caller not understood", message: "{reason}" },
  CALLER_NOT_FOUND: { status: 404, title: "Caller not found", message: "No key in API_KEYS has this name." },
  STORE_UNAVAILABLE: {
    status: 503,
    title: "Store unavailable",
    message: "Redis has {what} and cannot be asked.",
  },

  // The edge itself.
  CONFIG_ERROR: {
    status: 500,
    title: "Configuration error",
    message: "The edge is not configured correctly. Its log says what to fix.",
  },
  INTERNAL_ERROR: {
    status: 500,
    title: "Internal error",
    message: "The edge failed. Quote the request id when you report it.",
  },
} as const satisfies Record<string, ProblemKind>;

/** The code of a problem that the edge itself answers with. docs/your-api.md has a table of them. */
export type ProblemCode = keyof typeof PROBLEMS;

/** Every code, in the catalogue's order. */
export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];
