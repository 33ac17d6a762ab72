import { contentLength } from "../http/content.ts";
import type { OriginReply } from "../request/origin-reply.ts";
import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import type { CacheReply, CacheWord } from "./outcome.ts";
import { currentAge } from "./rules/age.ts";
import type { CacheStatus } from "./rules/cache-status.ts";
import { fieldsOf } from "./rules/stored.ts";
import { passOn, serveEntry } from "./serve.ts";
import { entryFreshness } from "./usable.ts";

/** An answer out of an entry. `ttl` is added to the status where it has none. */
export function served(
  context: CacheContext,
  entry: Entry,
  status: CacheStatus,
  word: CacheWord,
): CacheReply {
  const { parts, request } = context;
  const now = parts.platform.now();
  const ttl = status.ttl ?? entryFreshness(context, entry).lifetime - currentAge(entry.meta, now);
  const response = serveEntry(entry, request.request, now);
  const upstream = fieldsOf(entry.meta).get("cache-status");
  const outcome = { word, status: { ...status, ttl }, upstream, savedBytes: lengthOf(response) };
  return { reply: { kind: "response", response }, cache: outcome };
}

/** Bytes of a body that is served: of the whole, or of the part that was asked for. */
function lengthOf({ body, headers }: Response): number {
  return body === null ? 0 : (contentLength(headers) ?? 0);
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
  const response = passOn(reply.response, request.request);
  return { reply: { kind: "response", response }, cache: { word, status, upstream } };
}
