import type { OriginReply } from "../request/origin-reply.ts";
import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import type { CacheReply, CacheWord } from "./outcome.ts";
import { currentAge } from "./rules/age.ts";
import type { CacheStatus } from "./rules/cache-status.ts";
import { fieldOf } from "./rules/stored.ts";
import { passOn, type ServedEntry, serveEntry } from "./serve.ts";
import { entryFreshness, type Using } from "./usable.ts";

/**
 * An answer out of an entry. `ttl` is added to the status where it has none.
 *
 * @param serve Makes the response. Default as the request's conditions and its range ask for it.
 */
export function served(
  context: Using,
  entry: Entry,
  status: CacheStatus,
  word: CacheWord,
  serve: (entry: Entry, now: number) => ServedEntry = (each, at) =>
    serveEntry(each, context.request.request, at),
): CacheReply {
  const now = context.parts.platform.now();
  const ttl = status.ttl ?? entryFreshness(context, entry).lifetime - currentAge(entry.meta, now);
  const { response, bytes } = serve(entry, now);
  const upstream = fieldOf(entry.meta, "cache-status");
  const outcome = { word, status: { ...status, ttl }, upstream, savedBytes: bytes };
  return { reply: { kind: "response", response, made: true }, cache: outcome };
}

/** An answer of the origin's, passed on. */
export function passed(
  { request }: Pick<CacheContext, "request">,
  reply: OriginReply,
  status: CacheStatus,
  word: CacheWord,
): CacheReply {
  if (reply.kind === "failed" || reply.response.status === 101) return { reply, cache: null };
  const upstream = reply.response.headers.get("cache-status");
  const response = passOn(reply, request.request);
  return { reply: { kind: "response", response, made: true }, cache: { word, status, upstream } };
}
