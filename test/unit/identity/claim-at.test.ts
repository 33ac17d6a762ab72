import { expect, test } from "vitest";
import { claimAt } from "../../../src/identity/claim-at.ts";

test.each<[name: string, claims: unknown, value: unknown]>([
  ["tier", { tier: "gold" }, "gold"],
  ["https://example.com/tier", { "https://example.com/tier": "gold" }, "gold"],
  ["app.tier", { app: { tier: "gold" } }, "gold"],
  ["app.tier", { "app.tier": null, app: { tier: "gold" } }, null],
  ["a.b.c.d", { a: { b: { c: { d: 7 } } } }, 7],
  ["a.b.c", { "a.b": { c: "gold" }, a: { x: 1 } }, "gold"],
  ["a.b.c", { a: { x: 1 }, "a.b": { c: "gold" } }, "gold"],
  ["a..b", { a: { "": { b: "gold" } } }, "gold"],
  ["app.tier", { app: "gold" }, undefined],
  ["app.0", { app: ["gold"] }, undefined],
  ["app.length", { app: ["gold"] }, undefined],
  ["constructor.name", {}, undefined],
  ["__proto__.tier", {}, undefined],
  ["", {}, undefined],
  ["tier", null, undefined],
])("%j in %j is %j", (name, claims, value) => {
  expect(claimAt(claims, name)).toEqual(value);
});
