import type { TokenSource } from "../identity/caller.ts";
import type { SessionClaims } from "../identity/session-token.ts";
import type { KeptSession } from "./record.ts";

/** The living session of a request, as handlers find it in `c.var.session`. */
export interface ActiveSession extends KeptSession {
  /** Of the verdicts about a session this is the one that lets it be used. */
  kind: "active";
  /** What the token says. */
  claims: SessionClaims;
  /** What confirms it: Redis, the database, this isolate's memory, or, while the store is lost, the signature of its token alone. */
  source: "redis" | "database" | "memory" | "signature";
  /** Where the request has the token: in `Authorization: Bearer`, or in a cookie. */
  tokenSource: "bearer" | "cookie";
  /** A token with a newer confirmation time, which the answer brings to the client; null when the present one is recent enough. */
  renewed: string | null;
}

/**
 * What the edge decides about a request's session.
 *
 * - `active`: it may be used. `source` says what confirms it: Redis, the database, this isolate's memory, or, while the store is lost
 *   and the confirmation is young enough, its signature alone.
 * - `over`: forged, expired or revoked. 401 where a session is needed.
 * - `unknown`: the store is lost and the grace is over. 503 where a session is needed, never 401: the store has not denied it.
 */
export type SessionVerdict =
  | { kind: "none" }
  | ActiveSession
  | {
      kind: "over";
      because: "invalid" | "revoked" | "idle";
      tokenSource: TokenSource;
      /** What the token of a revoked session says. It may be used to end what a rotation has made of it, and to nothing else (law 10). */
      ended?: SessionClaims;
    }
  | { kind: "unknown"; tokenSource: TokenSource };
