import { headersFrom } from "../../http/headers-from.ts";
import { remembered } from "../../runtime/remembered.ts";
import { fieldName } from "./message.ts";

/** What is known of a stored response, apart from its body. Plain JSON: the entry codec writes it as it is. */
export interface StoredResponse {
  status: number;
  /** Lower-case names; what RFC 9111 §3.1 keeps out is not in it, and there is always a `date`. */
  headers: [name: string, value: string][];
  /** Milliseconds since the epoch at which the request that brought it was sent to the origin. */
  requestTime: number;
  /** The same of the request that brought its content, where that is another: a 304 or a HEAD has confirmed it since. */
  contentTime?: number;
  /** Milliseconds since the epoch at which its header section arrived. */
  responseTime: number;
  /** The selecting fields (`Vary`): lower case, sorted, each once. */
  vary: string[];
  /** The request that brought it carried credentials. */
  credentials: boolean;
}

/** Milliseconds since the epoch at which the request that brought the content was sent. */
export function contentTimeOf({ contentTime, requestTime }: StoredResponse): number {
  return contentTime ?? requestTime;
}

/** The part of `Headers` that reading takes. */
export type Fields = Pick<Headers, "get" | "has">;

/** One stored field, or null. */
export function fieldOf({ headers }: StoredResponse, name: string): string | null {
  for (const field of headers) if (field[0] === name) return field[1];
  return null;
}

/** The stored fields to read, without the cost of a `Headers` object: every hit is checked by them. */
export function fieldsOf({ headers }: StoredResponse): Fields {
  const find = (name: string) => headers.find((field) => field[0] === name);
  return { get: (name) => find(name)?.[1] ?? null, has: (name) => find(name) !== undefined };
}

/** The stored fields as `Headers`, a new object each time: to serve, or to change. */
export function headersOf(stored: StoredResponse): Headers {
  return headersFrom(stored.headers);
}

/** Fields whose values most answers of an API have in common. */
const COMMON_FIELDS: ReadonlySet<string> = new Set([
  "accept-ranges",
  "access-control-allow-origin",
  "cache-control",
  "content-encoding",
  "content-language",
  "content-type",
  "referrer-policy",
  "server",
  "strict-transport-security",
  "vary",
  "x-content-type-options",
  "x-frame-options",
]);

const once = remembered((text) => text);

/**
 * Puts one text in place of equal ones, in names and in values that answers have in common. Each answer comes with texts of its own, and
 * an isolate that holds 10,000 of them would wait for each text's memory at every hit.
 */
export function shareTexts({ headers }: StoredResponse): void {
  for (const field of headers) {
    field[0] = once(field[0]);
    if (COMMON_FIELDS.has(field[0])) field[1] = once(field[1]);
  }
}

/** Whether a value read back from a store is a stored response: anything else there is a miss. */
export function isStoredResponse(value: unknown): value is StoredResponse {
  if (typeof value !== "object" || value === null) return false;
  const { status, headers, requestTime, contentTime, responseTime, vary, credentials } = value as Record<
    string,
    unknown
  >;
  return (
    typeof status === "number" &&
    Number.isInteger(status) &&
    status >= 200 &&
    status <= 599 &&
    Array.isArray(headers) &&
    headers.every(isField) &&
    Number.isFinite(requestTime) &&
    (contentTime === undefined || Number.isFinite(contentTime)) &&
    Number.isFinite(responseTime) &&
    Array.isArray(vary) &&
    vary.every((name) => typeof name === "string" && isName(name)) &&
    typeof credentials === "boolean"
  );
}

/** Nothing that would end the field. Above U+00FF there is U+FFFD, which the platform makes of bytes that are no ASCII. */
const VALUE = /^[^\0\r\n]*$/;

/** The names of fields come again with every entry that is read from the shared store. */
const isName = remembered((name) => fieldName(name) === name);

function isField(field: unknown): boolean {
  return (
    Array.isArray(field) &&
    field.length === 2 &&
    typeof field[0] === "string" &&
    typeof field[1] === "string" &&
    isName(field[0]) &&
    VALUE.test(field[1])
  );
}
