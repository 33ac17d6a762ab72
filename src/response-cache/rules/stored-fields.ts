import { formatHttpDate, parseHttpDate } from "../../http/http-date.ts";
import type { ResponseDirectives } from "./directives.ts";
import { fieldName, listMembers } from "./message.ts";
import { NEEDED_BY_THE_RULES } from "./needed-fields.ts";
import type { Scope } from "./scope-table.ts";

/** Fields of the connection (RFC 9110 §7.6.1) and of a proxy on the way (RFC 9111 §3.1): never stored. */
const OF_THE_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Fields for the one who asked: a cookie, and what an origin tells the edge about a session or a caller. */
const OF_THE_ASKER = ["set-cookie", "x-edge-session", "x-edge-caller"];

/**
 * The fields to store of a response: without those RFC 9111 §3.1 keeps out, those `Connection` names, and those that
 * `no-cache="…"` and, except in a store of the caller's own, `private="…"` withhold (§5.2.2.4, §5.2.2.7). A missing or
 * unreadable `Date` becomes the time of arrival (RFC 9110 §6.6.1).
 */
export function storedFields(
  headers: Headers,
  directives: ResponseDirectives,
  scope: Scope,
  responseTime: number,
): [string, string][] {
  const withheld = new Set([...OF_THE_HOP, ...OF_THE_ASKER, ...connectionOptions(headers)]);
  if (typeof directives.noCache === "object") for (const name of directives.noCache) withheld.add(name);
  if (typeof directives.private === "object" && scope !== "caller") {
    for (const name of directives.private) withheld.add(name);
  }
  const fields = [...headers].filter(([name]) => !withheld.has(name) && name !== "date");
  const date = headers.get("date");
  const readable = date !== null && parseHttpDate(date, responseTime) !== null;
  return [...fields, ["date", readable ? date : formatHttpDate(responseTime)]];
}

/** The fields that `Connection` names, without those that are nobody's to take away. */
export function connectionOptions(headers: Headers): string[] {
  return listMembers(headers.get("connection"))
    .map(fieldName)
    .filter((name) => name !== null && !NEEDED_BY_THE_RULES.has(name)) as string[];
}
