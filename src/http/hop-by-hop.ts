import { asciiLowerCase, withoutBlanks } from "./blanks.ts";
import { isFieldName } from "./field-name.ts";

/** Fields that belong to one connection (RFC 9110 §7.6.1), whatever `Connection` says. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  // RFC 7838 §5: the alternative service that this connection uses; RFC 9113 §3.1: how it was to become HTTP/2.
  "alt-used",
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Fields by which a server speaks of its own connections, or to the proxy right before it. From the edge they would say the
 * same of the edge's host, or mean nothing.
 */
const OF_THE_SERVER: ReadonlySet<string> = new Set([
  // RFC 7838 §3: clients would go around the edge for a year, or to a port that is not there.
  "alt-svc",
  // RFC 7469 §2.1, RFC 9163 §2.1: of the certificate, and the edge has another.
  "expect-ct",
  "public-key-pins",
  "public-key-pins-report-only",
  // W3C Network Error Logging §4: hosting platforms add it, and would be sent the failures of the edge's clients.
  "nel",
  // RFC 9110 §11.7.3: of one proxy and its client.
  "proxy-authentication-info",
  // Orders to the nginx or Apache in front, with paths of its file system.
  "x-accel-redirect",
  "x-sendfile",
]);

/** Whether a field, in lower case, belongs to one connection. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

/** Whether a response field, in lower case, is the server's own, for whoever is connected to it. */
export function isServersOwn(name: string): boolean {
  return OF_THE_SERVER.has(name);
}

/** Whether a response field, in lower case, is the connection's or the server's own: such fields are never stored. */
export function isNeverStored(name: string): boolean {
  return HOP_BY_HOP.has(name) || OF_THE_SERVER.has(name);
}

/**
 * The fields that `Connection` names, in lower case, without what is no field name.
 *
 * @param endToEnd names that `Connection` cannot take away: it must not name a field meant for everybody (§7.6.1).
 */
export function connectionOptions(headers: Headers, endToEnd?: ReadonlySet<string>): string[] {
  const value = headers.get("connection");
  if (value === null) return [];
  const named = value.split(",").map((name) => asciiLowerCase(withoutBlanks(name)));
  return named.filter((name) => isFieldName(name) && !endToEnd?.has(name));
}

/**
 * Removes the fields of the connection, and those that `Connection` names: workerd does neither.
 *
 * @param options.endToEnd See {@link connectionOptions}.
 * @param options.drops Whether a field, in lower case, is to go as well. One pass over the fields costs less than a deletion
 *   for each that might be there.
 * @returns the names of the fields that are left, in lower case.
 */
export function dropHopByHop(
  headers: Headers,
  { endToEnd, drops }: { endToEnd?: ReadonlySet<string>; drops?(name: string): boolean } = {},
): Set<string> {
  const names = new Set(headers.keys());
  const named = names.has("connection") ? new Set(connectionOptions(headers, endToEnd)) : null;
  for (const name of names) {
    if (!HOP_BY_HOP.has(name) && !named?.has(name) && !drops?.(name)) continue;
    headers.delete(name);
    names.delete(name);
  }
  return names;
}

/**
 * Whether a request asks for a WebSocket: only a GET can (RFC 6455 §4.1). Any other `Upgrade`, such as curl's for HTTP/2, may be
 * ignored (RFC 9110 §7.8), and is.
 */
export function isWebSocketUpgrade({ method, headers }: Pick<Request, "method" | "headers">): boolean {
  return method === "GET" && headers.get("upgrade")?.trim().toLowerCase() === "websocket";
}
