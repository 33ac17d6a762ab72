import { describe, expect, it } from "vitest";
import { originUrl } from "../../../src/origin/origin-url.ts";

describe("the origin's address", () => {
  const cases: [base: string, requested: string, expected: string][] = [
    ["https://api.example.com", "https://edge.example/v1/x?a=1&a=2", "https://api.example.com/v1/x?a=1&a=2"],
    ["https://api.example.com/base/", "https://edge.example/v1/x", "https://api.example.com/base/v1/x"],
    [
      "https://api.example.com",
      "https://edge.example//evil.example/x",
      "https://api.example.com//evil.example/x",
    ],
    [
      "https://api.example.com/base",
      "https://edge.example/@evil.example/x",
      "https://api.example.com/base/@evil.example/x",
    ],
    ["http://origin:8000", "https://edge.example/v1/x?", "http://origin:8000/v1/x?"],
    ["http://origin:8000", "https://edge.example/v1/a%20b", "http://origin:8000/v1/a%20b"],
  ];
  it.each(cases)("%s for %s is %s", (origin, requested, expected) => {
    expect(originUrl(new URL(origin), new URL(requested)).href).toBe(expected);
  });
});
