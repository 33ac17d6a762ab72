import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { isCoded } from "../http/content.ts";

/** A complete body, in the content coding that the origin sent it in; or where it is stored, and not here yet. */
export interface StoredBody {
  readonly size: number;
  /** As the origin sent them; null where they are not here. */
  bytes: Uint8Array<ArrayBuffer> | null;
  /** What the shared store holds of it beside its entry. Absent where it is in the entry, or only here. */
  apart?: ApartBody;
}

/** A body that is stored beside its entry, and what is known of its bytes. */
export interface ApartBody {
  /** The id of the entry that it was stored with. */
  id: string;
  /** Whether the store holds it gzipped. No client is told of that. */
  gzip: boolean;
  /** CRC-32 of the bytes as stored. */
  sum: number;
  /** It stands with a URL's variants, not in a key of its own. Default false. */
  inHash?: true;
}

/** Whether the bytes are here; else they are to be fetched before anything is made of them. */
export function isHere(body: StoredBody): body is StoredBody & { bytes: Uint8Array<ArrayBuffer> } {
  return body.bytes !== null;
}

/** From this many bytes on, a body of a compressible type is gzipped for Redis. */
const GZIP_FROM = 1024;
const COMPRESSIBLE =
  /^(text\/|application\/(json|javascript|xml|[^;,]*\+json|[^;,]*\+xml|graphql|wasm)|image\/svg\+xml|font\/(ttf|otf))/i;

/** A body that is here. */
export function bodyOf(bytes: Uint8Array<ArrayBuffer>): StoredBody {
  return { size: bytes.length, bytes };
}

/** Whether the shared store is to hold it gzipped. */
export function isCompressible({ size }: StoredBody, headers: Pick<Headers, "get">): boolean {
  return size >= GZIP_FROM && !isCoded(headers) && COMPRESSIBLE.test(headers.get("content-type") ?? "");
}

/**
 * Whether a body in gzip or brotli can be decoded, to no more than `maxBytes`: one that cannot would be an error for every client
 * as long as it is stored. What is in another coding is taken at its word.
 */
export function isDecodable(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Pick<Headers, "get">,
  maxBytes: number,
): boolean {
  const coding = /^\s*(?:x-)?(gzip|br)\s*$/i.exec(headers.get("content-encoding") ?? "")?.[1];
  if (!coding || bytes.length === 0) return true;
  const decode = coding.toLowerCase() === "br" ? brotliDecompressSync : gunzipSync;
  try {
    decode(bytes, { maxOutputLength: maxBytes });
    return true;
  } catch {
    return false;
  }
}

/** No body that is stored has more bytes: the most that `CACHE_MAX_BODY_BYTES` may be. */
const MAX_STORED_BYTES = 10_485_760;

/**
 * Inflates a body that says how long it is.
 *
 * @returns null where it has another length, which is found out without inflating more than it says.
 */
export function inflated(gzip: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> | null {
  if (!Number.isInteger(size) || size < 0 || size > MAX_STORED_BYTES) return null;
  try {
    const bytes = gunzipSync(gzip, { maxOutputLength: Math.max(1, size) });
    return bytes.length === size ? new Uint8Array(bytes) : null;
  } catch {
    return null;
  }
}

/** Gzips bytes for the shared store. */
export async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
