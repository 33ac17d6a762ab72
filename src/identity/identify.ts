import type { Config } from "../config/config.ts";
import type { Events } from "../events/events.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { clientAddress } from "./address.ts";
import type { Caller, Credentials, JwtClaim, KeyClaim, SessionClaim } from "./caller.ts";
import type { Identifier } from "./caller-hash.ts";
import { readCredentials } from "./credentials.ts";
import { createJwtVerifier } from "./jwt.ts";
import { type SessionClaims, verifyToken } from "./session-token.ts";
import type { VerifiedKeys } from "./verified-keys.ts";

export interface CallerResolverOptions {
  config: Config;
  identifier: Identifier;
  verifiedKeys: VerifiedKeys;
  platform: Platform;
  events: Events;
}

/** Session tokens that are remembered as genuine, and the bytes they may take. */
const MAX_VERIFIED_TOKENS = 4000;
const VERIFIED_TOKEN_BYTES = 4 * 1024 * 1024;

/** Finds the caller of a request from what it carries, its signatures, and what the isolate knows: no store involved. */
export type CallerResolver = (request: Request, url: URL) => Promise<Caller>;

export function createCallerResolver(options: CallerResolverOptions): CallerResolver {
  const { config, identifier, verifiedKeys, platform, events } = options;
  const configured = new Map(config.apiKeys.map((key) => [key.key, key]));
  const verifiedTokens = new BoundedMap<SessionClaims>({
    platform,
    entries: MAX_VERIFIED_TOKENS,
    bytes: VERIFIED_TOKEN_BYTES,
    sizeOf: (_, raw) => 2 * raw.length + 512,
    whenFull: "evict",
  });
  const verifyJwt = config.jwt ? createJwtVerifier({ jwt: config.jwt, platform, events }) : null;

  return async function resolve(request, url) {
    const credentials = readCredentials(request.headers, url, config.jwt !== null);
    const address = clientAddress(request.headers);
    const [addressIdentity, session, key, jwt] = await Promise.all([
      identifier.identity("address", address),
      sessionClaim(credentials),
      keyClaim(credentials),
      jwtClaim(credentials),
    ]);
    const user = userOf(session, jwt, key);
    return {
      address,
      addressIdentity,
      credentials,
      session,
      key,
      jwt,
      user,
      tier: key.kind === "verified" && key.tier !== null ? key.tier : (user?.tier ?? null),
      identity:
        key.kind === "verified"
          ? { kind: "key", hash: key.hash }
          : user
            ? await identifier.identity("user", user.id)
            : addressIdentity,
    };
  };

  async function sessionClaim({ sessionToken }: Credentials): Promise<SessionClaim> {
    if (!sessionToken) return { kind: "absent" };
    const { raw, tokenSource } = sessionToken;
    const claims = verifiedTokens.get(raw) ?? (await openSession(raw));
    return claims ? { kind: "signed", claims, tokenSource } : { kind: "invalid", tokenSource };
  }

  /** A signature that was good is good until the token's end: who comes again is checked once. */
  async function openSession(raw: string): Promise<SessionClaims | null> {
    const claims = await verifyToken(raw, { secrets: config.session.secrets, now: platform.now() });
    if (claims) verifiedTokens.set(raw, claims, claims.expiresAt);
    return claims;
  }

  async function keyClaim({ apiKey }: Credentials): Promise<KeyClaim> {
    if (apiKey === null) return { kind: "absent" };
    // A Map is looked up by a hash of the whole text: how much of a guess is right does not show in the time it takes.
    const mine = configured.get(apiKey);
    if (mine) {
      const hash = await identifier.hash("key", mine.name);
      return { kind: "verified", hash, name: mine.name, tier: mine.tier || null, userId: null };
    }
    const hash = await identifier.hash("secret key", apiKey);
    const remembered = verifiedKeys.get(hash);
    return remembered ? { kind: "verified", hash, name: null, ...remembered } : { kind: "unverified", hash };
  }

  async function jwtClaim({ jwt }: Credentials): Promise<JwtClaim> {
    return jwt === null || !verifyJwt ? { kind: "absent" } : verifyJwt(jwt);
  }
}

function userOf(session: SessionClaim, jwt: JwtClaim, key: KeyClaim): Caller["user"] {
  if (session.kind === "signed") return { id: session.claims.userId, tier: session.claims.tier };
  if (jwt.kind === "verified") return { id: jwt.userId, tier: jwt.tier };
  if (key.kind === "verified" && key.userId !== null) return { id: key.userId, tier: key.tier };
  return null;
}
