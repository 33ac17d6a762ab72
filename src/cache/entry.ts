import * as z from "zod/mini";
import { isStoredResponse, type StoredResponse } from "./rules/index.ts";

/** One stored variant of one URL. */
export interface Entry {
  /** The text that names the variant: what the selecting fields of its request were. */
  variant: string;
  /** Differs for every stored answer: an isolate asks Redis only for what it does not hold. */
  id: string;
  meta: StoredResponse;
  /** Whose it may be served to beyond the one who asked: what the response itself said, for credentialed requests. */
  shareable: boolean;
  /** Lower case. */
  tags: string[];
  /** When it is of no use even for validation, ms since the epoch. */
  keepUntil: number;
  /** Not compressed. */
  body: Uint8Array<ArrayBuffer>;
}

/** From this many bytes on, a compressible body is gzipped for Redis. */
const GZIP_FROM = 1024;
const COMPRESSIBLE =
  /^(text\/|application\/(json|javascript|xml|.*\+json|.*\+xml|graphql|wasm)|image\/svg\+xml|font\/(ttf|otf))/i;

const head = z.object({
  v: z.literal(1),
  id: z.string(),
  variant: z.string(),
  meta: z.unknown(),
  shareable: z.boolean(),
  tags: z.array(z.string()),
  keepUntil: z.number(),
  gzip: z.boolean(),
  size: z.number(),
});

/** An entry as text: a line of JSON, then the body in base64, gzipped once where that helps. */
export async function encodeEntry(entry: Entry): Promise<string> {
  const { meta, body, ...rest } = entry;
  const type = meta.headers.find(([name]) => name === "content-type")?.[1] ?? "";
  const gzip = body.length >= GZIP_FROM && COMPRESSIBLE.test(type);
  const bytes = gzip ? await through(body, new CompressionStream("gzip")) : body;
  return `${JSON.stringify({ v: 1, ...rest, meta, gzip, size: body.length })}\n${base64(bytes)}`;
}

/** The entry in a text, or null when it is none: corrupt, truncated, or somebody else's value. */
export async function decodeEntry(text: string): Promise<Entry | null> {
  const end = text.indexOf("\n");
  if (end === -1) return null;
  try {
    const parsed = z.safeParse(head, JSON.parse(text.slice(0, end)));
    if (!parsed.success) return null;
    const { id, variant, meta, shareable, tags, keepUntil, gzip, size } = parsed.data;
    if (!isStoredResponse(meta)) return null;
    const bytes = bytesOf(text.slice(end + 1));
    const body = gzip ? await through(bytes, new DecompressionStream("gzip")) : bytes;
    return body.length === size ? { id, variant, meta, shareable, tags, keepUntil, body } : null;
  } catch {
    return null;
  }
}

/** Bytes an entry takes in the isolate, roughly: its body, its fields, and what the objects around them cost. */
export function entrySize(entry: Entry): number {
  const fields = entry.meta.headers.reduce((sum, [name, value]) => sum + name.length + value.length + 64, 0);
  return entry.body.length + fields + 512;
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  transform: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** `String.fromCharCode` takes only so many arguments at once. */
const CHUNK = 0x2000;

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK)
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
