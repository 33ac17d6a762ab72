/** A complete body, as sent, gzipped, or both. At least one of the two is there. */
export interface StoredBody {
  /** Bytes of the identity form. */
  readonly size: number;
  identity: Uint8Array<ArrayBuffer> | null;
  gzip: Uint8Array<ArrayBuffer> | null;
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

/** The bytes as sent. Where only the gzip form came back from Redis, they are inflated once and kept. */
export async function identityOf(body: StoredBody): Promise<Uint8Array<ArrayBuffer>> {
  if (body.identity) return body.identity;
  const bytes = await through(body.gzip ?? new Uint8Array(), new DecompressionStream("gzip"));
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
  transform: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
