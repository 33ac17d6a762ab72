import type { Entry } from "./entry.ts";
import {
  type CacheStatus,
  cacheStatus,
  clientHasIt,
  notModifiedHeaders,
  rangeOf,
  servedFields,
} from "./rules/index.ts";

export type CacheWord = "HIT" | "STALE" | "REVALIDATED" | "MISS" | "BYPASS";

export interface ServeFacts {
  entry: Entry;
  request: Request;
  status: CacheStatus;
  /** `X-Cache`, for people. */
  word: CacheWord;
  /** Milliseconds since the epoch. */
  now: number;
}

/** A response out of an entry: whole, a part, or 304 where the client has it. */
export function serveEntry({ entry, request, status, word, now }: ServeFacts): Response {
  const headers = servedFields(entry.meta, now);
  tell(headers, status, word);
  if (clientHasIt(request.headers, entry.meta.status, headers)) {
    return new Response(null, { status: 304, headers: notModifiedHeaders(headers) });
  }
  const size = entry.body.length;
  const { status: code } = entry.meta;
  if (code === 204 || code === 205 || code === 304) return new Response(null, { status: code, headers });
  const whole = { kind: "whole" } as const;
  const range = code === 200 && request.method === "GET" ? rangeOf(request.headers, headers, size) : whole;
  if (range.kind === "unsatisfiable") {
    headers.set("content-range", `bytes */${size}`);
    return new Response(null, { status: 416, headers });
  }
  if (code === 200) headers.set("accept-ranges", "bytes");
  if (range.kind === "part") {
    headers.set("content-range", `bytes ${range.first}-${range.last}/${size}`);
    headers.set("content-length", String(range.last - range.first + 1));
    return new Response(entry.body.slice(range.first, range.last + 1), { status: 206, headers });
  }
  headers.set("content-length", String(size));
  return new Response(request.method === "HEAD" ? null : entry.body.slice(), { status: code, headers });
}

/** A response of the origin, passed on: its body streamed, 304 where the client has it already. */
export function passOn(response: Response, request: Request, status: CacheStatus, word: CacheWord): Response {
  if (response.status === 101) return response;
  const headers = new Headers(response.headers);
  tell(headers, status, word);
  if (clientHasIt(request.headers, response.status, headers)) {
    void response.body?.cancel().catch(() => {});
    return new Response(null, { status: 304, headers: notModifiedHeaders(headers) });
  }
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/** Says what the cache did (RFC 9211 §2: after what caches nearer to the origin said). */
function tell(headers: Headers, status: CacheStatus, word: CacheWord): void {
  headers.set("cache-status", cacheStatus(status, headers.get("cache-status")));
  headers.set("x-cache", word);
}
