import { expect, it } from "vitest";
import { remembered } from "../../../src/runtime/remembered.ts";

function counting() {
  const computed: string[] = [];
  const lengthOf = remembered((text) => {
    computed.push(text);
    return text.length;
  });
  return { computed, lengthOf };
}

it("computes a text once", () => {
  const { computed, lengthOf } = counting();
  expect([lengthOf("a"), lengthOf("bb"), lengthOf("a"), lengthOf("")]).toEqual([1, 2, 1, 0]);
  expect([lengthOf("a"), lengthOf("")]).toEqual([1, 0]);
  expect(computed).toEqual(["a", "bb", ""]);
});

it.each([false, null, 0, ""])("remembers %j too", (value) => {
  let calls = 0;
  const same = remembered(() => {
    calls += 1;
    return value;
  });
  expect([same("a"), same("a")]).toEqual([value, value]);
  expect(calls).toBe(1);
});

it("does not remember long texts", () => {
  const { computed, lengthOf } = counting();
  const [longest, longer] = ["x".repeat(128), "x".repeat(129)];
  for (const text of [longest, longest, longer, longer]) lengthOf(text);
  expect(computed).toEqual([longest, longer, longer]);
});

it("stays within 1000 entries, and right, whatever is asked", () => {
  const { computed, lengthOf } = counting();
  lengthOf("first");
  for (let n = 0; n < 999; n += 1) lengthOf(`x${n}`);
  lengthOf("first");
  expect(computed.filter((text) => text === "first")).toHaveLength(1);
  for (let n = 0; n < 5000; n += 1) expect(lengthOf(`y${n}`)).toBe(`y${n}`.length);
  lengthOf("first");
  expect(computed.filter((text) => text === "first")).toHaveLength(2);
});
