import { expect, test } from "vitest";
import { signalJson } from "../../../src/http/signal-json.ts";

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
