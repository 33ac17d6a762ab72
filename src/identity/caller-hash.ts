import type { Config } from "../config/config.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import { hex } from "../runtime/hex.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Identity } from "./caller.ts";
import type { UserNames } from "./session-users.ts";

/** Computes the hashes that stand for callers in keys and logs (law 7). */
export interface Identifier {
  /** HMAC-SHA-256 under `IDENTITY_SECRET`, first 128 bits, hex. The kind is part of the input. */
  hash(kind: string, value: string): Promise<string>;
  /** The names of a user in the keys of sessions, newest first. */
  sessionUser(userId: string): Promise<UserNames>;
  /** The identity of a caller, with its hash. */
  identity(kind: Identity["kind"], value: string): Promise<Identity>;
}

const REMEMBERED_KINDS: ReadonlySet<string> = new Set(["address", "user", "url", "response", "audience"]);
const MAX_REMEMBERED = 4000;
const REMEMBERED_BYTES = 1024 * 1024;
const MAX_REMEMBERED_LENGTH = 1024;

const encoder = new TextEncoder();

type HashingConfig = Pick<Config, "identitySecrets" | "store">;

/** The secrets under which callers are hashed, or were: the first is in use. None without a store and a secret. */
function callerSecrets({ identitySecrets, store }: HashingConfig): string[] {
  return [...identitySecrets, ...(store ? [`identity of callers:${store.token}`] : [])];
}

/** HMAC-SHA-256, first 128 bits, hex, of a kind and a value. @param secretOf Asked once, when it is used first. */
function macUnder(secretOf: () => Uint8Array): Identifier["hash"] {
  let key: CryptoKey | undefined;
  return async (kind, value) => {
    key ??= await crypto.subtle.importKey("raw", secretOf(), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]);
    const signed = await crypto.subtle.sign("HMAC", key, encoder.encode(`${kind}\0${value}`));
    return hex(new Uint8Array(signed, 0, 16));
  };
}

/** The hashes of {@link Identifier.hash} under each secret that is no longer in use: by them callers were written down in its time. */
export function olderHashers(config: HashingConfig): Identifier["hash"][] {
  return callerSecrets(config)
    .slice(1)
    .map((secret) => macUnder(() => encoder.encode(secret)));
}

/**
 * Without `IDENTITY_SECRET` the HMAC key is derived from the store's token, so that all isolates compute the same hashes.
 * Without a store no isolate shares data with another, and the key is random.
 */
export function createIdentifier(
  config: HashingConfig,
  platform: Platform,
  randomKey = () => platform.randomBytes(32),
): Omit<Identifier, "sessionUser"> {
  const remembered = new BoundedMap<string>({
    platform,
    entries: MAX_REMEMBERED,
    bytes: REMEMBERED_BYTES,
    sizeOf: (_, text) => text.length + 128,
    whenFull: "evict",
  });
  const [secret] = callerSecrets(config);
  const mac = macUnder(() => (secret === undefined ? randomKey() : encoder.encode(secret)));

  /** Remembers the hashes of frequent values. Hashes of secrets are computed each time, so that no secret stays in memory. */
  async function hash(kind: string, value: string): Promise<string> {
    if (!REMEMBERED_KINDS.has(kind) || value.length > MAX_REMEMBERED_LENGTH) return mac(kind, value);
    const name = `${kind} ${value}`;
    const known = remembered.get(name);
    if (known !== undefined) return known;
    const made = await mac(kind, value);
    remembered.set(name, made);
    return made;
  }
  return { hash, identity: async (kind, value) => ({ kind, hash: await hash(kind, value) }) };
}
