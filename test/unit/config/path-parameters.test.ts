import { describe, expect, it, test } from "vitest";
import { fill, parameterNames, parametersIn, placesIn } from "../../../src/config/path-parameters.ts";

test.each([
  ["/v1/items/:id", ["id"]],
  ["/v1/:kind/:id{[0-9]+}", ["kind", "id"]],
  ["/v1/:id{a/b}/x", ["id"]],
  ["/a/:b?", ["b"]],
  ["/v1/*", []],
])("the parameters of %s", (pattern, names) => {
  expect(parameterNames(pattern)).toEqual(names);
});

test.each<[pattern: string, path: string, values: Record<string, string>]>([
  ["/v1/items/:id", "/v1/items/42", { id: "42" }],
  ["/v1/:kind/:id{[0-9]+}", "/v1/items/42", { kind: "items", id: "42" }],
  ["/v1/items/:id", "/V1/Items/42/", { id: "42" }],
  ["/v1/items/:id/*", "/v1/items/42/comments/7", { id: "42" }],
  ["/a/:b?", "/a/x", { b: "x" }],
  ["/a/:b?", "/a", {}],
  ["/v1/items/:id", "/elsewhere", {}],
  ["/v1/*", "/v1/x", {}],
])("%s matches %s", (pattern, path, values) => {
  expect({ ...parametersIn(pattern, path) }).toEqual(values);
});

describe("a template", () => {
  it.each([
    ["items", "items", null],
    ["item:{id}", "item:42", "item:"],
    ["{id}", "42", ""],
    ["{kind}:{id}:x", "items:42:x", ""],
    ["item:{missing}", "item:", "item:"],
  ])("%s", (template, text, family) => {
    expect(fill(template, { id: "42", kind: "items" })).toEqual({ text, family });
  });

  it("is filled with a value as it is, whatever signs it has", () => {
    expect(fill("item:{id}", { id: "$&{id}" }).text).toBe("item:$&{id}");
  });

  it("names its places", () => {
    expect(placesIn("{kind}:{id}:x")).toEqual(["kind", "id"]);
  });
});
