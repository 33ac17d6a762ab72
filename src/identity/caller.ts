import type { SessionClaims } from "./session-token.ts";

/** How a session token came, and goes back: as a bearer, or as a cookie. */
export type TokenSource = "bearer" | "cookie";

/** What a request carries to say who is asking, before anything of it is believed. */
export interface Credentials {
  /** A text that starts with `es1.`, from the bearer or the cookie. */
  sessionToken: {
    raw: string;
    /** Further session cookies of the request: one good one is enough. */
    others?: readonly string[];
    tokenSource: TokenSource;
  } | null;
  /** A bearer of three dot-separated parts, when JWT is configured. */
  jwt: string | null;
  /** Any other bearer, `X-API-Key` or `?api_key=`. */
  apiKey: string | null;
  /** A session token stood in the edge's own cookie. */
  sessionCookie: boolean;
  /** Whether the request carries any credential at all, known to the edge or not (`cache.scope` asks). */
  any: boolean;
}

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

export type KeyClaim =
  | { kind: "absent" }
  /** In `API_KEYS`, or answered with 2xx by the origin within the last hour. */
  | { kind: "verified"; hash: string; name: string | null; tier: string | null; userId: string | null }
  /** The edge does not know it: it goes to the origin unchanged and earns nothing here. */
  | { kind: "unverified"; hash: string };

export type JwtClaim =
  | { kind: "absent" }
  | { kind: "verified"; userId: string; tier: string | null }
  | { kind: "invalid" }
  /** No key set could be loaded yet: neither good nor bad. */
  | { kind: "unknown" };

/** Who is limited, and whose entries a `caller` cache holds. The hash is all that leaves this object. */
export interface Identity {
  kind: "key" | "user" | "address";
  /** 128 bits, hex. */
  hash: string;
}
