import { CACHE_FIELDS } from "../http/cache-fields.ts";
import { withoutDomain } from "../http/cookies.ts";
import { CALLER_SIGNAL_FIELD, isReservedResponseField, SESSION_SIGNAL_FIELD } from "../http/edge-fields.ts";
import { dropHopByHop } from "../http/hop-by-hop.ts";
import { reasonPhrase } from "../http/mutable-response.ts";

/** Without them a cache, this one or a browser's, would reuse a response as if it had said nothing. */
const NEEDED_BY_CACHES: ReadonlySet<string> = new Set([...CACHE_FIELDS, "set-cookie"]);

export interface CleanResponseOptions {
  /** The address the origin was asked at. */
  originUrl: URL;
  /** The edge's own scheme and host, as the client wrote them. */
  edgeUrl: URL;
  /** The base path of `ORIGIN_URL`, which the client does not know. */
  basePath: string;
}

/** What the origin tells the edge with a response, taken out of it. */
export interface OriginSignals {
  /** `X-Edge-Session`. */
  session?: string;
  /** `X-Edge-Caller`. */
  caller?: string;
}

/**
 * A response as the client may see it: without hop-by-hop fields and the edge's signals, and with addresses of the
 * origin's host turned into the edge's. The body is passed on, never read. A switch to a WebSocket carries no signals: it
 * neither starts a session nor says whose a key is.
 */
export function cleanResponse(
  response: Response,
  options: CleanResponseOptions,
): { response: Response; signals: OriginSignals } {
  const headers = new Headers(response.headers);
  const session = headers.get(SESSION_SIGNAL_FIELD);
  const caller = headers.get(CALLER_SIGNAL_FIELD);
  for (const name of [...headers.keys()]) if (isReservedResponseField(name)) headers.delete(name);
  dropHopByHop(headers, NEEDED_BY_CACHES);
  for (const name of ["location", "content-location"]) {
    const value = headers.get(name);
    if (value !== null) headers.set(name, edgeAddress(value, options));
  }
  rewriteCookies(headers, options);
  const { status } = response;
  const statusText = reasonPhrase(response.statusText);
  if (status === 101) {
    // The runtime answers the client's own handshake itself.
    headers.delete("sec-websocket-accept");
    const { webSocket } = response;
    return { response: new Response(null, { status, statusText, headers, webSocket }), signals: {} };
  }
  const body = WITHOUT_CONTENT.has(status) ? null : response.body;
  return {
    response: new Response(body, { status, statusText, headers }),
    signals: { ...(session !== null && { session }), ...(caller !== null && { caller }) },
  };
}

/** No Response can be made with one of these and a body (Fetch §2.2.3), and an origin may send one all the same. */
const WITHOUT_CONTENT: ReadonlySet<number> = new Set([204, 205, 304]);

/** An absolute address of the origin's host becomes one of the edge; anything else stays as it is. */
function edgeAddress(value: string, { originUrl, edgeUrl, basePath }: CleanResponseOptions): string {
  const networkPath = value.startsWith("//");
  if (!networkPath && !/^https?:/i.test(value)) {
    // A path of the origin's: the base path is the edge's secret.
    return basePath !== "" && value.startsWith(`${basePath}/`) ? value.slice(basePath.length) : value;
  }
  if (!URL.canParse(value, originUrl)) return value;
  const url = new URL(value, originUrl);
  if (url.host !== originUrl.host) return value;
  const path =
    basePath !== "" && url.pathname.startsWith(`${basePath}/`)
      ? url.pathname.slice(basePath.length)
      : url.pathname;
  return `${edgeUrl.origin}${path}${url.search}${url.hash}`;
}

/** A cookie for the origin's host would be refused by the browser, which talks to the edge's. */
function rewriteCookies(headers: Headers, { originUrl }: CleanResponseOptions): void {
  const cookies = headers.getSetCookie();
  if (cookies.length === 0) return;
  headers.delete("set-cookie");
  const isOrigins = (domain: string) =>
    domain === originUrl.hostname || originUrl.hostname.endsWith(`.${domain}`);
  for (const cookie of cookies) headers.append("set-cookie", withoutDomain(cookie, isOrigins));
}
