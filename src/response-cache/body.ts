import { gunzipSync } from "node:zlib";

/** A complete body, as sent, gzipped, or both; or where it is stored, and not here yet. */
export interface StoredBody {
  /** Bytes of the identity form. */
  readonly size: number;
  identity: Uint8Array<ArrayBuffer> | null;
  gzip: Uint8Array<ArrayBuffer> | null;
  /** What the shared store holds of it beside its entry. Absent where it is in the entry, or only here. */
  apart?: ApartBody;
}

/** A body that is stored beside its entry, and what is known of its bytes. */
export interface ApartBody {
  /** The id of the entry that it was stored with. */
  id: string;
  gzip: boolean;
  /** CRC-32 of the bytes as stored. */
  sum: number;
}

/** Whether the bytes are here; else they are to be fetched before anything is made of them. */
export function isHere({ identity, gzip }: StoredBody): boolean {
  return identity !== null || gzip !== null;
}

/** From this many bytes on, a body of a compressible type is gzipped for Redis. */
export const GZIP_FROM = 1024;
const COMPRESSIBLE =
  /^(text\/|application\/(json|javascript|xml|[^;,]*\+json|[^;,]*\+xml|graphql|wasm)|image\/svg\+xml|font\/(ttf|otf))/i;

/** The body as the origin sent it. */
export function identityBody(bytes: Uint8Array<ArrayBuffer>): StoredBody {
  return { size: bytes.length, identity: bytes, gzip: null };
}

/** Whether a gzip form exists or will: then the answer varies by the client's `Accept-Encoding`. */
export function isCompressible(body: StoredBody, headers: Pick<Headers, "get" | "has">): boolean {
  return (
    body.size >= GZIP_FROM &&
    !headers.has("content-encoding") &&
    COMPRESSIBLE.test(headers.get("content-type") ?? "")
  );
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

/** The bytes as sent. Where only the gzip form came back from Redis, they are inflated once and kept. */
export async function identityOf(body: StoredBody): Promise<Uint8Array<ArrayBuffer>> {
  if (body.identity) return body.identity;
  const bytes = inflated(body.gzip ?? new Uint8Array(), body.size);
  if (!bytes) throw new Error("A stored body is not what its entry says");
  body.identity = bytes;
  return bytes;
}

/** Gzips it, once. */
export async function gzipOf(body: StoredBody): Promise<Uint8Array<ArrayBuffer>> {
  body.gzip ??= await through(body.identity ?? new Uint8Array(), new CompressionStream("gzip"));
  return body.gzip;
}

/** Bytes it takes in the isolate. */
export function bodySize({ identity, gzip }: StoredBody): number {
  return (identity?.length ?? 0) + (gzip?.length ?? 0);
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  transform: CompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
