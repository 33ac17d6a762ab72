import { BoundedMap } from "../runtime/bounded-map.ts";
import { hex } from "../runtime/hex.ts";
import type { Platform } from "../runtime/platform.ts";

/**
 * The names of a user in the keys of sessions: one for each `SESSION_SECRET`, newest first. A session is signed with one of
 * these secrets, so whatever was written about its user while that one was the newest is found under one of the names.
 */
export type UserNames = readonly [newest: string, ...older: string[]];

const LABEL = "envoyou-edge session users";
const MAX_REMEMBERED = 4000;
const REMEMBERED_BYTES = 1024 * 1024;

/**
 * Computes the names: HMAC-SHA-256, first 128 bits, hex, under a key that is derived from each secret. Neither
 * `IDENTITY_SECRET` nor the store's token is part of it, so changing those loses no session and no ending.
 *
 * @param secrets `SESSION_SECRET`, newest first. Without any there are no sessions, and the name protects nothing.
 */
export function createSessionUsers(
  secrets: readonly string[],
  platform: Pick<Platform, "now">,
): (userId: string) => Promise<UserNames> {
  const [newest = "", ...older] = new Set(secrets);
  const keys = new Map<string, CryptoKey>();
  const remembered = new BoundedMap<UserNames>({
    platform,
    entries: MAX_REMEMBERED,
    bytes: REMEMBERED_BYTES,
    sizeOf: (names, userId) => userId.length + 64 * names.length + 64,
    whenFull: "evict",
  });

  async function nameUnder(secret: string, userId: string): Promise<string> {
    const key = keys.get(secret) ?? (await hmacKey(await hmac(await hmacKey(bytes(LABEL)), bytes(secret))));
    keys.set(secret, key);
    return hex((await hmac(key, bytes(userId))).slice(0, 16));
  }

  return async function sessionUser(userId) {
    const known = remembered.get(userId);
    if (known) return known;
    const names: UserNames = [
      await nameUnder(newest, userId),
      ...(await Promise.all(older.map((secret) => nameUnder(secret, userId)))),
    ];
    remembered.set(userId, names);
    return names;
  };
}

const bytes = (text: string) => Uint8Array.from(new TextEncoder().encode(text));

async function hmac(key: CryptoKey, text: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, text));
}

function hmacKey(raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}
