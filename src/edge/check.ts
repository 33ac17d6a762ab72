import { type Access, admits, CREDENTIAL_KINDS } from "../config/access.ts";
import type { Events } from "../events/events.ts";
import { EXPIRED_TOKEN_CHALLENGE } from "../http/bearer.ts";
import { crossSiteRefusal, signInRefusal } from "../http/cross-site.ts";
import { type Problem, problem } from "../http/problem.ts";
import type { JwtRefusal } from "../identity/caller.ts";
import type { ConfirmedIdentity } from "../identity/confirmed.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { SessionVerdict } from "../session/verdict.ts";
import { limitRefusal } from "./limit-refusal.ts";

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

/** What may refuse a request: see the functions of these names. Limits alone have fewer. */
export interface Checks {
  check: typeof check;
  crossSite: typeof crossSite;
  crossSiteSignIn: typeof crossSiteSignIn;
  refuseWithoutSession: typeof refuseWithoutSession;
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
  const { access } = route;
  const { key, jwt } = identity;
  if (access === "public") return null;
  // One verified credential is enough.
  const verified = {
    // The identity has it too where the isolate knows the session and does not read it.
    session: session.kind === "active" || identity.session !== null,
    key: key.kind === "verified",
    jwt: jwt.kind === "verified",
  };
  if (CREDENTIAL_KINDS.some((kind) => verified[kind] && admits(access, kind))) return null;
  // On such a route the origin verifies the key.
  if (key.kind === "unverified" && route.verifiesKeys && admits(access, "key")) return null;
  const unchecked = {
    session: session.kind === "unknown",
    key: key.kind === "unverified" && key.unchecked === true,
    jwt: jwt.kind === "unknown",
  };
  if (CREDENTIAL_KINDS.some((kind) => unchecked[kind] && admits(access, kind)))
    return problem("IDENTITY_UNAVAILABLE", { retryAfter: storeRetryAfterSeconds });
  if (access === "session") return sessionRequired(claims.session.kind !== "absent");
  if (jwt.kind === "invalid" && admits(access, "jwt")) return tokenInvalid(jwt.reason);
  return problem("CREDENTIALS_REQUIRED", { values: { what: credentialsOf(access) } });
}

/** `an API key or a session`. */
function credentialsOf(access: Access): string {
  const names = CREDENTIAL_KINDS.filter((kind) => admits(access, kind)).map((kind) => CREDENTIAL_NAMES[kind]);
  return names.join(", ").replace(/, ([^,]*)$/, " or $1");
}

/** RFC 6750 §3.1: one code for a token that is expired, revoked or malformed. The first is the one that a client can fix by itself. */
function tokenInvalid(reason: JwtRefusal): Problem {
  return problem("TOKEN_INVALID", {
    values: { what: reason === "expired" ? "has expired" : "is not valid" },
    ...(reason === "expired" && { headers: { "www-authenticate": EXPIRED_TOKEN_CHALLENGE } }),
  });
}

const CREDENTIAL_NAMES = { key: "an API key", jwt: "a JWT", session: "a session" } as const;

/**
 * Refuses a request with a cookie that signs its sender in and that another site may have sent: the session's, or
 * `JWT_COOKIE`, also beside a bearer, since an origin may go by either. A JWT's request that says nothing of where it comes from is no
 * current browser's, and passes.
 *
 * @returns a 403, or null.
 */
export function crossSite({
  request: { request, url, route, claims },
  session,
  trustedOrigins,
}: Pick<CheckFacts, "request" | "session" | "trustedOrigins">): Problem | null {
  const { headers } = request;
  const isGood = claims.jwt.kind === "verified" || claims.jwt.kind === "unknown";
  const byJwt = (isGood && claims.credentials.jwtCookie === true) || claims.cookieJwt === true;
  // A sign-out ends also a session that cannot be checked right now.
  const mayAct = session.kind === "active" || (session.kind === "unknown" && route.session === "end");
  const bySession = mayAct && session.tokenSource === "cookie";
  const named = headers.has("origin") || headers.has("sec-fetch-site");
  if (!bySession && !(byJwt && named)) return null;
  return crossSiteRefusal(request, url.origin, [...trustedOrigins, ...route.crossSite]);
}

/**
 * Refuses a sign-in that another site may have sent, whoever is signed in already. It needs no call to the store.
 *
 * @returns a 403, or null.
 */
export function crossSiteSignIn(
  { request, url, route }: EdgeRequest,
  trustedOrigins: readonly string[],
): Problem | null {
  if (route.session !== "start" || request.method !== "POST") return null;
  return signInRefusal(request, url.origin, [...trustedOrigins, ...route.crossSite]);
}

function sessionRequired(presented: boolean): Problem {
  return problem(presented ? "SESSION_INVALID" : "SESSION_REQUIRED");
}
