import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import { keep, outlineOf } from "./fill.ts";
import { freshened } from "./rules/freshening.ts";
import { checkedByHead } from "./rules/validation.ts";

/**
 * The stored entry with a validation's fields; `stored: false` where these forbid to keep it, and it leaves, here and in
 * Redis (RFC 9111 §4.3.4: it would be served on as if they had not been said). A HEAD's 304 speaks of it as well. Where
 * the client wants nothing of this stored (§5.2.1.5), what is there stays as it was.
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
  if (outlined.because === "response") {
    parts.memory.drop(address);
    parts.withdrawals.invalidate([{ address, soft: false }], request);
  }
  const headers = [...response.headers] as [string, string][];
  const meta = { ...entry.meta, headers, requestTime, responseTime: parts.platform.now() };
  return { entry: { ...entry, meta }, stored: false };
}

/** RFC 9111 §4.3.5: the answer to a HEAD speaks of the GET's entry too. */
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

/** What is said of a HEAD's representation is said of a GET's. */
export function asGet(context: CacheContext): CacheContext {
  const { request } = context;
  if (request.request.method === "GET") return context;
  return {
    ...context,
    request: { ...request, request: new Request(request.request, { method: "GET" }) },
  };
}
