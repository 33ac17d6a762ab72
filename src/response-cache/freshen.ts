import { isHere } from "./body.ts";
import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import { keep, type Outline, outlineOf } from "./fill.ts";
import { freshened } from "./rules/freshening.ts";
import { contentTimeOf } from "./rules/stored.ts";
import { checkedByHead } from "./rules/validation.ts";
import { maySpeakFor, withdraw } from "./withdraw.ts";

/**
 * The stored entry with the fields of a 304 (RFC 9111 §4.3.4). Where these forbid to store it, `stored` is false and the
 * entry is withdrawn, here and in Redis: else it would be served on as if they had not been said. The 304 to a HEAD makes it
 * stale. Where the client wants nothing of this stored (§5.2.1.5), the entry stays as it was.
 */
export async function freshen(
  context: CacheContext,
  entry: Entry,
  update: Headers,
  requestTime: number,
): Promise<{ entry: Entry; stored: boolean }> {
  const { parts, address, request } = context;
  const response = freshened(entry.meta, update);
  const outlined = await outlineOf(asGet(context), response, requestTime);
  if (outlined.kind === "outline") {
    const fresh = withContentOf(entry, outlined.outline);
    if (fresh) {
      keep(context, fresh);
      return { entry: fresh, stored: true };
    }
    return { entry: { ...entry, meta: outlined.outline.meta }, stored: false };
  }
  if (outlined.because === "response" && (await maySpeakFor(context, entry))) {
    if (request.request.method === "GET") withdraw(context, entry, requestTime);
    else parts.withdrawals.invalidate([{ address, soft: true }], request);
  }
  const headers = [...response.headers] as [string, string][];
  const meta = { ...entry.meta, headers, requestTime, responseTime: parts.platform.now() };
  return { entry: { ...entry, meta }, stored: false };
}

/**
 * The entry with new fields and the content that it has. Its content stays as old as it is: a purge reaches it however often
 * the origin, which may know no better, has confirmed it since. Null where it is another variant's content, which only the
 * shared store has and has under that variant.
 */
function withContentOf({ variant, meta, body }: Entry, outline: Outline): Entry | null {
  const contentTime = contentTimeOf(meta);
  const fresh = { ...outline, meta: { ...outline.meta, contentTime }, body };
  if (outline.variant === variant || !body.apart) return fresh;
  const { apart: _, ...own } = body;
  return isHere(body) ? { ...fresh, body: own } : null;
}

/**
 * Updates the GET's entry by the answer to a HEAD, or makes it stale where the two disagree (RFC 9111 §4.3.5). What is told to
 * somebody in particular says nothing of an entry that is for others.
 */
export async function applyHead(
  context: CacheContext,
  { headers }: Response,
  entry: Entry,
  requestTime: number,
): Promise<void> {
  const told = checkedByHead(headers, entry.meta, entry.body.size);
  if (told === "nothing" || !(await maySpeakFor(context, entry))) return;
  if (told === "stale") {
    const { parts, address, request } = context;
    return parts.withdrawals.invalidate([{ address, soft: true }], request);
  }
  const outlined = await outlineOf(asGet(context), freshened(entry.meta, headers), requestTime);
  if (outlined.kind !== "outline") return;
  const fresh = withContentOf(entry, outlined.outline);
  if (fresh) keep(context, fresh);
}

/** The same request as a GET: what the answer to a HEAD says holds for the GET's entry. */
export function asGet(context: CacheContext): CacheContext {
  const { request } = context;
  if (request.request.method === "GET") return context;
  return {
    ...context,
    request: { ...request, request: new Request(request.request, { method: "GET" }) },
  };
}
