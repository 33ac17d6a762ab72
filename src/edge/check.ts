import type { Events } from "../events/events.ts";
import { BEARER_CHALLENGE, INVALID_TOKEN_CHALLENGE } from "../http/bearer.ts";
import { crossSiteRefusal } from "../http/cross-site.ts";
import { Problem, type ProblemFacts } from "../http/problem.ts";
import type { ConfirmedIdentity } from "../identity/confirmed.ts";
import { type LimitVerdict, quotaProblem } from "../ratelimit/verdict.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { SessionVerdict } from "../session/verdict.ts";

export interface CheckFacts {
  request: EdgeRequest;
  identity: ConfirmedIdentity;
  session: SessionVerdict;
  limits: LimitVerdict | null;
  /** Origins beside the edge's own whose pages may send requests that change something. */
  trustedOrigins: readonly string[];
  /** Seconds until the store is asked again, while it is lost. */
  storeRetryAfterSeconds: number;
}

/** Whether a request may go on: access, then cross-site, then limits. @returns the refusal, or null. */
export function check(facts: CheckFacts): Problem | null {
  return accessRefusal(facts) ?? crossSite(facts) ?? limitRefusal(facts.limits);
}

/** A forged or expired token on a route that needs a session: 401 without a call to the store. */
export function refuseWithoutSession(
  { route, claims, requestId }: EdgeRequest,
  events: Events,
): Problem | null {
  if (route.access !== "session" || claims.session.kind === "signed") return null;
  const presented = claims.session.kind === "invalid";
  if (presented)
    events.emit("session.refused", { request_id: requestId, route: route.name, reason: "invalid" });
  return new Problem(sessionRequired(presented));
}

function accessRefusal({ request, identity, session, storeRetryAfterSeconds }: CheckFacts): Problem | null {
  const { route, claims } = request;
  if (route.access === "public" || session.kind === "active") return null;
  const unchecked = identityUnavailable(storeRetryAfterSeconds);
  if (route.access === "session") {
    const presented = claims.session.kind !== "absent";
    return session.kind === "unknown" ? unchecked : new Problem(sessionRequired(presented));
  }
  // One good credential is enough, whatever becomes of the others.
  if (identity.key.kind === "verified" || identity.jwt.kind === "verified") return null;
  // The origin is the one to say whether it knows this key.
  if (identity.key.kind === "unverified" && route.verifiesKeys) return null;
  if (session.kind === "unknown" || identity.jwt.kind === "unknown") return unchecked;
  return new Problem(credentialsRequired);
}

function crossSite({ request, session, trustedOrigins }: CheckFacts): Problem | null {
  if (session.kind !== "active" || session.tokenSource !== "cookie") return null;
  return crossSiteRefusal(request.request, request.url.origin, trustedOrigins);
}

function limitRefusal(limits: LimitVerdict | null): Problem | null {
  if (!limits || limits.kind === "allowed") return null;
  if (limits.kind === "denied") return new Problem(quotaProblem(limits));
  return new Problem({
    status: 503,
    code: "LIMITS_UNAVAILABLE",
    title: "Limits cannot be checked",
    message: "This route is closed while its limits cannot be checked. Try again shortly.",
    retryAfter: limits.retryAfterSeconds,
  });
}

const credentialsRequired: ProblemFacts = {
  status: 401,
  code: "CREDENTIALS_REQUIRED",
  title: "Credentials required",
  message: "This needs an API key, a JWT or a session.",
  headers: { "www-authenticate": BEARER_CHALLENGE },
};

function sessionRequired(presented: boolean): ProblemFacts {
  return {
    status: 401,
    code: presented ? "SESSION_INVALID" : "SESSION_REQUIRED",
    title: presented ? "Session not valid" : "Session required",
    message: presented ? "The session has ended or its token is not valid. Sign in again." : "Sign in first.",
    headers: { "www-authenticate": presented ? INVALID_TOKEN_CHALLENGE : BEARER_CHALLENGE },
  };
}

function identityUnavailable(retryAfter: number): Problem {
  return new Problem({
    status: 503,
    code: "IDENTITY_UNAVAILABLE",
    title: "Identity cannot be checked",
    message: "Who is asking cannot be checked right now. Try again shortly.",
    retryAfter,
  });
}
