import type { Config } from "../config/config.ts";
import type { Route } from "../config/route.ts";
import type { Events } from "../events/events.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { clientAddress } from "./address.ts";
import type { Credentials, KeyClaim, SessionClaim } from "./caller.ts";
import { type Identifier, olderHashers } from "./caller-hash.ts";
import type { UnverifiedIdentity } from "./confirmed.ts";
import { readCredentials } from "./credentials.ts";
import { createJwtVerifier } from "./jwt.ts";
import { otherKeys } from "./other-keys.ts";
import { idleTimes } from "./session-idle.ts";
import { endInForce, type SessionClaims, verifyToken } from "./session-token.ts";
import type { VerifiedKeys } from "./verified-keys.ts";

export interface IdentifyOptions {
  config: Pick<Config, "apiKeys" | "jwt" | "session"> &
    Partial<
      Pick<
        Config,
        "credentials" | "identitySecrets" | "ipv6Prefix" | "lists" | "origin" | "originToken" | "store"
      >
    >;
  identifier: Identifier;
  verifiedKeys: Pick<VerifiedKeys, "get">;
  platform: Platform;
  events: Events;
}

const ABSENT = { kind: "absent" } as const;
const NO_JWT = { jwt: ABSENT };

/** Maximum number and bytes of the session tokens that are remembered as verified. */
const MAX_VERIFIED_TOKENS = 4000;
const VERIFIED_TOKEN_BYTES = 4 * 1024 * 1024;

/**
 * Reads the credentials of a request and checks their signatures, without a call to the store. It does not check whether a
 * session is revoked.
 *
 * @param route Of a request to the origin. Where nothing on it depends on who calls, keys and JWTs are left unread. Without a
 *   route they are read: handlers ask for `c.var.user`.
 * @throws Problem 400 where two different API keys are sent to a route that asks who calls.
 */
export type Identify = (request: Request, url: URL, route?: Route) => Promise<UnverifiedIdentity>;

/** Creates the function that identifies requests. It remembers tokens that it has verified. */
export function createIdentify(options: IdentifyOptions): Identify {
  const { config, identifier, verifiedKeys, platform, events } = options;
  const configured = new Map(config.apiKeys.map((key) => [key.key, key]));
  const verifiedTokens = new BoundedMap<SessionClaims>({
    platform,
    entries: MAX_VERIFIED_TOKENS,
    bytes: VERIFIED_TOKEN_BYTES,
    sizeOf: (_, raw) => 2 * raw.length + 512,
    whenFull: "evict",
  });
  const deniesUsers = (config.lists?.deny.users.size ?? 0) > 0;
  const deniesKeys = (config.lists?.deny.keys.size ?? 0) > 0;
  const { identitySecrets = [], store = null } = config;
  const olderHashes = deniesKeys ? olderHashers({ identitySecrets, store }) : [];
  const { lifetimeMs } = idleTimes(config.session.idleSeconds);
  const verifyJwt = config.jwt ? createJwtVerifier({ jwt: config.jwt, platform, events }) : null;

  return async function identify(request, url, route) {
    const credentials = readCredentials(request.headers, url, {
      jwt: config.jwt !== null,
      jwtCookie: config.jwt?.cookie ?? null,
      isConfiguredKey: (text) => configured.has(text),
      keysMayHaveDots: route?.verifiesKeys ?? false,
      used: !route || asksWhoCalls(route),
      ...(config.credentials && { names: config.credentials }),
    });
    const address = clientAddress(request.headers, config.ipv6Prefix);
    const addressIdentity = await identifier.identity("address", address);
    const { sessionToken, apiKey } = credentials;
    const session = sessionToken ? await sessionClaim(sessionToken) : ABSENT;
    const key = apiKey === null ? ABSENT : await keyClaim(apiKey);
    const jwts = credentials.jwt === null ? NO_JWT : await jwtClaims(credentials);
    const claims = { address, addressIdentity, credentials, session, key, ...jwts };
    if (!deniesKeys || !credentials.any) return claims;
    const others = otherKeys(request.headers, url, credentials);
    const written = [...others, ...(apiKey === null ? [] : [apiKey])].flatMap((each) =>
      olderHashes.map((hash) => hash(...namedKey(each))),
    );
    const claimed = (await Promise.all(others.map(keyClaim))).map(({ hash }) => hash);
    return { ...claims, otherKeys: [...claimed, ...(await Promise.all(written))] };
  };

  /** Whether anything depends on who calls: the route, a list of callers, or what the origin is told. */
  function asksWhoCalls({ access, limits, tiers, cache, verifiesKeys, session }: Route): boolean {
    if (access !== "public" || limits.length > 0 || tiers.size > 0) return true;
    if (cache || verifiesKeys || session) return true;
    const { lists, origin, originToken } = config;
    const listed = [lists?.deny, lists?.allow].some((list) => list && list.users.size + list.keys.size > 0);
    return listed || originToken != null || origin?.kind === "binding";
  }

  async function sessionClaim({
    raw,
    others = [],
    tokenSource,
  }: NonNullable<Credentials["sessionToken"]>): Promise<SessionClaim> {
    const signed: SessionClaims[] = [];
    for (const each of [raw, ...others]) {
      const known = verifiedTokens.get(each) ?? (await verify(each));
      // Each request has claims of its own: what it learns of the session is kept by them, and no other request may see that.
      if (known) signed.push(withoutIdleRecord({ ...known }));
    }
    const [claims, ...more] = signed;
    return claims ? { kind: "signed", claims, others: more, tokenSource } : { kind: "invalid", tokenSource };
  }

  /** A token of an outage stands for its session's record as long as that may be silent, and no longer. */
  function withoutIdleRecord(claims: SessionClaims): SessionClaims {
    const isIdle = claims.offline && platform.now() - claims.confirmedAt > lifetimeMs;
    return isIdle ? { ...claims, offline: false } : claims;
  }

  /** Checks a token's signature. A valid one stays valid until the token expires, so it is checked once per isolate. */
  async function verify(raw: string): Promise<SessionClaims | null> {
    const { secrets, absoluteSeconds } = config.session;
    const claims = await verifyToken(raw, { secrets, absoluteSeconds, now: platform.now() });
    if (claims) verifiedTokens.set(raw, claims, endInForce(claims, absoluteSeconds));
    return claims;
  }

  /** What a key is hashed as: a configured one by its name. */
  function namedKey(apiKey: string): [kind: string, value: string] {
    const known = configured.get(apiKey);
    return known ? ["key", known.name] : ["secret key", apiKey];
  }

  async function keyClaim(apiKey: string): Promise<Exclude<KeyClaim, typeof ABSENT>> {
    // A Map hashes the whole key, so the time of a lookup does not reveal how much of a guess is right.
    const known = configured.get(apiKey);
    const hash = await identifier.hash(...namedKey(apiKey));
    if (known) return { kind: "verified", hash, name: known.name, tier: known.tier || null, userId: null };
    const remembered = verifiedKeys.get(hash);
    return remembered ? { kind: "verified", hash, name: null, ...remembered } : { kind: "unverified", hash };
  }

  /**
   * Of several cookies one good JWT is enough, as of sessions: a sibling host may have set the first (RFC 6265bis §4.1.3.2).
   * Beside a bearer, and where users are denied, each is looked at, whatever it hides behind.
   */
  async function jwtClaims({
    jwt,
    jwtCookie,
    otherJwts = [],
  }: Credentials): Promise<Pick<UnverifiedIdentity, "jwt" | "cookieJwt" | "otherUsers">> {
    if (jwt === null || !verifyJwt) return NO_JWT;
    const first = await verifyJwt(jwt);
    const isBearer = jwtCookie !== true;
    const isNone = !isBearer && first.kind !== "verified";
    if (otherJwts.length === 0 || !(isBearer || isNone || deniesUsers)) return { jwt: first };
    const others = await Promise.all(otherJwts.map((each) => verifyJwt(each)));
    const good = others.filter((each) => each.kind === "verified");
    const mayAct = isBearer && others.some(({ kind }) => kind !== "invalid");
    return {
      jwt: (isNone ? good[0] : null) ?? first,
      otherUsers: good.map(({ userId }) => userId),
      ...(mayAct && { cookieJwt: true }),
    };
  }
}
