import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from "jose";
import type { JwtConfig } from "../config/index.ts";
import type { Log } from "../observe/index.ts";
import type { Platform } from "../platform.ts";
import type { JwtClaim } from "./caller.ts";

export interface JwtVerifierOptions {
  jwt: JwtConfig;
  platform: Platform;
  log: Log;
}

/** A key set is used this long without looking again, ms. It goes on being used while its address fails. */
const KEY_SET_MS = 600_000;
/** An unknown `kid`, or an address that failed, is asked for at most this often, ms. */
const REFETCH_MS = 60_000;
const FETCH_DEADLINE_MS = 2000;
/** Clocks may differ by this much, s. */
const CLOCK_TOLERANCE_S = 30;

/**
 * Checks JWTs: HS256 with any of the secrets, RS256, ES256 and EdDSA with the key set. The algorithm comes from the key,
 * never from the token alone (RFC 8725 §3.1), and `exp` is demanded.
 *
 * The key set is plain data in the isolate; each request that finds it due fetches it for itself.
 */
export function createJwtVerifier({ jwt, platform, log }: JwtVerifierOptions) {
  const secrets = jwt.secrets.map((secret) => new TextEncoder().encode(secret));
  let keySet: JSONWebKeySet | undefined;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;

  return async function verify(token: string): Promise<JwtClaim> {
    const algorithm = headerOf(token)?.alg;
    if (algorithm === "HS256") return verifyWithSecrets(token);
    if (!jwt.jwksUrl || !["RS256", "ES256", "EdDSA"].includes(String(algorithm))) return { kind: "invalid" };
    return verifyWithKeySet(token, jwt.jwksUrl);
  };

  async function verifyWithSecrets(token: string): Promise<JwtClaim> {
    for (const secret of secrets) {
      const claim = await attempt(() => jwtVerify(token, secret, { ...checks(), algorithms: ["HS256"] }));
      if (claim.kind === "verified") return claim;
    }
    return { kind: "invalid" };
  }

  async function verifyWithKeySet(token: string, url: string): Promise<JwtClaim> {
    const now = platform.now();
    if (now - loadedAt > KEY_SET_MS && now - triedAt > (keySet ? REFETCH_MS : 1000)) await load(url);
    if (!keySet) return { kind: "unknown" };
    const kid = headerOf(token)?.kid;
    const known = keySet.keys.some((key) => key.kid === kid);
    if (!known && kid !== undefined && platform.now() - triedAt > REFETCH_MS) await load(url);
    const keys = createLocalJWKSet(keySet);
    return attempt(() => jwtVerify(token, keys, { ...checks(), algorithms: ["RS256", "ES256", "EdDSA"] }));
  }

  async function attempt(verification: () => ReturnType<typeof jwtVerify>): Promise<JwtClaim> {
    try {
      const { payload } = await verification();
      if (typeof payload.sub !== "string" || payload.sub === "") return { kind: "invalid" };
      const tier = jwt.tierClaim === null ? undefined : payload[jwt.tierClaim];
      return { kind: "verified", userId: payload.sub, tier: typeof tier === "string" ? tier : null };
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof SyntaxError) {
        return { kind: "invalid" };
      }
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

  async function load(url: string): Promise<void> {
    triedAt = platform.now();
    const abort = new AbortController();
    const cancel = platform.timer(FETCH_DEADLINE_MS, () => abort.abort());
    try {
      const response = await platform.fetch(url, {
        signal: abort.signal,
        headers: { accept: "application/json" },
      });
      const body: unknown = await response.json();
      if (!response.ok || !isKeySet(body)) throw new TypeError("not a key set");
      keySet = body;
      loadedAt = platform.now();
    } catch {
      log.warn("jwks.failed", { stale: keySet !== undefined });
    } finally {
      cancel();
    }
  }
}

export type JwtVerifier = ReturnType<typeof createJwtVerifier>;

function isKeySet(value: unknown): value is JSONWebKeySet {
  return typeof value === "object" && value !== null && "keys" in value && Array.isArray(value.keys);
}

function headerOf(token: string): { alg?: unknown; kid?: unknown } | null {
  try {
    const text = atob((token.split(".")[0] ?? "").replace(/-/g, "+").replace(/_/g, "/"));
    const header: unknown = JSON.parse(text);
    return typeof header === "object" && header !== null ? header : null;
  } catch {
    return null;
  }
}
