import { mutableResponse } from "../http/mutable-response.ts";
import { identityOf, isCompressible } from "./body.ts";
import type { Entry } from "./entry.ts";
import { acceptsGzip, forbidsTransform } from "./rules/content-coding.ts";
import { entityTag, weakened } from "./rules/entity-tag.ts";
import { clientHasIt, notModifiedHeaders } from "./rules/preconditions.ts";
import { rangeOf } from "./rules/range.ts";
import { servedFields } from "./rules/serving.ts";

/**
 * A response out of an entry: whole, a part, or 304 where the client has it.
 *
 * @param now Milliseconds since the epoch.
 */
export async function serveEntry(entry: Entry, request: Request, now: number): Promise<Response> {
  const headers = servedFields(entry.meta, now);
  const { body } = entry;
  const { status: code } = entry.meta;
  if (entry.decoded) weakenTag(headers);
  const compressible = isCompressible(body, headers) && !forbidsTransform(headers);
  if (compressible) varyByCoding(headers);
  const gzip =
    compressible && code === 200 && acceptsGzip(clientAcceptEncoding(request)) ? entry.body.gzip : null;
  const ranged = rangeIn(request, code, headers, body.size);
  if (gzip && ranged.kind === "whole") weakenTag(headers);
  if (clientHasIt(request, code, headers, true)) {
    return new Response(null, { status: 304, headers: notModifiedHeaders(headers) });
  }
  if (code === 204 || code === 205 || code === 304) return new Response(null, { status: code, headers });
  if (ranged.kind === "unsatisfiable") {
    return new Response(null, { status: 416, headers: unsatisfiable(headers, body.size) });
  }
  if (code === 200) headers.set("accept-ranges", "bytes");
  if (ranged.kind === "part") {
    const { first, last } = ranged;
    headers.set("content-range", `bytes ${first}-${last}/${body.size}`);
    headers.set("content-length", String(last - first + 1));
    const part = (await identityOf(body)).slice(first, last + 1);
    return new Response(part, { status: 206, headers, ...AS_STORED });
  }
  if (gzip) headers.set("content-encoding", "gzip");
  headers.set("content-length", String(gzip ? gzip.length : body.size));
  const bytes = request.method === "HEAD" ? null : (gzip ?? (await identityOf(body)));
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

/** What the client sent: the `Accept-Encoding` that a Worker sees is Cloudflare's own. */
function clientAcceptEncoding({ cf }: Request): string | null {
  const value = (cf as { clientAcceptEncoding?: unknown } | undefined)?.clientAcceptEncoding;
  return typeof value === "string" ? value : null;
}

function rangeIn(request: Request, status: number, headers: Headers, size: number) {
  if (status !== 200 || request.method !== "GET") return { kind: "whole" } as const;
  return rangeOf(request.headers, headers, size);
}

/** Another coding has other bytes (RFC 9110 §8.8.1). */
function weakenTag(headers: Headers): void {
  const tag = entityTag(headers.get("etag"));
  if (tag !== null) headers.set("etag", weakened(tag));
}

function varyByCoding(headers: Headers): void {
  if (!/(^|,)\s*accept-encoding\s*(,|$)/i.test(headers.get("vary") ?? ""))
    headers.append("vary", "Accept-Encoding");
}
