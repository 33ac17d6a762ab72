import type { TokenSource } from "../identity/caller.ts";
import type { SessionClaims } from "../identity/session-token.ts";
import type { KeptSession } from "./record.ts";

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
  | ({
      kind: "active";
      claims: SessionClaims;
      source: "redis" | "database" | "memory" | "signature";
      tokenSource: TokenSource;
      /** A token with a newer confirmation time for the client, or null when the present one is recent enough. */
      renewed: string | null;
    } & KeptSession)
  | { kind: "over"; because: "invalid" | "revoked" | "idle"; tokenSource: TokenSource }
  | { kind: "unknown"; tokenSource: TokenSource };

export type ActiveSession = Extract<SessionVerdict, { kind: "active" }>;
