import { CONTENT_DIGESTS, isCoded } from "../http/content.ts";
import { mutableResponse } from "../http/mutable-response.ts";
import type { OriginAnswer } from "../request/origin-reply.ts";
import type { Entry } from "./entry.ts";
import { clientHasIt, notModifiedHeaders } from "./rules/preconditions.ts";
import { type RangeAnswer, rangeOf } from "./rules/range.ts";
import { servedFields, setServedFields } from "./rules/serving.ts";

/** A response out of an entry. */
export interface ServedEntry {
  response: Response;
  /** Of its body. */
  bytes: number;
}

/**
 * A response out of an entry: whole, a part, or 304 where the client has it. Content coding, entity tag, `Vary` and
 * `Accept-Ranges` are those that the origin sent: a hit is what the miss was (law 8). That Redis holds a body gzipped shows nowhere.
 *
 * @param now Milliseconds since the epoch.
 */
export function serveEntry(entry: Entry, request: Request, now: number): ServedEntry {
  const headers = servedFields(entry.meta, now);
  const { size } = entry.body;
  const { status: code } = entry.meta;
  if (clientHasIt(request, code, headers, true)) return empty(304, notModifiedHeaders(headers));
  if (code === 204 || code === 205 || code === 304) return empty(code, headers);
  const ranged = rangeIn(request, code, headers, size);
  if (ranged.kind === "unsatisfiable") return empty(416, unsatisfiable(headers, size));
  if (ranged.kind === "part") {
    const { first, last } = ranged;
    headers.set("content-range", `bytes ${first}-${last}/${size}`);
    for (const name of CONTENT_DIGESTS) headers.delete(name);
    headers.set("content-length", String(last - first + 1));
    const part = bytesOf(entry).slice(first, last + 1);
    return { response: new Response(part, { status: 206, headers, ...AS_STORED }), bytes: part.length };
  }
  return whole(entry, headers, request.method === "HEAD" ? null : bytesOf(entry));
}

/** The same to a GET that sets no condition and asks for no part, where the stored status has a body. */
export function serveWhole(entry: Entry, now: number): ServedEntry {
  const { meta } = entry;
  const bytes = bytesOf(entry);
  const response = new Response(bytes, { status: meta.status, ...AS_STORED });
  setServedFields(response.headers, meta, now);
  response.headers.set("content-length", String(bytes.length));
  return { response, bytes: bytes.length };
}

function whole({ meta, body }: Entry, headers: Headers, bytes: Uint8Array<ArrayBuffer> | null): ServedEntry {
  headers.set("content-length", String(body.size));
  const response = new Response(bytes, { status: meta.status, headers, ...AS_STORED });
  return { response, bytes: bytes?.length ?? 0 };
}

function empty(status: number, headers: Headers): ServedEntry {
  return { response: new Response(null, { status, headers }), bytes: 0 };
}

/** A response of the origin, passed on: its body streamed, 304 where the client has it already. */
export function passOn({ response, made = false }: OriginAnswer, request: Request): Response {
  if (response.status === 101) return response;
  const passed = made ? response : mutableResponse(response);
  const { headers } = passed;
  if (!clientHasIt(request, response.status, headers, false)) return passed;
  void passed.body?.cancel().catch(() => {});
  return new Response(null, { status: 304, headers: notModifiedHeaders(headers) });
}

/** A 416 is about the request: nothing that is said of the representation may make a cache keep it. */
function unsatisfiable(headers: Headers, size: number): Headers {
  const fields = notModifiedHeaders(headers);
  for (const name of ["etag", "expires", "age", "cdn-cache-control"]) fields.delete(name);
  fields.set("cache-control", "no-store");
  fields.set("content-range", `bytes */${size}`);
  return fields;
}

/** The bytes are what `Content-Encoding` says: the runtime is not to encode them once more. */
const AS_STORED = { encodeBody: "manual" } as const;

/**
 * @throws Error where the body is not here: whoever serves an entry has asked `bodyAtHand`.
 */
function bytesOf({ body }: Entry): Uint8Array<ArrayBuffer> {
  if (!body.bytes) throw new Error("A stored body is not here");
  return body.bytes;
}

/** A part of a coded body is none that a proxy on the way can decode; and an origin may say that it gives no parts. */
function rangeIn(request: Request, status: number, headers: Headers, size: number): RangeAnswer {
  const noParts = isCoded(headers) || headers.get("accept-ranges")?.trim().toLowerCase() === "none";
  if (status !== 200 || request.method !== "GET" || noParts) return { kind: "whole" };
  return rangeOf(request.headers, headers, size);
}
