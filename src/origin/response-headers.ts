import { CACHE_FIELDS } from "../http/cache-fields.ts";
import { withoutForeignDomain, withPath } from "../http/cookies.ts";
import { CALLER_SIGNAL_FIELD, isReservedResponseField, SESSION_SIGNAL_FIELD } from "../http/edge-fields.ts";
import { dropHopByHop, isServersOwn } from "../http/hop-by-hop.ts";
import { reasonPhrase } from "../http/mutable-response.ts";
import {
  type Addresses,
  edgeAddress,
  edgeChallenge,
  edgeCookiePath,
  edgeLinks,
  edgeRefresh,
  edgeStrings,
} from "./edge-address.ts";

/** Fields that stay even if `Connection` names them: without them a cache would store or reuse the response wrongly. */
const NEEDED_BY_CACHES: ReadonlySet<string> = new Set([...CACHE_FIELDS, "set-cookie"]);

/** What the origin tells the edge with a response, taken out of it. */
export interface OriginSignals {
  /** `X-Edge-Session`. */
  session?: string;
  /** `X-Edge-Caller`. */
  caller?: string;
}

export interface CleanOptions extends Addresses {
  /** In place of the response's own body. */
  body?: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null;
}

/**
 * A response as the client may see it: without hop-by-hop fields and the edge's signals, and with addresses of the
 * origin's host turned into the edge's. The body is passed on, never read. A switch to a WebSocket carries no signals: it
 * neither starts a session nor says whose a key is.
 */
export function cleanResponse(
  response: Response,
  { body: content = response.body, ...addresses }: CleanOptions,
): { response: Response; signals: OriginSignals } {
  const { status, webSocket } = response;
  const statusText = reasonPhrase(response.statusText);
  if (status === 101) {
    const headers = new Headers(response.headers);
    cleanFields(headers, addresses);
    // The runtime answers the client's own handshake itself. There is no content either (RFC 9110 §15.2): where an API says that it is
    // coded, proxies on the way refuse the connection.
    for (const name of ["sec-websocket-accept", "content-encoding", "content-type"]) headers.delete(name);
    return { response: new Response(null, { status, statusText, headers, webSocket }), signals: {} };
  }
  const body = WITHOUT_CONTENT.has(status) ? null : content;
  // The constructor copies the fields; those of the copy can be changed.
  const cleaned = new Response(body, {
    status,
    statusText,
    headers: response.headers,
    // It is in its content coding already.
    encodeBody: "manual",
  });
  return { response: cleaned, signals: cleanFields(cleaned.headers, addresses) };
}

const isNotForClients = (name: string) => isReservedResponseField(name) || isServersOwn(name);

function cleanFields(headers: Headers, addresses: Addresses): OriginSignals {
  const session = headers.get(SESSION_SIGNAL_FIELD);
  const caller = headers.get(CALLER_SIGNAL_FIELD);
  const left = dropHopByHop(headers, { endToEnd: NEEDED_BY_CACHES, drops: isNotForClients });
  for (const [name, rewritten] of ADDRESS_FIELDS)
    if (left.has(name)) rewrite(headers, name, rewritten, addresses);
  if (left.has("set-cookie")) rewriteCookies(headers, addresses);
  return { ...(session !== null && { session }), ...(caller !== null && { caller }) };
}

/** Fields that hold addresses, each with what makes them the edge's. */
const ADDRESS_FIELDS: readonly (readonly [name: string, rewritten: typeof edgeAddress])[] = [
  ["location", edgeAddress],
  ["content-location", edgeAddress],
  ["refresh", edgeRefresh],
  ["link", edgeLinks],
  // RFC 9728 §5.1.
  ["www-authenticate", edgeChallenge],
  // Where a client asks how far it is, and where a browser looks for a source map, for a service worker's scope, and so on.
  ["operation-location", edgeAddress],
  ["azure-asyncoperation", edgeAddress],
  ["sourcemap", edgeAddress],
  ["x-sourcemap", edgeAddress],
  ["service-worker-allowed", edgeAddress],
  ["reporting-endpoints", edgeStrings],
  ["report-to", edgeStrings],
  ["speculation-rules", edgeStrings],
  // Where the scripts of a page take their reader: htmx, Inertia, Turbo.
  ["hx-redirect", edgeAddress],
  ["hx-location", edgeAddress],
  ["hx-push-url", edgeAddress],
  ["hx-replace-url", edgeAddress],
  ["x-inertia-location", edgeAddress],
  ["turbo-location", edgeAddress],
];

/** A field that is right as it is keeps its bytes: those that are no UTF-8 would be lost on their way through a string. */
function rewrite(headers: Headers, name: string, rewritten: typeof edgeAddress, addresses: Addresses): void {
  const value = headers.get(name) ?? "";
  const changed = rewritten(value, addresses);
  if (changed !== value) headers.set(name, changed);
}

/** Statuses without a body. The constructor of Response throws for a body with one of these (Fetch §2.2.3). */
export const WITHOUT_CONTENT: ReadonlySet<number> = new Set([204, 205, 304]);

/** Cookies as the browser, which talks to the edge's host, can take them and will send them back. */
function rewriteCookies(headers: Headers, addresses: Addresses): void {
  const cookies = headers.getSetCookie();
  const rewritten = cookies.map((cookie) => {
    const local = withoutForeignDomain(cookie, addresses.edgeUrl.hostname);
    return withPath(local, (path) => edgeCookiePath(path, addresses));
  });
  // As with the addresses: what is right keeps its bytes.
  if (rewritten.every((cookie, index) => cookie === cookies[index])) return;
  headers.delete("set-cookie");
  for (const cookie of rewritten) headers.append("set-cookie", cookie);
}
