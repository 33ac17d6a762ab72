import { currentAge } from "./age.ts";
import { MAX_SECONDS } from "./cache-control.ts";
import { headersOf, type StoredResponse } from "./stored.ts";

/**
 * The fields of a stored response as it is served without validation: its own, and an `Age` in place of the one it came
 * with (RFC 9111 §4, §5.1).
 *
 * @param now milliseconds since the epoch.
 */
export function servedFields(stored: StoredResponse, now: number): Headers {
  const headers = headersOf(stored);
  headers.set("age", String(Math.min(Math.floor(currentAge(stored, now)), MAX_SECONDS)));
  return headers;
}
