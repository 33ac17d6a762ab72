const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Bytes as lower-case hex. Every request formats several ids, so that it takes the runtime's own way or a table. */
export function hex(bytes: Uint8Array): string {
  // Node 20 and 24 have no such method yet.
  const { toHex } = bytes as { toHex?(): string };
  if (toHex) return toHex.call(bytes);
  let text = "";
  for (const byte of bytes) text += PAIRS[byte];
  return text;
}
