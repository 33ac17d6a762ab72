import { isCoded } from "../http/content.ts";
import { mutableResponse } from "../http/mutable-response.ts";
import type { Entry } from "./entry.ts";
import { clientHasIt, notModifiedHeaders } from "./rules/preconditions.ts";
import { type RangeAnswer, rangeOf } from "./rules/range.ts";
import { servedFields } from "./rules/serving.ts";

/**
 * A response out of an entry: whole, a part, or 304 where the client has it. Content coding, entity tag, `Vary` and
 * `Accept-Ranges` are those that the origin sent: a hit is what the miss was (law 8). That Redis holds a body gzipped shows nowhere.
 *
 * @param now Milliseconds since the epoch.
 */
export function serveEntry(entry: Entry, request: Request, now: number): Response {
  const headers = servedFields(entry.meta, now);
  const { body } = entry;
  const { status: code } = entry.meta;
  if (clientHasIt(request, code, headers, true)) {
    return new Response(null, { status: 304, headers: notModifiedHeaders(headers) });
  }
  if (code === 204 || code === 205 || code === 304) return new Response(null, { status: code, headers });
  const ranged = rangeIn(request, code, headers, body.size);
  if (ranged.kind === "unsatisfiable") {
    return new Response(null, { status: 416, headers: unsatisfiable(headers, body.size) });
  }
  const bytes = request.method === "HEAD" ? null : bytesOf(entry);
  if (ranged.kind === "part") {
    const { first, last } = ranged;
    headers.set("content-range", `bytes ${first}-${last}/${body.size}`);
    headers.set("content-length", String(last - first + 1));
    return new Response(bytes?.slice(first, last + 1), { status: 206, headers, ...AS_STORED });
  }
  headers.set("content-length", String(body.size));
  return new Response(bytes, { status: code, headers, ...AS_STORED });
}

/** A response of the origin, passed on: its body streamed, 304 where the client has it already. */
export function passOn(response: Response, request: Request): Response {
  if (response.status === 101) return response;
  const passed = mutableResponse(response);
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
