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
  const headers = new Headers(input.headers);
  // Only a GET can become a WebSocket (RFC 6455 §4.1); on anything else the offer would cost the content.
  const websocket = input.method === "GET" && isWebSocketUpgrade(headers);
  // The server in front has answered `Expect` already (RFC 9110 §10.1.1). The runtime would treat a 100 as the answer.
  dropHopByHop(headers, { drops: (name) => name === "expect" || isReservedRequestField(name) });
  if (websocket) headers.set("upgrade", "websocket");
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

/** Deletes the edge's session token. The origin gets the client's other cookies. */
function dropSessionCredential(headers: Headers): void {
  if (bearerBegins(headers.get("authorization"), SESSION_TOKEN_PREFIX)) headers.delete("authorization");
  const cookie = headers.get("cookie");
  if (cookie === null) return;
  const kept = cookiesForOrigin(cookie);
  if (kept.length > 0) headers.set("cookie", kept.join("; "));
  else headers.delete("cookie");
}

/** Percent-encodes every character that is not visible ASCII, and `%`. */
function headerSafe(value: string): string {
  return value.replace(/[^\x21-\x24\x26-\x7e]/gu, (char) => encodeURIComponent(char));
}
