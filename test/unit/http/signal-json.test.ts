import { expect, test } from "vitest";
import { signalJson, signalText } from "../../../src/http/signal-json.ts";

test.each<[text: string, value: unknown]>([
  ['{"a":1}', { a: 1 }],
  [' {"a":"\\u00e9"} ', { a: "é" }],
  ["null", null],
  ["bnVsbA", null],
  ["bnVsbA==", null],
  ["eyJhIjoiw6k_Pj8-In0", { a: "é?>?>" }],
  ["eyJhIjoiw6k/Pj8+In0=", { a: "é?>?>" }],
  ["12", 12],
  ["", undefined],
  ["not json", undefined],
  ["{", undefined],
])("%j is %j", (text, value) => {
  expect(signalJson(text)).toEqual(value);
});

const latin1 = (name: string) => btoa(`{"user_id":"${name}"}`);

test.each<[what: string, field: string]>([
  ["a field of bytes that the runtime could not decode", '{"user_id":"J\ufffdrg"}'],
  ["Latin-1 in base64", latin1("J\u00f6rg")],
  ["other Latin-1 in base64", latin1("J\u00e4rg")],
  ["a character beyond base64 in it", `${btoa("null")}!`],
  ["half a surrogate pair in UTF-8", btoa('"\u00ed\u00a0\u0080"')],
  ["base64 of no JSON", btoa("ada")],
])("%s is nobody's name", (_what, field) => {
  expect(signalText(field)).toBeUndefined();
  expect(signalJson(field)).toBeUndefined();
});

test("the text is as it was written", () => {
  expect(signalText(btoa('{"n":1.0, "user_id":"a"}'))).toBe('{"n":1.0, "user_id":"a"}');
});
