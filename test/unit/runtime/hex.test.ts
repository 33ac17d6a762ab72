import { expect, test } from "vitest";
import { hex } from "../../../src/runtime/hex.ts";

test.each<[number[], string]>([
  [[], ""],
  [[0], "00"],
  [[1, 15, 16, 255], "010f10ff"],
])("the bytes %j are %j", (bytes, expected) => {
  expect(hex(new Uint8Array(bytes))).toBe(expected);
});

test("where the runtime writes hex itself, it does", () => {
  const bytes = Object.assign(new Uint8Array([1]), { toHex: () => "of the runtime" });
  expect(hex(bytes)).toBe("of the runtime");
});
