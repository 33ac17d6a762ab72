import { asciiLowerCase, withoutBlanks } from "../../http/blanks.ts";
import { isCoded } from "../../http/content.ts";
import { parseHttpDate } from "../../http/http-date.ts";
import { isPerRequestField } from "../../http/per-request-fields.ts";
import { fieldName, listMembers } from "./message.ts";
import { fieldsOf, type StoredResponse } from "./stored.ts";

/**
 * The selecting fields of a response (RFC 9110 §12.5.5): lower case, sorted, each once. `"*"` where no request can ever
 * match it (RFC 9111 §4.1), which is also what a member makes of it that is no field name, or one whose value the client
 * does not decide. What has a content coding was chosen by `Accept-Encoding`, also where the origin forgets to say so: a
 * client that did not name that coding may not be able to decode it. Likewise what pages of one origin may read was chosen by
 * `Origin`: the browser would keep it from the pages of another (Fetch, CORS protocol and HTTP caches).
 */
export function selectingFields(headers: Headers): string[] | "*" {
  const names = listMembers(headers.get("vary")).map(fieldName);
  // `-` stands for no selecting field where variants are stored.
  if (names.some((name) => name === null || name === "*" || name === "-" || isPerRequestField(name)))
    return "*";
  if (isCoded(headers)) names.push("accept-encoding");
  if ((headers.get("access-control-allow-origin") ?? "*") !== "*") names.push("origin");
  return [...new Set(names as string[])].sort();
}

/** By these a client says which form it wants, and not who it is (RFC 9110 §12.5). */
const NEGOTIATION = new Set(["accept", "accept-charset", "accept-encoding", "accept-language"]);

/**
 * Whether an answer that varies by these fields is for nobody in particular: then an origin may name it as the answer to
 * another request by its entity tag (RFC 9111 §4.3.1). By any other field it may be one reader's, and origins that make
 * their tags of a revision give the same one to all readers.
 */
export function isNegotiated(vary: readonly string[]): boolean {
  return vary.every((name) => NEGOTIATION.has(name));
}

/** Fields defined as lists, in which space around a comma means nothing (RFC 9110 §5.6.1). */
const LISTS = new Set(["accept", "accept-charset", "accept-encoding", "accept-language", "prefer"]);
/** Of those, the ones whose members have no case (RFC 9110 §12.5.2–§12.5.4). */
const WITHOUT_CASE = new Set(["accept-charset", "accept-encoding", "accept-language"]);

/**
 * What a request is among the variants of a URL: canonical JSON of the selecting fields and their normalised values
 * (RFC 9111 §4.1), null where a field is absent, which matches only where it is absent again. The order of a list's
 * members is kept. It may hold credentials (`Vary: Cookie`): callers hash it before it goes anywhere.
 */
export function variantKey(fields: readonly string[], headers: Pick<Headers, "get">): string {
  const names = [...new Set(fields)].sort();
  return JSON.stringify(names.map((name) => [name, normalised(name, headers.get(name))]));
}

/** The {@link variantKey} of one field: every look takes that of each field of its request. */
export function fieldKey(name: string, value: string | null): string {
  return JSON.stringify([[name, normalised(name, value)]]);
}

function normalised(name: string, value: string | null): string | null {
  if (value === null || !LISTS.has(name)) return value === null ? null : withoutBlanks(value);
  const cased = WITHOUT_CASE.has(name) ? asciiLowerCase(value) : value;
  return cased.includes('"') ? withoutBlanks(cased) : listMembers(cased).join(",");
}

/** Of the stored responses that match a request, the most recent by `Date`, then by arrival (RFC 9111 §4). */
export function mostRecent<Stored extends StoredResponse>(stored: readonly Stored[]): Stored | null {
  const dated = stored.map((each) => ({
    each,
    date: parseHttpDate(fieldsOf(each).get("date"), each.responseTime) ?? each.responseTime,
  }));
  dated.sort((one, other) => other.date - one.date || other.each.responseTime - one.each.responseTime);
  return dated[0]?.each ?? null;
}
