import { importJWK, type JWK } from "jose";

/** What a JWT's header says of the key that signed it. Both are claims of whoever sent the token. */
export interface SigningHeader {
  alg: string;
  /** Undefined where the header has none. */
  kid: unknown;
}

/** The keys that each algorithm takes (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2): of RSA, or of a curve. */
const KEY_OF: Readonly<Record<string, string>> = {
  RS256: "RSA",
  RS384: "RSA",
  RS512: "RSA",
  PS256: "RSA",
  PS384: "RSA",
  PS512: "RSA",
  ES256: "EC P-256",
  ES384: "EC P-384",
  ES512: "EC P-521",
  EdDSA: "OKP Ed25519",
  Ed25519: "OKP Ed25519",
};

/** The algorithms of key sets. */
export const KEY_SET_ALGORITHMS: readonly string[] = Object.keys(KEY_OF);

/** Most keys of a set that are tried for one token: each costs the verification of a signature. */
const MAX_TRIED = 16;

/**
 * The keys of a set that may have signed a token. `kid` is a hint (RFC 7515 §4.1.4): keys with the token's come first, then
 * keys without any; of a token without `kid` it may be every key of the right kind (RFC 7515 appendix D). A key for another
 * algorithm or another use is none (RFC 7517 §4.2–4.4).
 */
export function fittingKeys(keys: readonly JWK[], { alg, kid }: SigningHeader): JWK[] {
  const usable = keys.filter((key) => isUsable(key, alg));
  if (kid === undefined) return usable.slice(0, MAX_TRIED);
  const named = usable.filter((key) => key.kid === kid);
  return [...named, ...usable.filter((key) => key.kid === undefined)].slice(0, MAX_TRIED);
}

function isUsable(key: JWK, alg: string): boolean {
  const isRsa = key.kty === "RSA";
  if (KEY_OF[alg] !== (isRsa ? "RSA" : `${key.kty} ${key.crv}`)) return false;
  // A key has one algorithm (RFC 8725 §3.1), so an RSA key that names none is for the usual one.
  const its = key.alg ?? (isRsa ? "RS256" : alg);
  const names = key.kty === "OKP" ? ["EdDSA", "Ed25519"] : [alg];
  if (!names.includes(its) || (key.use ?? "sig") !== "sig") return false;
  const operations: unknown = key.key_ops ?? ["verify"];
  return Array.isArray(operations) && operations.includes("verify");
}

/** Imported keys have no open I/O, so requests may share them (law 4). They go with the set that they stand in. */
const imported = new WeakMap<JWK, CryptoKey | null>();

/** The public key of a JWK; null where it cannot be used, or says that it is private. */
export async function publicKey(key: JWK, alg: string): Promise<CryptoKey | null> {
  const known = imported.get(key);
  if (known !== undefined) return known;
  const made = await importJWK({ ...key, alg, key_ops: ["verify"], ext: true }).catch(() => null);
  const usable = made instanceof CryptoKey && made.type === "public" ? made : null;
  imported.set(key, usable);
  return usable;
}
