import { asciiLowerCase, withoutBlanks } from "../../http/blanks.ts";
import { CACHE_FIELDS } from "../../http/cache-fields.ts";
import { CONTENT_DIGESTS, policiesWithNonce } from "../../http/content.ts";
import { connectionOptions, isNeverStored } from "../../http/hop-by-hop.ts";
import { addVary } from "../../http/vary.ts";
import type { ResponseFacts } from "./message.ts";
import { headersOf, type StoredResponse } from "./stored.ts";

/** Media types that frameworks and servers put on an answer without content of their own accord: of the stored content they say nothing. */
const DEFAULT_TYPES: ReadonlySet<string> = new Set([
  "",
  "text/html",
  "text/plain",
  "application/octet-stream",
]);

/**
 * Not updated (RFC 9111 §3.2), beside the fields of the connection: what describes the bytes that are stored, which a 304
 * and a HEAD do not bring.
 */
const KEPT = ["content-encoding", "content-length", "content-range", ...CONTENT_DIGESTS];

/**
 * The stored response with the fields of the 304 (or of the HEAD's 200) in place of its own: what is served, and what
 * goes through `storing` again, for the new fields may forbid it. `Age` and `Date` are always the new response's, since
 * its time of arrival is what the age counts from; `Set-Cookie` is in it for the one who asked, and is not stored.
 *
 * Another media type counts unless it is one that frameworks put on any answer without content: a stored JSON that became a page by it
 * would run what is in it (§3.2 allows to leave it out). A weak tag stays weak: a strong one of a 304 is that of other bytes. What the
 * stored one varies by it varies by still: what compresses or negotiates content adds its name to `Vary` where there is content, and not
 * to a 304. A policy's nonce stays the one that the stored page has.
 */
export function freshened(stored: StoredResponse, update: Headers): ResponseFacts {
  const headers = headersOf(stored);
  const vary = headers.get("vary");
  headers.delete("age");
  headers.delete("date");
  const kept = new Set([...KEPT, ...connectionOptions(update, CACHE_FIELDS)]);
  const type = mediaType(update);
  if (type !== mediaType(headers) && DEFAULT_TYPES.has(type)) kept.add("content-type");
  const nonced = policiesWithNonce(headers);
  for (const name of policiesWithNonce(update)) if (nonced.includes(name)) kept.add(name);
  if (headers.get("etag") === `W/${update.get("etag")}`) kept.add("etag");
  for (const [name, value] of update) {
    if (kept.has(name) || isNeverStored(name)) continue;
    if (name === "set-cookie") headers.append(name, value);
    else headers.set(name, value);
  }
  if (vary !== null) addVary(headers, vary.split(",").map(withoutBlanks).filter(Boolean));
  return { status: stored.status, headers };
}

/** Without its parameters, in lower case (RFC 9110 §8.3.1). */
function mediaType(headers: Headers): string {
  const [type = ""] = (headers.get("content-type") ?? "").split(";", 1);
  return asciiLowerCase(withoutBlanks(type));
}
