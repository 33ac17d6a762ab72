import type { Events } from "../events/events.ts";
import { crossSiteRefusal } from "../http/cross-site.ts";
import { Problem, problem } from "../http/problem.ts";
import type { ConfirmedIdentity } from "../identity/confirmed.ts";
import { type LimitVerdict, quotaProblem } from "../ratelimit/verdict.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { SessionVerdict } from "../session/verdict.ts";

/** What the decision depends on. */
export interface CheckFacts {
  request: EdgeRequest;
  identity: ConfirmedIdentity;
  session: SessionVerdict;
  limits: LimitVerdict | null;
  /** Web origins other than the edge's own whose pages may send unsafe requests with the session cookie. */
  trustedOrigins: readonly string[];
  /** Seconds until the next probe of a lost store: the `Retry-After` of a 503. */
  storeRetryAfterSeconds: number;
}

/** Checks access, then cross-site requests, then limits. @returns the refusal, or null when the request is allowed. */
export function check(facts: CheckFacts): Problem | null {
  return accessRefusal(facts) ?? crossSite(facts) ?? limitRefusal(facts.limits);
}

/**
 * Refuses a missing, forged or expired token on a route that needs a session, without a call to the store. It emits an event
 * for an invalid one.
 *
 * @returns a 401, or null.
 */
export function refuseWithoutSession(
  { route, claims, requestId }: EdgeRequest,
  events: Events,
): Problem | null {
  if (route.access !== "session" || claims.session.kind === "signed") return null;
  const presented = claims.session.kind === "invalid";
  if (presented)
    events.emit("session.refused", { request_id: requestId, route: route.name, reason: "invalid" });
  return sessionRequired(presented);
}

function accessRefusal({ request, identity, session, storeRetryAfterSeconds }: CheckFacts): Problem | null {
  const { route, claims } = request;
  if (route.access === "public" || session.kind === "active") return null;
  const unchecked = problem("IDENTITY_UNAVAILABLE", { retryAfter: storeRetryAfterSeconds });
  if (route.access === "session") {
    const presented = claims.session.kind !== "absent";
    return session.kind === "unknown" ? unchecked : sessionRequired(presented);
  }
  // One verified credential is enough.
  if (identity.key.kind === "verified" || identity.jwt.kind === "verified") return null;
  // On such a route the origin verifies the key.
  if (identity.key.kind === "unverified" && route.verifiesKeys) return null;
  if (session.kind === "unknown" || identity.jwt.kind === "unknown") return unchecked;
  return problem("CREDENTIALS_REQUIRED");
}

/**
 * Refuses a request with the session cookie that another site may have sent.
 *
 * @returns a 403, or null.
 */
export function crossSite({
  request,
  session,
  trustedOrigins,
}: Pick<CheckFacts, "request" | "session" | "trustedOrigins">): Problem | null {
  if (session.kind !== "active" || session.tokenSource !== "cookie") return null;
  return crossSiteRefusal(request.request, request.url.origin, trustedOrigins);
}

function limitRefusal(limits: LimitVerdict | null): Problem | null {
  if (!limits || limits.kind === "allowed") return null;
  if (limits.kind === "denied") return new Problem(quotaProblem(limits));
  return problem("LIMITS_UNAVAILABLE", { retryAfter: limits.retryAfterSeconds });
}

function sessionRequired(presented: boolean): Problem {
  return problem(presented ? "SESSION_INVALID" : "SESSION_REQUIRED");
}
