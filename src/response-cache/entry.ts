import { crc32 } from "node:zlib";
import * as z from "zod/mini";
import { fromBase64, toBase64 } from "../runtime/base64.ts";
import { type ApartBody, gzipped, inflated, isCompressible, isHere, type StoredBody } from "./body.ts";
import { fieldsOf, isStoredResponse, type StoredResponse } from "./rules/stored.ts";

/** One stored variant of one URL. */
export interface Entry {
  /** The selecting fields of its request as a text, which names the variant. */
  variant: string;
  /** Differs for every stored answer, and begins with its requestTime: an isolate asks Redis only for what it does not hold. */
  id: string;
  meta: StoredResponse;
  /** The response said that it may be served to others, though the request had credentials (RFC 9111 §3.5). */
  shareable: boolean;
  /** Hash of the credentials of the request that brought it; absent where it had none, or nobody compares it (`withdraw.ts`). */
  askedBy?: string | undefined;
  /** Lower case. */
  tags: string[];
  /** From then on it is of no use even for validation, ms since the epoch. */
  keepUntil: number;
  body: StoredBody;
}

const head = z.object({
  v: z.literal(4),
  id: z.string(),
  variant: z.string(),
  meta: z.unknown(),
  shareable: z.boolean(),
  askedBy: z.optional(z.string()),
  tags: z.array(z.string()),
  keepUntil: z.number(),
  gzip: z.boolean(),
  size: z.number(),
  sum: z.number(),
  apart: z.optional(z.string()),
  of: z.optional(z.string()),
});

/** Bytes. No longer value is read by the batch that decides who may pass (law 9): a longer body is stored beside its entry. */
const MAX_VALUE_BYTES = 128 * 1024;

/** An entry as the shared store holds it. */
export interface EncodedEntry {
  text: string;
  /** The body, where it is stored beside the text and not there yet. */
  body: { text: string; apart: ApartBody } | null;
}

/**
 * An entry as text: a line of JSON, then the body in base64, gzipped where that helps. Where the two are long the body
 * is a text of its own: the id of its entry, and the base64.
 *
 * @param of The key that it is stored under.
 * @returns null where the fields alone are too long, or the body is not here.
 */
export async function encodeEntry(entry: Entry, of?: string): Promise<EncodedEntry | null> {
  const { meta, body, ...rest } = entry;
  const { apart } = body;
  const line = (facts: { gzip: boolean; sum: number; apart?: string }) =>
    `${JSON.stringify({ v: 4, of, ...rest, meta, ...facts, size: body.size })}\n`;
  // The id stands before it, where it is read by the batch.
  const fits = (text: string, more: number) =>
    entry.id.length + 1 + utf8Length(text) + more <= MAX_VALUE_BYTES;
  if (apart) {
    const text = line({ gzip: apart.gzip, sum: apart.sum, apart: apart.id });
    return fits(text, 0) ? { text, body: null } : null;
  }
  if (!isHere(body)) return null;
  const packed = isCompressible(body, fieldsOf(meta)) ? await gzipped(body.bytes) : null;
  const gzip = packed !== null && packed.length < body.size;
  const bytes = gzip ? packed : body.bytes;
  const sum = crc32(bytes);
  const base64 = toBase64(bytes);
  const whole = line({ gzip, sum });
  if (fits(whole, base64.length)) return { text: whole + base64, body: null };
  const text = line({ gzip, sum, apart: entry.id });
  const stored = { text: `${entry.id}\n${base64}`, apart: { id: entry.id, gzip, sum } };
  return fits(text, 0) ? { text, body: stored } : null;
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * The entry in a text, or null where the text holds none: corrupt, truncated, or another program's value. A body that inflates
 * to another length than it says is none: a checksum tells nothing of whoever wrote both. Nor is one that was stored under another
 * key: where replies change places, nobody gets another's answer (law 8).
 */
export function decodeEntry(text: string, key?: string): Entry | null {
  const end = text.indexOf("\n");
  if (end === -1) return null;
  try {
    const parsed = z.safeParse(head, JSON.parse(text.slice(0, end)));
    if (!parsed.success) return null;
    const { v: _, of = key, meta, gzip, size, sum, apart: id, ...rest } = parsed.data;
    if (of !== key || !isStoredResponse(meta)) return null;
    const body: StoredBody = { size, bytes: null };
    if (id !== undefined) return { ...rest, meta, body: { ...body, apart: { id, gzip, sum } } };
    return takeBytes(body, text.slice(end + 1), { gzip, sum }) ? { ...rest, meta, body } : null;
  } catch {
    return null;
  }
}

/** Takes in a body that is stored beside its entry. @returns false where it is another's, or not what the entry says. */
export function takeBody(body: StoredBody, text: string): boolean {
  const { apart } = body;
  if (!apart || !text.startsWith(`${apart.id}\n`)) return false;
  return takeBytes(body, text.slice(apart.id.length + 1), apart);
}

function takeBytes(body: StoredBody, base64: string, { gzip, sum }: Omit<ApartBody, "id">): boolean {
  let stored: Uint8Array<ArrayBuffer>;
  try {
    stored = fromBase64(base64);
  } catch {
    return false;
  }
  if (crc32(stored) !== sum) return false;
  const bytes = gzip ? inflated(stored, body.size) : stored;
  if (bytes?.length !== body.size) return false;
  body.bytes = bytes;
  return true;
}

/** Bytes an entry takes in the isolate, roughly: its body, its fields, and what the objects around them cost. */
export function entrySize(entry: Entry): number {
  const fields = entry.meta.headers.reduce((sum, [name, value]) => sum + name.length + value.length + 64, 0);
  const tags = entry.tags.reduce((sum, tag) => sum + tag.length + 32, 0);
  return (entry.body.bytes?.length ?? 0) + fields + tags + entry.variant.length + 2048;
}
