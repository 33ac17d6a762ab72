import { expect, it } from "vitest";
import { asciiLowerCase, withoutBlanks } from "../../../src/http/blanks.ts";

it.each([
  [" \t a \t", "a"],
  ["a b", "a b"],
  ["\u00a0a", "\u00a0a"],
  ["a\u0085", "a\u0085"],
  ["\u2000a\u3000", "\u2000a\u3000"],
  ["\ufeffa", "\ufeffa"],
  ["\va\f", "\va\f"],
  ["a \t b \t", "a \t b"],
  ["", ""],
  [" \t", ""],
])("%j without blanks is %j", (text, expected) => {
  expect(withoutBlanks(text)).toBe(expected);
});

it.each([
  ["FR-ch", "fr-ch"],
  ["\u212a", "\u212a"],
  ["\u0130", "\u0130"],
  ["\u00c9", "\u00c9"],
])("%j in lower case is %j", (text, expected) => {
  expect(asciiLowerCase(text)).toBe(expected);
});
