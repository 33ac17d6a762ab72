import * as z from "zod/mini";
import { SESSION_TOKEN_FORMAT } from "../http/session-token.ts";
import { JsonText, memberText } from "../runtime/json-text.ts";
import { wellFormed } from "../runtime/well-formed.ts";
import { seal, sealedLength, unseal } from "./sealed-text.ts";
import { SESSION_ID } from "./session-id.ts";

/** The claims of a session token with a valid signature. Times are milliseconds since the epoch. */
export interface SessionClaims {
  /** The session's id: `c.var.edge.sessions.delete(id)` ends it. */
  id: string;
  /** The user's id. */
  userId: string;
  /** The user's tier, or null. */
  tier: string | null;
  /** When the session was created. */
  issuedAt: number;
  /** The absolute end of the session, as it was signed, or earlier where sessions live shorter now. No token is valid after it. */
  expiresAt: number;
  /** When Redis last confirmed the session. The offline grace counts from here. */
  confirmedAt: number;
  /** The session was created while the store was lost, so Redis may not have it yet. */
  offline: boolean;
  /** Only in offline tokens: the user data for the record. Null where the database has them, or for none. @internal */
  userData: JsonText | null;
  /**
   * The id before a rotation whose reply was lost: Redis has the record under either id. Such a token is an offline one, and
   * has no user data where they do not fit.
   *
   * @internal
   */
  rotatedFrom?: string | undefined;
  /** Upstash's consistency token of the creation. Reads carry it while the session is new, so that they see the write. @internal */
  syncToken: string | null;
}

const SIGNATURE_BYTES = 32;
/** Maximum length, characters. Browsers drop cookies with more than 4096 bytes of name and value (RFC 6265bis §5.6). */
export const MAX_TOKEN_LENGTH = 4080;

const payload = z.object({
  i: z.string().check(z.regex(SESSION_ID)),
  u: z.string().check(z.minLength(1), wellFormed),
  t: z.optional(z.string().check(wellFormed)),
  a: z.number(),
  e: z.number(),
  c: z.number(),
  o: z.optional(z.literal(1)),
  d: z.optional(z.unknown()),
  s: z.optional(z.string()),
  f: z.optional(z.string().check(z.regex(SESSION_ID))),
});

/**
 * Signs claims: `es1.<payload>.<HMAC-SHA-256 over all before it>`, base64url without padding. An offline token has its user
 * data, if any, as a further part before the signature, sealed: the client is not meant to read them.
 *
 * @param nonce `NONCE_BYTES` random bytes, for this token only. Needed where offline claims have user data.
 */
export async function signToken(
  claims: SessionClaims,
  secret: string,
  nonce?: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const body = base64url(payloadOf(claims));
  let signed = `${SESSION_TOKEN_FORMAT}.${body}`;
  if (carriesUserData(claims)) {
    if (!nonce) throw new TypeError("An offline token needs a nonce");
    signed += `.${base64url(await seal(claims.userData.text, nonce, { secret, context: body }))}`;
  }
  const mac = await crypto.subtle.sign("HMAC", await hmacKey(secret), new TextEncoder().encode(signed));
  return `${signed}.${base64url(new Uint8Array(mac))}`;
}

/** Whether a cookie has room for the token of these claims. Callers check it before they write the session. */
export function tokenFits(claims: SessionClaims): boolean {
  const bytes = [payloadOf(claims).length, SIGNATURE_BYTES];
  if (carriesUserData(claims))
    bytes.push(sealedLength(new TextEncoder().encode(claims.userData.text).length));
  const parts = bytes.map((count) => 1 + Math.ceil((count * 4) / 3));
  return parts.reduce((sum, length) => sum + length, SESSION_TOKEN_FORMAT.length) <= MAX_TOKEN_LENGTH;
}

function carriesUserData(claims: SessionClaims): claims is SessionClaims & { userData: JsonText } {
  return claims.offline && claims.userData !== null;
}

function payloadOf(claims: SessionClaims): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({
      i: claims.id,
      u: claims.userId,
      ...(claims.tier !== null && { t: claims.tier }),
      a: claims.issuedAt,
      e: claims.expiresAt,
      c: claims.confirmedAt,
      ...(claims.offline && { o: 1 }),
      ...(claims.syncToken !== null && { s: claims.syncToken }),
      ...(claims.rotatedFrom !== undefined && { f: claims.rotatedFrom }),
    }),
  );
}

/**
 * Verifies a token without a call to the store. `crypto.subtle.verify` compares in constant time.
 *
 * @param options.secrets Newest first. A token signed with any of them is valid.
 * @param options.now Milliseconds since the epoch.
 * @param options.absoluteSeconds `SESSION_ABSOLUTE_SECONDS`, which binds tokens that were signed under a longer one.
 * @returns the claims, or null when the token is forged, malformed or past the end that is in force.
 */
export async function verifyToken(
  raw: string,
  { secrets, now, absoluteSeconds }: { secrets: readonly string[]; now: number; absoluteSeconds: number },
): Promise<SessionClaims | null> {
  if (raw.length > MAX_TOKEN_LENGTH) return null;
  const parts = raw.split(".");
  const mac = parts.pop();
  const [prefix, body, sealed, ...rest] = parts;
  if (prefix !== SESSION_TOKEN_FORMAT || !body || !mac || rest.length > 0) return null;
  const signature = bytesOf(mac);
  if (signature?.length !== SIGNATURE_BYTES) return null;
  const secret = await signerOf(parts.join("."), signature, secrets);
  if (secret === null) return null;
  const claims = parseClaims(body);
  if (!claims || endInForce(claims, absoluteSeconds) <= now) return null;
  if (sealed === undefined) return claims;
  const userData = await unseal(bytesOf(sealed) ?? new Uint8Array(), { secret, context: body });
  return userData === null ? null : { ...claims, userData: new JsonText(userData) };
}

/** The end of a session, ms since the epoch: what its token states, or earlier where sessions live shorter now. */
export function endInForce({ issuedAt, expiresAt }: SessionClaims, absoluteSeconds: number): number {
  return Math.min(expiresAt, issuedAt + absoluteSeconds * 1000);
}

/** The secret under which a text was signed, or null. */
async function signerOf(
  text: string,
  signature: Uint8Array<ArrayBuffer>,
  secrets: readonly string[],
): Promise<string | null> {
  const signed = new TextEncoder().encode(text);
  let signer: string | null = null;
  for (const secret of secrets) {
    if (await crypto.subtle.verify("HMAC", await hmacKey(secret), signature, signed)) signer ??= secret;
  }
  return signer;
}

function parseClaims(body: string): SessionClaims | null {
  const bytes = bytesOf(body);
  if (!bytes) return null;
  try {
    const json = new TextDecoder().decode(bytes);
    const parsed = z.safeParse(payload, JSON.parse(json));
    if (!parsed.success) return null;
    const { i, u, t, a, e, c, o, s, f } = parsed.data;
    // Versions before this one put the user data of an outage here, in clear text.
    const userData = memberText(json, "d");
    return {
      id: i,
      userId: u,
      tier: t ?? null,
      issuedAt: a,
      expiresAt: e,
      confirmedAt: c,
      offline: o === 1,
      userData: userData === undefined ? null : new JsonText(userData),
      syncToken: s ?? null,
      ...(f !== undefined && { rotatedFrom: f }),
    };
  } catch {
    return null;
  }
}

/** Imported keys have no open I/O, so requests may share them (law 4). */
const keys = new Map<string, CryptoKey>();

async function hmacKey(secret: string): Promise<CryptoKey> {
  const known = keys.get(secret);
  if (known) return known;
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign", "verify"],
  );
  if (keys.size >= 16) keys.clear();
  keys.set(secret, key);
  return key;
}

/** Base64url without padding (RFC 4648 §5). */
export function base64url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) =>
      char.charCodeAt(0),
    );
  } catch {
    return null;
  }
}
