import { crc32 } from "node:zlib";
import * as z from "zod/mini";
import { fromBase64, toBase64 } from "../runtime/base64.ts";
import { bodySize, gzipOf, identityOf, inflated, isCompressible, type StoredBody } from "./body.ts";
import { fieldsOf, isStoredResponse, type StoredResponse } from "./rules/stored.ts";

/** One stored variant of one URL. */
export interface Entry {
  /** The selecting fields of its request as a text, which names the variant. */
  variant: string;
  /** Differs for every stored answer: an isolate asks Redis only for what it does not hold. */
  id: string;
  meta: StoredResponse;
  /** The response said that it may be served to others, though the request had credentials (RFC 9111 §3.5). */
  shareable: boolean;
  /** Hash of the credentials of the request that brought it; absent where it had none. */
  askedBy?: string | undefined;
  /** Lower case. */
  tags: string[];
  /** From then on it is of no use even for validation, ms since the epoch. */
  keepUntil: number;
  /** The origin sent it compressed and the runtime has decoded it: its entity tag is that of other bytes. */
  decoded: boolean;
  body: StoredBody;
}

const head = z.object({
  v: z.literal(3),
  id: z.string(),
  variant: z.string(),
  meta: z.unknown(),
  shareable: z.boolean(),
  askedBy: z.optional(z.string()),
  tags: z.array(z.string()),
  keepUntil: z.number(),
  decoded: z.boolean(),
  gzip: z.boolean(),
  size: z.number(),
  sum: z.number(),
});

/** An entry as text: a line of JSON, then the body in base64, gzipped once where that helps. */
export async function encodeEntry(entry: Entry): Promise<string> {
  const { meta, body, ...rest } = entry;
  const gzip = isCompressible(body, fieldsOf(meta));
  const bytes = gzip ? await gzipOf(body) : await identityOf(body);
  const line = { v: 3, ...rest, meta, gzip, size: body.size, sum: crc32(bytes) };
  return `${JSON.stringify(line)}\n${toBase64(bytes)}`;
}

/**
 * The entry in a text, or null where the text holds none: corrupt, truncated, or another program's value. A gzipped body
 * is inflated once to see that it is as long as it says: a checksum tells nothing of whoever wrote both.
 */
export function decodeEntry(text: string): Entry | null {
  const end = text.indexOf("\n");
  if (end === -1) return null;
  try {
    const parsed = z.safeParse(head, JSON.parse(text.slice(0, end)));
    if (!parsed.success) return null;
    const { v: _, meta, gzip, size, sum, ...rest } = parsed.data;
    if (!isStoredResponse(meta)) return null;
    const bytes = fromBase64(text.slice(end + 1));
    if (crc32(bytes) !== sum || (!gzip && bytes.length !== size)) return null;
    if (gzip && !inflated(bytes, size)) return null;
    const body = { size, identity: gzip ? null : bytes, gzip: gzip ? bytes : null };
    return { ...rest, meta, body };
  } catch {
    return null;
  }
}

/** Bytes an entry takes in the isolate, roughly: its body, its fields, and what the objects around them cost. */
export function entrySize(entry: Entry): number {
  const fields = entry.meta.headers.reduce((sum, [name, value]) => sum + name.length + value.length + 64, 0);
  return bodySize(entry.body) + fields + entry.variant.length + 2048;
}
