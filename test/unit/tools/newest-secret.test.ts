import { expect, it } from "vitest";
import { newestSecret } from "../../../src/tools/newest-secret.ts";

it.each([
  ["a,b", "a"],
  ['"a,b"', "a"],
  [' "a" , b\n', "a"],
  ["\ufeffa\u200b", "a"],
  ["", undefined],
  ['""', undefined],
  [undefined, undefined],
])("of SERVICE_TOKEN=%j the first is %j, as the edge reads it", (text, first) => {
  expect(newestSecret(text)).toBe(first);
});
