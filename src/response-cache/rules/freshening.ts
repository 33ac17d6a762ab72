import type { ResponseFacts } from "./message.ts";
import { headersOf, type StoredResponse } from "./stored.ts";
import { connectionOptions } from "./stored-fields.ts";

/**
 * Not updated (RFC 9111 §3.2): what describes the bytes that are stored, which a 304 and a HEAD do not bring, and the
 * fields of the hop. The edge stores content decoded, so that its coding is not the origin's to change.
 */
const KEPT = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * The stored response with the fields of the 304 (or of the HEAD's 200) in place of its own: what is served, and what
 * goes through `storing` again, for the new fields may forbid it. `Age` and `Date` are always the new response's, since
 * its time of arrival is what the age counts from; `Set-Cookie` is in it for the one who asked, and is not stored.
 */
export function freshened(stored: StoredResponse, update: Headers): ResponseFacts {
  const headers = headersOf(stored);
  headers.delete("age");
  headers.delete("date");
  const kept = new Set([...KEPT, ...connectionOptions(update)]);
  for (const [name, value] of update) {
    if (kept.has(name)) continue;
    if (name === "set-cookie") headers.append(name, value);
    else headers.set(name, value);
  }
  return { status: stored.status, headers };
}
