import type { Config } from "../config/index.ts";
import type { Platform } from "../platform.ts";
import type { Identity } from "./caller.ts";

/** The one place where callers become the hashes that keys and logs know them by. */
export interface Identifier {
  /** HMAC-SHA-256 under `IDENTITY_SECRET`, first 128 bits, hex. The kind is hashed along: a user is never an address. */
  hash(kind: string, value: string): Promise<string>;
  identity(kind: Identity["kind"], value: string): Promise<Identity>;
}

/**
 * Without `IDENTITY_SECRET` the key is derived from the store's token, so that all isolates agree; without a store there
 * is nothing to agree on, and it is random.
 */
export function createIdentifier(
  config: Pick<Config, "identitySecret" | "store">,
  platform: Platform,
): Identifier {
  let key: CryptoKey | undefined;
  const secret = config.identitySecret ?? (config.store ? `identity of callers:${config.store.token}` : null);

  async function hash(kind: string, value: string): Promise<string> {
    key ??= await crypto.subtle.importKey(
      "raw",
      secret === null ? platform.randomBytes(32) : new TextEncoder().encode(secret),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${kind}\0${value}`));
    return Array.from(new Uint8Array(mac, 0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return { hash, identity: async (kind, value) => ({ kind, hash: await hash(kind, value) }) };
}
