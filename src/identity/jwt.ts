import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from "jose";
import type { JwtConfig, TokenIssuer } from "../config/config.ts";
import type { Events } from "../events/events.ts";
import { canonicalJson } from "../runtime/canonical-json.ts";
import type { Platform } from "../runtime/platform.ts";
import type { JwtClaim, JwtRefusal } from "./caller.ts";
import { claimAt } from "./claim-at.ts";
import { fittingKeys, KEY_SET_ALGORITHMS, publicKey, type SigningHeader } from "./jwk.ts";
import { createKeySet } from "./jwks.ts";

export interface JwtVerifierOptions {
  jwt: JwtConfig;
  platform: Platform;
  events: Events;
}

/** Tolerated difference of clocks, s. */
const CLOCK_TOLERANCE_S = 30;

type VerifyingKey = Parameters<typeof jwtVerify>[1];

/**
 * Verifies JWTs: HS256 with any of the secrets, the algorithms of a key pair with the key set. Each kind of key allows only its own
 * algorithms, whatever the token's header says (RFC 8725 §3.1). `exp` and `sub` are required; issuer and audience are those of
 * the kind of key.
 */
export function createJwtVerifier({ jwt, platform, events }: JwtVerifierOptions) {
  const secrets = jwt.secrets.map((secret) => new TextEncoder().encode(secret));
  const keySet = jwt.jwksUrl === null ? null : createKeySet({ url: jwt.jwksUrl, platform, events });

  return async function verify(token: string): Promise<JwtClaim> {
    const header = headerOf(token);
    if (!header) return invalid("malformed");
    if (header.alg === "HS256" && secrets.length > 0)
      return verifyWith(secrets, token, "HS256", jwt.forSecrets);
    if (!keySet || !KEY_SET_ALGORITHMS.includes(header.alg)) return invalid("algorithm");

    const found = await keySet.load();
    if (found.kind === "unknown") return found;
    const claim = await verifyWithKeys(found.keys, header, token);
    if (claim.kind !== "invalid" || claim.reason !== "signature") return claim;
    // The key may be newer than the set: with a new `kid`, with none, or with the `kid` of the one before.
    const again = await keySet.renew(found.keys);
    const isKnown = header.kid !== undefined && found.keys.some(({ kid }) => kid === header.kid);
    if (again.kind === "unknown") return isKnown ? claim : again;
    return again.keys === found.keys ? claim : verifyWithKeys(again.keys, header, token);
  };

  async function verifyWithKeys(
    keys: Parameters<typeof fittingKeys>[0],
    header: SigningHeader,
    token: string,
  ): Promise<JwtClaim> {
    const fitting = await Promise.all(fittingKeys(keys, header).map((key) => publicKey(key, header.alg)));
    const usable = fitting.filter((key) => key !== null);
    return verifyWith(usable, token, header.alg, jwt.forKeySet);
  }

  /** Tries each key. A token that one of them has signed is judged by its claims, and by no other key. */
  async function verifyWith(
    keys: readonly VerifyingKey[],
    token: string,
    alg: string,
    expected: TokenIssuer,
  ): Promise<JwtClaim> {
    for (const key of keys) {
      const claim = await attempt(token, key, alg, expected);
      if (claim.kind !== "invalid" || claim.reason !== "signature") return claim;
    }
    return invalid("signature");
  }

  async function attempt(
    token: string,
    key: VerifyingKey,
    alg: string,
    { issuer, audiences }: TokenIssuer,
  ): Promise<JwtClaim> {
    const options: JWTVerifyOptions = {
      algorithms: [alg],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(platform.now()),
      requiredClaims: ["exp"],
      ...(issuer !== null && { issuer }),
    };
    try {
      const { payload, protectedHeader } = await jwtVerify(token, key, options);
      if (audiences.length > 0 && !isFor(payload, audiences)) return invalid("audience");
      return isForOtherUse(protectedHeader.typ, payload) ? invalid("type") : claimOf(payload);
    } catch (error) {
      const reason = refusalOf(error);
      if (reason) return invalid(reason);
      throw error;
    }
  }

  function claimOf(payload: JWTPayload): JwtClaim {
    const { sub } = payload;
    if (typeof sub !== "string" || sub === "" || !sub.isWellFormed()) return invalid("subject");
    const tier = jwt.tierClaim === null ? undefined : claimAt(payload, jwt.tierClaim);
    const named = typeof tier === "string" && tier !== "" && tier.isWellFormed();
    const { iat: _iat, exp: _exp, nbf: _nbf, jti: _jti, ...claims } = payload;
    return { kind: "verified", userId: sub, tier: named ? tier : null, claims: canonicalJson(claims) };
  }
}

/**
 * Whether a JWT is for one of the audiences (RFC 7519 §4.1.3). One without `aud` is for whoever trusts the client that it was issued to:
 * several issuers name that alone in their access tokens, in `client_id` (RFC 9068 §2.2) or `azp`.
 */
function isFor(payload: JWTPayload, audiences: readonly string[]): boolean {
  const { aud, client_id, azp } = payload;
  const named = aud === undefined ? [client_id ?? azp] : [aud].flat();
  return named.some((each) => audiences.some((audience) => audience === each));
}

/**
 * Types of JWTs that an issuer may sign with the keys of its access tokens, and that let nobody call an API (RFC 8725 §3.11). A
 * list of those and not of access tokens' types: few issuers use RFC 9068's, and some have their own.
 */
const OTHER_TYPES =
  /^(application\/)?(secevent|logout|token-introspection|statuslist|entity-statement|trust-mark|oauth-authz-req|client-authentication|dpop|kb|dc|vc|vp)\+(sd-)?jwt$/i;

/** Whether a JWT was made for something else: its `typ` says so, or it has the `events` of every security event (RFC 8417 §2.2). */
function isForOtherUse(typ: unknown, { events }: JWTPayload): boolean {
  return (typeof events === "object" && events !== null) || OTHER_TYPES.test(String(typ));
}

function invalid(reason: JwtRefusal): JwtClaim {
  return { kind: "invalid", reason };
}

/** Why jose refuses a token; null for an error that is not the token's fault. */
function refusalOf(error: unknown): JwtRefusal | null {
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) return CLAIM_REFUSALS[error.claim] ?? "claims";
  if (error instanceof errors.JOSEAlgNotAllowed) return "algorithm";
  if (error instanceof errors.JOSEError) return "malformed";
  // What jose and WebCrypto throw for a key that they cannot use: it has signed nothing.
  const isKeys = error instanceof TypeError || error instanceof DOMException;
  if (isKeys) return "signature";
  return error instanceof SyntaxError ? "malformed" : null;
}

const CLAIM_REFUSALS: Readonly<Record<string, JwtRefusal>> = {
  iss: "issuer",
  nbf: "not yet valid",
};

function headerOf(token: string): SigningHeader | null {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return typeof alg === "string" ? { alg, kid } : null;
  } catch {
    return null;
  }
}
