import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import { keep, outlineOf } from "./fill.ts";
import { freshened } from "./rules/freshening.ts";
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
    const fresh = { ...outlined.outline, decoded: entry.decoded, body: entry.body };
    keep(context, fresh);
    return { entry: fresh, stored: true };
  }
  if (outlined.because === "response" && (await maySpeakFor(context, entry))) {
    if (request.request.method === "GET") withdraw(context, entry, requestTime);
    else parts.withdrawals.invalidate([{ address, soft: true }], request);
  }
  const headers = [...response.headers] as [string, string][];
  const meta = { ...entry.meta, headers, requestTime, responseTime: parts.platform.now() };
  return { entry: { ...entry, meta }, stored: false };
}

/** Updates the GET's entry by the answer to a HEAD, or makes it stale where the two disagree (RFC 9111 §4.3.5). */
export async function applyHead(
  context: CacheContext,
  { headers }: Response,
  entry: Entry,
  requestTime: number,
): Promise<void> {
  const length = entry.decoded ? null : entry.body.size;
  if (checkedByHead(headers, entry.meta, length) === "stale") {
    const { parts, address, request } = context;
    return parts.withdrawals.invalidate([{ address, soft: true }], request);
  }
  const outlined = await outlineOf(asGet(context), freshened(entry.meta, headers), requestTime);
  if (outlined.kind !== "outline") return;
  keep(context, { ...outlined.outline, decoded: entry.decoded, body: entry.body });
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
