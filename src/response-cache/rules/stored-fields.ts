import { CACHE_FIELDS } from "../../http/cache-fields.ts";
import { isForSenderAlone } from "../../http/credential-fields.ts";
import { isReservedResponseField } from "../../http/edge-fields.ts";
import { connectionOptions, isNeverStored } from "../../http/hop-by-hop.ts";
import { formatHttpDate, parseHttpDate } from "../../http/http-date.ts";
import { isQuotaField } from "../../http/quota-fields.ts";
import type { ResponseDirectives } from "./directives.ts";
import type { Scope } from "./scope-table.ts";

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
  const withheld = new Set(connectionOptions(headers, CACHE_FIELDS));
  if (typeof directives.noCache === "object") for (const name of directives.noCache) withheld.add(name);
  if (typeof directives.private === "object" && scope !== "caller") {
    for (const name of directives.private) withheld.add(name);
  }
  const fields = [...headers].filter(
    ([name]) => !withheld.has(name) && !isNeverStored(name) && !isForOne(name) && name !== "date",
  );
  const date = headers.get("date");
  const readable = date !== null && parseHttpDate(date, responseTime) !== null;
  return [...fields, ["date", readable ? date : formatHttpDate(responseTime)]];
}

/**
 * What is for the one who asked, and what an origin tells the edge of a session or a caller. §3.1 would store what is said of a quota; but
 * clients wait by it, and it is somebody else's (draft-ietf-httpapi-ratelimit-headers: from a cache it is to be ignored).
 */
function isForOne(name: string): boolean {
  return isForSenderAlone(name) || isReservedResponseField(name) || isQuotaField(name);
}
