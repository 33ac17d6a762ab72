import { Buffer } from "node:buffer";

/** Encodes bytes as base64 (RFC 4648 §4), because a reply of the store is UTF-8 text. */
export function toBase64(bytes: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** Decodes base64. It ignores invalid characters, so a caller with untrusted text must check the decoded bytes. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "base64"));
}
