import { parseHttpDate } from "../../http/http-date.ts";
import { notes } from "../../runtime/noted.ts";
import { deltaSeconds } from "./cache-control.ts";
import { fieldsOf, type StoredResponse } from "./stored.ts";

/**
 * Seconds a response has spent on its way and in stores (RFC 9111 §4.2.3), with fractions: `Math.floor` it for `Age`.
 *
 * @param now milliseconds since the epoch.
 */
export function currentAge(stored: StoredResponse, now: number): number {
  const residentTime = Math.max(0, now - stored.responseTime) / 1000;
  return initialAge(stored) + residentTime;
}

/** It does not change, and each hit asks for it. */
const initialAges = notes<number>("initial age");

/** corrected_initial_age, in seconds: how old it was when it arrived. */
export function initialAge(stored: StoredResponse): number {
  const known = initialAges.of(stored);
  if (known !== undefined) return known;
  const age = correctedInitialAge(stored);
  initialAges.add(stored, age);
  return age;
}

function correctedInitialAge(stored: StoredResponse): number {
  const headers = fieldsOf(stored);
  const date = parseHttpDate(headers.get("date"), stored.responseTime) ?? stored.responseTime;
  // `Date` counts whole seconds, and so does the apparent age: a response is not older for arriving late in its second.
  const apparentAge = Math.max(0, Math.floor(stored.responseTime / 1000) - Math.floor(date / 1000));
  const responseDelay = Math.max(0, stored.responseTime - stored.requestTime) / 1000;
  return Math.max(apparentAge, ageValue(headers.get("age")) + responseDelay);
}

/** §5.1: of a list the first member counts; one that is not a number of seconds is ignored. */
function ageValue(field: string | null): number {
  return deltaSeconds(field?.split(",", 1)[0]?.trim() ?? null) ?? 0;
}
