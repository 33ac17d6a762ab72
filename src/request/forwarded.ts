import type { CacheRule, Route } from "../config/route.ts";
import { ForwardedFields } from "./forwarded-fields.ts";
import { forwardedUrl } from "./forwarded-url.ts";

/** What of a request goes on to the origin. The key of what is stored is read from it alone, but for credentials (law 8). */
export interface ForwardedRequest {
  readonly url: URL;
  readonly fields: ForwardedFields;
  /** The rule that the cache reads the request by; null where it does not: such a request goes on as it came. */
  readonly rule: CacheRule | null;
}

export interface ForwardingOptions {
  /** The cache takes part. */
  cached: boolean;
  /** The origin is the app's own handlers, behind a middleware: they are given the session's token too. */
  toHandlers: boolean;
}

export function forwardedRequest(
  { request, url }: { request: Pick<Request, "method" | "headers">; url: URL },
  { cache, rawPath }: Pick<Route, "cache" | "rawPath">,
  { cached, toHandlers }: ForwardingOptions,
): ForwardedRequest {
  const isRead = request.method === "GET" || request.method === "HEAD";
  const rule = cached && isRead ? cache : null;
  return {
    url: rule ? forwardedUrl(url, rule, rawPath) : url,
    fields: new ForwardedFields(request.headers, rule, toHandlers),
    rule,
  };
}
