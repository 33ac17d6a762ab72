import { expect, it } from "vitest";
import { isNamedBy } from "../../../src/http/name-pattern.ts";

it.each<[string, string[], boolean]>([
  ["utm_source", ["utm_*"], true],
  ["utm_", ["utm_*"], true],
  ["utm", ["utm_*"], false],
  ["UTM_source", ["utm_*"], false],
  ["ref", ["ref"], true],
  ["refs", ["ref"], false],
  ["anything", ["*"], true],
  ["", ["*"], true],
  ["", ["a"], false],
  ["a", [], false],
  ["a.c", ["a*c"], false],
])("%j by %j: %s", (name, patterns, expected) => {
  expect(isNamedBy(name, patterns)).toBe(expected);
});
