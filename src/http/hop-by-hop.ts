import { asciiLowerCase, withoutBlanks } from "./blanks.ts";
import { isFieldName } from "./field-name.ts";

/** Fields that belong to one connection (RFC 9110 §7.6.1), whatever `Connection` says. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** A proxy's answer about its own authentication: end to end by name, and never to be stored (RFC 9111 §3.1). */
const OF_A_PROXY = "proxy-authentication-info";

/** Whether a field, in lower case, belongs to one connection. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

/** Whether a response field, in lower case, is the connection's or a proxy's: such fields are never stored. */
export function isNeverStored(name: string): boolean {
  return HOP_BY_HOP.has(name) || name === OF_A_PROXY;
}

/**
 * The fields that `Connection` names, in lower case, without what is no field name.
 *
 * @param endToEnd names that `Connection` cannot take away: it must not name a field meant for everybody (§7.6.1).
 */
export function connectionOptions(headers: Headers, endToEnd: ReadonlySet<string> = new Set()): string[] {
  const named = (headers.get("connection") ?? "")
    .split(",")
    .map((name) => asciiLowerCase(withoutBlanks(name)));
  return named.filter((name) => isFieldName(name) && !endToEnd.has(name));
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
  const named = names.has("connection") ? connectionOptions(headers, endToEnd) : [];
  for (const name of names) {
    if (!HOP_BY_HOP.has(name) && !named.includes(name) && !drops?.(name)) continue;
    headers.delete(name);
    names.delete(name);
  }
  return names;
}

/** Whether a request asks for a WebSocket (RFC 6455 §4.1). */
export function isWebSocketUpgrade(headers: Headers): boolean {
  return headers.get("upgrade")?.trim().toLowerCase() === "websocket";
}
