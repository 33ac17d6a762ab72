import { currentAge } from "./age.ts";
import { MAX_SECONDS } from "./cache-control.ts";
import type { StoredResponse } from "./stored.ts";

/**
 * The fields of a stored response as it is served without validation: its own, and an `Age` in place of the one it came
 * with (RFC 9111 §4, §5.1).
 *
 * @param now milliseconds since the epoch.
 */
export function servedFields(stored: StoredResponse, now: number): Headers {
  const headers = new Headers();
  setServedFields(headers, stored, now);
  return headers;
}

/** Sets the same in a response that has no fields: a `Headers` of their own would only be copied. */
export function setServedFields(headers: Headers, stored: StoredResponse, now: number): void {
  for (const [name, value] of stored.headers) headers.append(name, value);
  headers.set("age", String(Math.min(Math.floor(currentAge(stored, now)), MAX_SECONDS)));
}
