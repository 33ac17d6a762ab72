import { isEventStream } from "../http/event-stream.ts";
import { hex } from "../runtime/hex.ts";
import { bodyOf, isDecodable } from "./body.ts";
import { collect } from "./collect.ts";
import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import { responseDirectives } from "./rules/directives.ts";
import { retentionSeconds } from "./rules/freshness.ts";
import type { ResponseFacts } from "./rules/message.ts";
import { fieldsOf } from "./rules/stored.ts";
import { claimOf, type StoreRefusal, storing } from "./rules/storing.ts";
import { tagsOf } from "./tags.ts";
import { isComparedByCredentials } from "./withdraw.ts";

/** An entry without its body: what is known once the header section is there. */
export type Outline = Omit<Entry, "body">;

/**
 * An outline, or what forbids to store: the response itself, or this request only, so that the same response to another
 * request might be stored; or that it is a stream of events, which has no end.
 */
export type Outlined =
  | { kind: "outline"; outline: Outline }
  | { kind: "none"; because: "request" | "response" | "stream" };

/** What is stored of a response without its body, where it may be stored (RFC 9111 §3). */
export async function outlineOf(
  context: CacheContext,
  response: ResponseFacts,
  requestTime: number,
): Promise<Outlined> {
  const { rule, requester, selecting } = context;
  const { platform } = context.parts;
  if (isEventStream(response.headers.get("content-type"))) return { kind: "none", because: "stream" };
  const responseTime = platform.now();
  const { method, url, headers } = context.request.request;
  const verdict = storing({
    request: { method, url, headers },
    response,
    requestTime,
    responseTime,
    requester,
    rule,
  });
  if (verdict.kind === "refuse") return { kind: "none", because: forbiddenBy(verdict.reason) };
  const { stored, freshness } = verdict;
  const tags = tagsOf(response.headers, rule.tags);
  if (!tags) return { kind: "none", because: "response" };
  if (!selecting.canTell(stored.vary)) await selecting.hide();
  const outline = {
    id: `${requestTime}-${hex(platform.randomBytes(12))}`,
    variant: selecting.variant(stored.vary),
    meta: stored,
    ...(isComparedByCredentials(context) && { askedBy: await selecting.credentials(context.request) }),
    shareable: claimOf(response, responseDirectives(response.headers)) === "shareable",
    tags,
    keepUntil: responseTime + retentionSeconds(stored, freshness, responseTime) * 1000,
  };
  return { kind: "outline", outline };
}

function forbiddenBy(reason: StoreRefusal): "request" | "response" {
  return reason === "method" || reason === "request" || reason === "request-no-store"
    ? "request"
    : "response";
}

/**
 * Gathers a body for an outline and stores both.
 *
 * @param gone See {@link collect}.
 * @returns the entry, or null where the body is too long, finds no room, broke off, or is not what its fields say.
 */
export async function fill(
  context: CacheContext,
  outline: Outline,
  body: ReadableStream<Uint8Array> | null,
  lengthSaid: number | null,
  gone?: AbortSignal,
): Promise<Entry | null> {
  const { maxBodyBytes, gathering } = context.parts;
  const { holds, end } = gathering.begin();
  const bytes = await collect(body, maxBodyBytes, lengthSaid, { gone, holds }).finally(end);
  if (!bytes || !isDecodable(bytes, fieldsOf(outline.meta), maxBodyBytes)) return null;
  const entry: Entry = { ...outline, body: bodyOf(bytes) };
  keep(context, entry);
  return entry;
}

/**
 * Stores an entry: in the isolate at once, in the store that all share after the response, unless it is one of too many
 * that were asked for once. One that comes late, after what has taken its place, is not stored.
 */
export function keep(context: CacheContext, entry: Entry): void {
  const { parts, address, isNew, selected } = context;
  const { memory, entries, admission } = parts;
  if (memory.isOutdated(address, entry)) return;
  memory.put(address, entry);
  if (entries === memory || (!selected && !admission.admits(address, entry))) return;
  share(context, entry, isNew);
}

/** Writes an entry to the store that all share, after the response. */
export function share(
  { parts, address, request }: Pick<CacheContext, "parts" | "address" | "request">,
  entry: Entry,
  isNew: boolean,
): void {
  const { writes } = parts;
  request.after(() => writes.add({ address, entry, isNew }, (work) => request.waitUntil(work)));
}
