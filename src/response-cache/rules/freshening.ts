import { CACHE_FIELDS } from "../../http/cache-fields.ts";
import { connectionOptions, isNeverStored } from "../../http/hop-by-hop.ts";
import type { ResponseFacts } from "./message.ts";
import { headersOf, type StoredResponse } from "./stored.ts";

/**
 * Not updated (RFC 9111 §3.2), beside the fields of the connection: what describes the bytes that are stored, which a 304
 * and a HEAD do not bring.
 */
const KEPT = ["content-encoding", "content-length", "content-range"];

/**
 * The stored response with the fields of the 304 (or of the HEAD's 200) in place of its own: what is served, and what
 * goes through `storing` again, for the new fields may forbid it. `Age` and `Date` are always the new response's, since
 * its time of arrival is what the age counts from; `Set-Cookie` is in it for the one who asked, and is not stored.
 */
export function freshened(stored: StoredResponse, update: Headers): ResponseFacts {
  const headers = headersOf(stored);
  headers.delete("age");
  headers.delete("date");
  const kept = new Set([...KEPT, ...connectionOptions(update, CACHE_FIELDS)]);
  for (const [name, value] of update) {
    if (kept.has(name) || isNeverStored(name)) continue;
    if (name === "set-cookie") headers.append(name, value);
    else headers.set(name, value);
  }
  return { status: stored.status, headers };
}
