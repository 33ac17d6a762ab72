import type { ProblemFacts } from "../http/problem.ts";

/** What a client is told when a session cannot be had. */
export const notFound: ProblemFacts = {
  status: 404,
  code: "SESSION_NOT_FOUND",
  title: "Session not found",
  message: "Session not found",
};
export const unknown: ProblemFacts = {
  status: 503,
  code: "SESSION_UNAVAILABLE",
  title: "Sessions cannot be checked",
  message: "The session cannot be checked right now. Try again shortly.",
  retryAfter: 1,
};
export const secretMissing: ProblemFacts = {
  status: 503,
  code: "SESSIONS_NOT_CONFIGURED",
  title: "Sessions are not configured",
  message: "The operator of this edge must set SESSION_SECRET.",
};
export const tooLarge: ProblemFacts = {
  status: 413,
  code: "USER_DATA_TOO_LARGE",
  title: "User data too large",
  message: "user_data may be 16 KiB of JSON at most.",
};
export const deviceInfoTooLarge: ProblemFacts = {
  status: 413,
  code: "DEVICE_INFO_TOO_LARGE",
  title: "Device info too large",
  message: "device_info may be 4 KiB of JSON at most.",
};
export const tooLargeOffline: ProblemFacts = {
  status: 503,
  code: "USER_DATA_TOO_LARGE_OFFLINE",
  title: "Not possible during an outage",
  message: "While the store is lost a session may carry 2 KiB of user_data at most. Try again shortly.",
  retryAfter: 5,
};
/** In an outage an isolate that never saw a session knows less of it than its record says. */
export const notRotatable: ProblemFacts = {
  ...unknown,
  message: "The session cannot be given a new id right now; the old one goes on. Try again shortly.",
};
export const endingNotKept: ProblemFacts = {
  status: 503,
  code: "ENDING_NOT_KEPT",
  title: "Ending not kept",
  message:
    "It ended in this isolate only, which cannot keep it for the store. Repeat it when the store is back.",
  retryAfter: 5,
};
export function badCreation(message: string): ProblemFacts {
  return { status: 422, code: "BAD_SESSION", title: "Session not understood", message };
}
