import { expect, it } from "vitest";
import { canonicalJson } from "../../../src/runtime/canonical-json.ts";
import { DEEP, DEEP_JSON } from "../../support/deep-json.ts";

it.each<[string, string, boolean]>([
  ['{"a":1,"b":2}', '{"b":2,"a":1}', true],
  ['{"a":{"b":1,"c":[{"d":1,"e":2}]}}', '{"a":{"c":[{"e":2,"d":1}],"b":1}}', true],
  ['{"a":[1,2]}', '{"a":[2,1]}', false],
  ['{"a":"1"}', '{"a":1}', false],
  ['{"a":null}', "{}", false],
  ['{"2":1,"10":2,"a":3}', '{"a":3,"10":2,"2":1}', true],
  ['{"__proto__":{"a":1}}', "{}", false],
  ['{"__proto__":{"a":1,"b":2}}', '{"__proto__":{"b":2,"a":1}}', true],
  ["[]", "{}", false],
  ["[[],{}]", "[{},[]]", false],
  ["[[1],2]", "[1,[2]]", false],
  ['{"scope":"a b"}', '{"scope":"a"}', false],
  ['"\\u00e9"', '"é"', true],
  ['{"a":"},{"}', '{"a":"}","{":""}', false],
])("%s and %s are one text: %s", (one, other, same) => {
  expect(canonicalJson(JSON.parse(one)) === canonicalJson(JSON.parse(other))).toBe(same);
});

it.each(Object.entries(DEEP_JSON))("is made of %s at any depth", (_, json) => {
  expect(canonicalJson(JSON.parse(json(DEEP))) === json(DEEP)).toBe(true);
});

it("is made of a list of any length", () => {
  const json = `[${"1,".repeat(300_000)}1]`;
  expect(canonicalJson(JSON.parse(json)) === json).toBe(true);
});
