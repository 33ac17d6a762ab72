import type { SessionClaims } from "./session-token.ts";

/** Where the request carries its session token. A renewed token goes back the same way. */
export type TokenSource = "bearer" | "cookie";

/** The credentials of a request, before any of them is verified. */
export interface Credentials {
  /** A text that starts with `es1.`, from the bearer or the cookie. */
  sessionToken: {
    raw: string;
    /** Further session cookies of the request: one good one is enough. */
    others?: readonly string[];
    tokenSource: TokenSource;
  } | null;
  /** A bearer of three dot-separated parts, or the value of `JWT_COOKIE`, when JWT is configured. */
  jwt: string | null;
  /** The JWT stood in `JWT_COOKIE`: browsers send it on their own. */
  jwtCookie?: true;
  /** JWTs in further cookies named by `JWT_COOKIE`, or in all of them where the JWT is the bearer. */
  otherJwts?: readonly string[];
  /** Any other bearer token, `X-API-Key` or `?api_key=`. */
  apiKey: string | null;
  /** A session token stood in the edge's own cookie. */
  sessionCookie: boolean;
  /** There is a key or a token that was left to the origin: too long, or of no use on the route. */
  unread?: true;
  /** Whether the request has any credential, also one that the edge does not read. `cache.scope` depends on it. */
  any: boolean;
}

/** The session token of a request after its signature is checked. */
export type SessionClaim =
  | { kind: "absent" }
  | { kind: "invalid"; tokenSource: TokenSource }
  | {
      kind: "signed";
      claims: SessionClaims;
      /** Of further session cookies whose signature is good too. */
      others?: readonly SessionClaims[];
      tokenSource: TokenSource;
    };

/** The API key of a request. */
export type KeyClaim =
  | { kind: "absent" }
  /** The key is in `API_KEYS`, or the origin has accepted it (`X-Edge-Caller`) within the last 300 s. */
  | { kind: "verified"; hash: string; name: string | null; tier: string | null; userId: string | null }
  /** The edge does not know the key. It forwards the key to the origin and derives no user and no tier from it. */
  | {
      kind: "unverified";
      hash: string;
      /** Redis did not answer whether the origin has verified it. */
      unchecked?: true;
    };

/** Why a JWT is refused. `signature`: no key that may be used for it has signed it. `type`: it is no access token. `claims`: any claim without a word of its own. */
export type JwtRefusal =
  | "malformed"
  | "algorithm"
  | "signature"
  | "expired"
  | "not yet valid"
  | "issuer"
  | "audience"
  | "type"
  | "subject"
  | "claims";

/** The JWT of a request after its signature and claims are checked. */
export type JwtClaim =
  | { kind: "absent" }
  | {
      kind: "verified";
      userId: string;
      tier: string | null;
      /** All that the token claims, but for `iat`, `exp`, `nbf` and `jti`: equal claims are equal texts. */
      claims: string;
    }
  | { kind: "invalid"; reason: JwtRefusal }
  /** The key set could not be loaded, so the signature cannot be checked. */
  | { kind: "unknown" };

/** The caller that limits count. Keys and logs contain only the hash. */
export interface Identity {
  kind: "key" | "user" | "address";
  /** 128 bits, hex. */
  hash: string;
}
