/**
 * Text that whoever holds a token can neither read nor change: AES-256-GCM (NIST SP 800-38D) under a key that HKDF
 * (RFC 5869) derives from a secret, so that the secret itself stays with the signature.
 */

/** Length of a nonce, bytes. A key seals 2^32 texts with random ones safely (SP 800-38D §8.3). */
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Bytes that a sealed text of so many bytes has. */
export function sealedLength(bytes: number): number {
  return NONCE_BYTES + bytes + TAG_BYTES;
}

export interface SealOptions {
  secret: string;
  /** What the text belongs to. It is not in the result; with any other the text does not open. */
  context: string;
}

/** @param nonce {@link NONCE_BYTES} random bytes, for this text only. */
export async function seal(
  text: string,
  nonce: Uint8Array<ArrayBuffer>,
  { secret, context }: SealOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (nonce.length !== NONCE_BYTES) throw new RangeError(`A nonce has ${NONCE_BYTES} bytes`);
  const sealed = await crypto.subtle.encrypt(parameters(nonce, context), await keyOf(secret), bytesOf(text));
  const result = new Uint8Array(nonce.length + sealed.byteLength);
  result.set(nonce);
  result.set(new Uint8Array(sealed), nonce.length);
  return result;
}

/** @returns null where the bytes were not sealed under this secret, for this context, or were changed. */
export async function unseal(
  bytes: Uint8Array<ArrayBuffer>,
  { secret, context }: SealOptions,
): Promise<string | null> {
  if (bytes.length < sealedLength(0)) return null;
  try {
    const [nonce, sealed] = [bytes.slice(0, NONCE_BYTES), bytes.slice(NONCE_BYTES)];
    const text = await crypto.subtle.decrypt(parameters(nonce, context), await keyOf(secret), sealed);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    return null;
  }
}

function parameters(iv: Uint8Array<ArrayBuffer>, context: string) {
  return { name: "AES-GCM", iv, additionalData: bytesOf(context) };
}

/** Derived keys have no open I/O, so requests may share them (law 4). */
const keys = new Map<string, CryptoKey>();

async function keyOf(secret: string): Promise<CryptoKey> {
  const known = keys.get(secret);
  if (known) return known;
  const material = await crypto.subtle.importKey("raw", bytesOf(secret), "HKDF", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: bytesOf("envoyou-edge user data") },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
  if (keys.size >= 16) keys.clear();
  keys.set(secret, key);
  return key;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}
