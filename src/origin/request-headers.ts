import type { CacheRule } from "../config/route.ts";
import { isWebSocketUpgrade } from "../http/hop-by-hop.ts";
import { maxForwards } from "../http/methods.ts";
import { traceFor } from "../http/traceparent.ts";
import { ForwardedFields } from "../request/forwarded-fields.ts";
import type { Platform } from "../runtime/platform.ts";

export interface OriginHeadersInput {
  method: string;
  headers: Headers;
  /** The rule that the cache reads the request by, or null. */
  cacheRule: Pick<CacheRule, "ignoreCookies"> | null;
  /** The URL of the client's request. */
  url: URL;
  /** The client's full address, not normalised. */
  clientAddress: string | null;
  requestId: string;
  /** Sent only where `identityTrusted`. */
  user: { id: string; tier: string | null } | null;
  tier: string | null;
  /** Whether the origin can authenticate the edge, by `ORIGIN_TOKEN` or a service binding. */
  identityTrusted: boolean;
  /** `ORIGIN_TOKEN`. */
  originToken: string | null;
  /** This edge's pseudonym in `Via`. */
  via: string;
  platform: Pick<Platform, "randomBytes">;
}

/** The header fields for the origin: the client's fields without the edge's own and hop-by-hop ones, and what the edge adds. */
export function originHeaders(input: OriginHeadersInput): Headers {
  const { url, user, tier, requestId, originToken, platform } = input;
  // On anything else the offer would cost the content.
  const websocket = isWebSocketUpgrade(input);
  const headers = new ForwardedFields(input.headers, input.cacheRule).toHeaders(input.cacheRule !== null);
  if (websocket) headers.set("upgrade", "websocket");
  const forwards = maxForwards(input);
  if (forwards !== null) headers.set("max-forwards", String(forwards - 1));

  if (input.identityTrusted && user) headers.set("x-user-id", headerSafe(user.id));
  if (input.identityTrusted && tier) headers.set("x-user-tier", headerSafe(tier));
  if (originToken) headers.set("x-edge-token", originToken);
  headers.set("x-request-id", requestId);
  if (input.clientAddress) headers.set("x-forwarded-for", input.clientAddress);
  headers.set("x-forwarded-proto", url.protocol.replace(":", ""));
  headers.set("x-forwarded-host", url.host);
  headers.append("via", `1.1 ${input.via}`);
  const { traceparent, continued } = traceFor(input.headers.get("traceparent"), platform);
  headers.set("traceparent", traceparent);
  if (!continued) headers.delete("tracestate");
  return headers;
}

/** Percent-encodes every character that is not visible ASCII, and `%`. */
function headerSafe(value: string): string {
  return value.replace(/[^\x21-\x24\x26-\x7e]/gu, (char) => encodeURIComponent(char));
}
