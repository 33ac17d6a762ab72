import { bearerBegins } from "../http/bearer.ts";
import { isReservedRequestField } from "../http/edge-fields.ts";
import { dropHopByHop, isWebSocketUpgrade } from "../http/hop-by-hop.ts";
import { traceparent } from "../http/traceparent.ts";
import { cookiesForOrigin } from "../identity/session-cookie.ts";
import { SESSION_TOKEN_PREFIX } from "../identity/session-token.ts";
import type { Platform } from "../runtime/platform.ts";

export interface OriginHeadersInput {
  method: string;
  headers: Headers;
  /** The address the client used, with the edge's scheme and host. */
  url: URL;
  /** The client's address, whole: the origin needs it as it is. */
  clientAddress: string | null;
  requestId: string;
  /** Sent only when the origin can tell the edge from anybody else. */
  user: { id: string; tier: string | null } | null;
  tier: string | null;
  identityTrusted: boolean;
  /** `ORIGIN_TOKEN`. */
  originToken: string | null;
  /** This edge's name in `Via`. */
  via: string;
  platform: Pick<Platform, "randomBytes">;
}

/** What the origin is sent of a request's headers, and what the edge adds. */
export function originHeaders(input: OriginHeadersInput): Headers {
  const { url, user, tier, requestId, originToken, platform } = input;
  const headers = new Headers(input.headers);
  // Only a GET can become a WebSocket (RFC 6455 §4.1); on anything else the offer would cost the content.
  const websocket = input.method === "GET" && isWebSocketUpgrade(headers);
  dropHopByHop(headers);
  // Whoever took the request has answered it (RFC 9110 §10.1.1): an origin's 100 would be taken for its answer.
  headers.delete("expect");
  if (websocket) headers.set("upgrade", "websocket");
  for (const name of [...headers.keys()]) if (isReservedRequestField(name)) headers.delete(name);
  dropSessionCredential(headers);

  if (input.identityTrusted && user) headers.set("x-user-id", headerSafe(user.id));
  if (input.identityTrusted && tier) headers.set("x-user-tier", headerSafe(tier));
  if (originToken) headers.set("x-edge-token", originToken);
  headers.set("x-request-id", requestId);
  if (input.clientAddress) headers.set("x-forwarded-for", input.clientAddress);
  headers.set("x-forwarded-proto", url.protocol.replace(":", ""));
  headers.set("x-forwarded-host", url.host);
  headers.append("via", `1.1 ${input.via}`);
  headers.set("traceparent", traceparent(input.headers.get("traceparent"), platform));
  return headers;
}

/** The edge's session token is between the client and the edge; the client's other cookies are not. */
function dropSessionCredential(headers: Headers): void {
  if (bearerBegins(headers.get("authorization"), SESSION_TOKEN_PREFIX)) headers.delete("authorization");
  const cookie = headers.get("cookie");
  if (cookie === null) return;
  const kept = cookiesForOrigin(cookie);
  if (kept.length > 0) headers.set("cookie", kept.join("; "));
  else headers.delete("cookie");
}

/** Header values are bytes: whatever is not visible ASCII travels percent-encoded. */
function headerSafe(value: string): string {
  return value.replace(/[^\x21-\x24\x26-\x7e]/gu, (char) => encodeURIComponent(char));
}
