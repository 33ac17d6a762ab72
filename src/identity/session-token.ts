import * as z from "zod/mini";
import { JsonText, memberText, stringify } from "../runtime/json-text.ts";
import { wellFormed } from "../runtime/well-formed.ts";

/** The claims of a session token with a valid signature. Times are milliseconds since the epoch. */
export interface SessionClaims {
  id: string;
  userId: string;
  tier: string | null;
  issuedAt: number;
  /** The absolute end of the session. No token and no record is valid after it. */
  expiresAt: number;
  /** When Redis last confirmed the session. The offline grace counts from here. */
  confirmedAt: number;
  /** The session was created while the store was lost, so Redis may not have it yet. */
  offline: boolean;
  /** Only in offline tokens: the user data for the record. Null for none. */
  userData: JsonText | null;
  /** Upstash's consistency token of the creation. Reads carry it while the session is new, so that they see the write. */
  syncToken: string | null;
}

const PREFIX = "es1";
/** The first characters of every session token. Any other text is not treated as one. */
export const SESSION_TOKEN_PREFIX = `${PREFIX}.`;
/** Maximum length, characters. Browsers drop cookies with more than 4096 bytes of name and value (RFC 6265bis §5.6). */
export const MAX_TOKEN_LENGTH = 4080;

/** What a session's id is made of. No other key of the store is named so. */
const SESSION_ID = /^[A-Za-z0-9_-]{22,64}$/;

/** Whether a text may be a session's id. */
export function isSessionId(text: string): boolean {
  return SESSION_ID.test(text);
}

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
});

/** Signs claims: `es1.<payload>.<HMAC-SHA-256 over both>`, base64url without padding. */
export async function signToken(claims: SessionClaims, secret: string): Promise<string> {
  const signed = `${PREFIX}.${base64url(payloadOf(claims))}`;
  const mac = await crypto.subtle.sign("HMAC", await hmacKey(secret), new TextEncoder().encode(signed));
  return `${signed}.${base64url(new Uint8Array(mac))}`;
}

/** Whether a cookie has room for the token of these claims. Callers check it before they write the session. */
export function tokenFits(claims: SessionClaims): boolean {
  const signature = Math.ceil((32 * 4) / 3);
  return PREFIX.length + 2 + Math.ceil((payloadOf(claims).length * 4) / 3) + signature <= MAX_TOKEN_LENGTH;
}

function payloadOf(claims: SessionClaims): Uint8Array {
  return new TextEncoder().encode(
    stringify({
      i: claims.id,
      u: claims.userId,
      ...(claims.tier !== null && { t: claims.tier }),
      a: claims.issuedAt,
      e: claims.expiresAt,
      c: claims.confirmedAt,
      ...(claims.offline && { o: 1, d: claims.userData ?? undefined }),
      ...(claims.syncToken !== null && { s: claims.syncToken }),
    }),
  );
}

/**
 * Verifies a token without a call to the store. `crypto.subtle.verify` compares in constant time.
 *
 * @param options.secrets Newest first. A token signed with any of them is valid.
 * @param options.now Milliseconds since the epoch.
 * @returns the claims, or null when the token is forged, malformed or past its absolute end.
 */
export async function verifyToken(
  raw: string,
  { secrets, now }: { secrets: readonly string[]; now: number },
): Promise<SessionClaims | null> {
  if (raw.length > MAX_TOKEN_LENGTH) return null;
  const [prefix, body, mac, ...rest] = raw.split(".");
  if (prefix !== PREFIX || !body || !mac || rest.length > 0) return null;
  const signature = bytesOf(mac);
  if (signature?.length !== 32) return null;
  const signed = new TextEncoder().encode(`${prefix}.${body}`);
  let genuine = false;
  for (const secret of secrets) {
    if (await crypto.subtle.verify("HMAC", await hmacKey(secret), signature, signed)) genuine = true;
  }
  if (!genuine) return null;
  const claims = parseClaims(body);
  return claims && claims.expiresAt > now ? claims : null;
}

function parseClaims(body: string): SessionClaims | null {
  const bytes = bytesOf(body);
  if (!bytes) return null;
  try {
    const json = new TextDecoder().decode(bytes);
    const parsed = z.safeParse(payload, JSON.parse(json));
    if (!parsed.success) return null;
    const { i, u, t, a, e, c, o, s } = parsed.data;
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
