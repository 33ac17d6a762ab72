import { Buffer } from "node:buffer";

/** RFC 4648 §4: raw bytes do not survive a reply that is read as UTF-8. */
export function toBase64(bytes: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** Characters that are none are passed over: whoever reads what may be anything checks the sum of what comes out. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "base64"));
}
