import type { Credentials, Identity, JwtClaim, KeyClaim, SessionClaim } from "./caller.ts";
import type { SessionClaims } from "./session-token.ts";

/**
 * The claims of a request's credentials, after the check of their signatures and before the session is confirmed. It has no
 * user and no tier: code that needs these takes a {@link ConfirmedIdentity} (law 10).
 */
export interface UnverifiedIdentity {
  /** The client's address, normalised (`192.0.2.7`, `2001:db8:0:1::/64` by `RATE_LIMIT_IPV6_PREFIX`); never in a key or a log line. */
  address: string;
  /** The address as an identity: policies with `by: "address"`. */
  addressIdentity: Identity;
  credentials: Credentials;
  session: SessionClaim;
  key: KeyClaim;
  jwt: JwtClaim;
  /** Beside a JWT in the bearer there is one in `JWT_COOKIE` that is not refused: an origin may go by that. */
  cookieJwt?: true;
  /** Users of further JWTs whose signature is good. Only deny lists look at them. */
  otherUsers?: readonly string[];
  /** Hashes of what an origin may take for the API key, and the edge does not; and of all keys as they were hashed before. Only deny lists look at them. */
  otherKeys?: readonly string[];
}

declare const confirmed: unique symbol;

/** A confirmed user. */
export interface EdgeUser {
  /** The user's id: of the session, the `sub` of the JWT, or as the API named it for the key. */
  id: string;
  /** The user's tier, or null where it has none. */
  tier: string | null;
}

/**
 * Who is asking, after the session was confirmed. Only `confirm.ts` makes one: limits, lists, cache
 * scope, handlers and the origin take this type and do not compile with the other.
 */
export interface ConfirmedIdentity {
  readonly [confirmed]: true;
  address: string;
  addressIdentity: Identity;
  credentials: Credentials;
  key: KeyClaim;
  jwt: JwtClaim;
  /** The valid session of the request, or null. */
  session: SessionClaims | null;
  /** The valid session's user, else the JWT's, else the user that the origin named for the API key. */
  user: EdgeUser | null;
  tier: string | null;
  /**
   * Who is limited (`by: "caller"`): verified key, else user, else address.
   */
  identity: Identity;
}

/**
 * The identities that a request may have. Commands are queued before the session is confirmed. So the code that queues them
 * prepares for both outcomes, and later uses the one that `confirm` returns, which is the same object.
 *
 * - `settled`: no session is claimed, its token is not valid, or this isolate knows by itself whether the session lives: it
 *   has confirmed it within `ISOLATE_MAX_AGE_MS`, knows its end, or keeps sessions without Redis. Confirming returns this
 *   object, or, where the session has ended since, another one.
 * - `open`: `alive` if the session lives, `over` if not. `session` is what the token says.
 */
export type IdentityOutcomes =
  | { kind: "settled"; identity: ConfirmedIdentity }
  | { kind: "open"; alive: ConfirmedIdentity; over: ConfirmedIdentity; session: SessionClaims };

/** Marks facts as confirmed. Only `confirm.ts` and tests call it. */
export function confirmedIdentity(facts: Omit<ConfirmedIdentity, typeof confirmed>): ConfirmedIdentity {
  return facts as ConfirmedIdentity;
}
