import { expect, test } from "vitest";
import { formatHttpDate, parseHttpDate } from "../../../src/http/http-date.ts";
import { NOON } from "../../support/cache-samples.ts";

const SAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37);

test.each([
  ["Sun, 06 Nov 1994 08:49:37 GMT", SAMPLE],
  ["Sunday, 06-Nov-94 08:49:37 GMT", SAMPLE],
  ["Sun Nov  6 08:49:37 1994", SAMPLE],
  ["Saturday, 06-Nov-27 08:49:37 GMT", Date.UTC(2027, 10, 6, 8, 49, 37)],
  ["Friday, 06-Nov-77 08:49:37 GMT", Date.UTC(1977, 10, 6, 8, 49, 37)],
  ["Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2017, 0, 1)],
  ["SUN, 06 NOV 1994 08:49:37 gmt", SAMPLE],
  ["sunday, 06-nov-94 08:49:37 GMT", SAMPLE],
  ["sun nov  6 08:49:37 1994", SAMPLE],
])("%s is an HTTP-date, to a cache in any case (RFC 9110 §5.6.7, RFC 9111 §4.2)", (text, expected) => {
  expect(parseHttpDate(text, NOON)).toBe(expected);
});

test.each([
  "0",
  "-1",
  "",
  "Thu, 18 Aug 2050 02:01:18 UTC",
  "Thu, 18 Aug 2050 02:01:18",
  "Thu, 18 Aug 50 02:01:18 GMT",
  "Thu 18 Aug 2050 02:01:18 GMT",
  "Thu, 18  Aug  2050 02:01:18 GMT",
  "Thu, 18 Aug 2050 2:01:18 GMT",
  "Thu, 18 Aug 2050 02.01.18 GMT",
  "Thu, 31 Feb 2050 02:01:18 GMT",
  "Thu, 18 Xxx 2050 02:01:18 GMT",
  "Thu, 18 Aug 2050 25:01:18 GMT",
  "2050-08-18T02:01:18Z",
  "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT",
])("%j is none", (text) => {
  expect(parseHttpDate(text, NOON)).toBeNull();
});

test("what is written is read back", () => {
  expect(parseHttpDate(formatHttpDate(SAMPLE), NOON)).toBe(SAMPLE);
  expect(parseHttpDate(null, NOON)).toBeNull();
});
