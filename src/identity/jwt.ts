import { createLocalJWKSet, errors, jwtVerify } from "jose";
import type { JwtConfig } from "../config/config.ts";
import type { Events } from "../events/events.ts";
import { canonicalJson } from "../runtime/canonical-json.ts";
import type { Platform } from "../runtime/platform.ts";
import type { JwtClaim } from "./caller.ts";
import { createKeySet } from "./jwks.ts";

export interface JwtVerifierOptions {
  jwt: JwtConfig;
  platform: Platform;
  events: Events;
}

/** Tolerated difference of clocks, s. */
const CLOCK_TOLERANCE_S = 30;

/**
 * Verifies JWTs: HS256 with any of the secrets, RS256, ES256 and EdDSA with the key set. Each kind of key allows only its own
 * algorithms, whatever the token's header says (RFC 8725 §3.1). `exp` is required.
 */
export function createJwtVerifier({ jwt, platform, events }: JwtVerifierOptions) {
  const secrets = jwt.secrets.map((secret) => new TextEncoder().encode(secret));
  const keysFor = jwt.jwksUrl === null ? null : createKeySet({ url: jwt.jwksUrl, platform, events });

  return async function verify(token: string): Promise<JwtClaim> {
    const algorithm = headerOf(token)?.alg;
    if (algorithm === "HS256") return verifyWithSecrets(token);
    if (!keysFor || !["RS256", "ES256", "EdDSA"].includes(String(algorithm))) return { kind: "invalid" };
    const found = await keysFor(headerOf(token)?.kid);
    if (found.kind === "unknown") return found;
    return attempt(() => {
      const keys = createLocalJWKSet(found.keySet);
      return jwtVerify(token, keys, { ...checks(), algorithms: ["RS256", "ES256", "EdDSA"] });
    });
  };

  async function verifyWithSecrets(token: string): Promise<JwtClaim> {
    for (const secret of secrets) {
      const claim = await attempt(() => jwtVerify(token, secret, { ...checks(), algorithms: ["HS256"] }));
      if (claim.kind === "verified") return claim;
    }
    return { kind: "invalid" };
  }

  async function attempt(verification: () => ReturnType<typeof jwtVerify>): Promise<JwtClaim> {
    try {
      const { payload } = await verification();
      const { sub } = payload;
      if (typeof sub !== "string" || sub === "" || !sub.isWellFormed()) return { kind: "invalid" };
      const tier = jwt.tierClaim === null ? undefined : payload[jwt.tierClaim];
      const named = typeof tier === "string" && tier.isWellFormed();
      const { iat: _iat, exp: _exp, nbf: _nbf, jti: _jti, ...claims } = payload;
      return { kind: "verified", userId: sub, tier: named ? tier : null, claims: canonicalJson(claims) };
    } catch (error) {
      if (REFUSALS.some((kind) => error instanceof kind)) return { kind: "invalid" };
      throw error;
    }
  }

  function checks() {
    return {
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(platform.now()),
      requiredClaims: ["exp"],
      ...(jwt.issuer === null ? {} : { issuer: jwt.issuer }),
      ...(jwt.audience === null ? {} : { audience: jwt.audience }),
    };
  }
}

export type JwtVerifier = ReturnType<typeof createJwtVerifier>;

/** The errors that jose throws for an invalid token or an unusable key. */
const REFUSALS = [errors.JOSEError, TypeError, SyntaxError, DOMException];

function headerOf(token: string): { alg?: unknown; kid?: unknown } | null {
  try {
    const text = atob((token.split(".")[0] ?? "").replace(/-/g, "+").replace(/_/g, "/"));
    const header: unknown = JSON.parse(text);
    return typeof header === "object" && header !== null ? header : null;
  } catch {
    return null;
  }
}
