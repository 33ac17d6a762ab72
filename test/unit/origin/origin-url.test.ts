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
    ["https://api.example.com/a//", "https://edge.example//b", "https://api.example.com/a//b"],
    ["https://api.example.com/a", "https://edge.example/", "https://api.example.com/a/"],
    ["https://api.example.com", "https://edge.example/x#y?z", "https://api.example.com/x"],
    ["https://api.example.com", "https://edge.example/x?y#z", "https://api.example.com/x?y"],
    ["https://api.example.com", "https://edge.example/x??#", "https://api.example.com/x??"],
    ["https://api.example.com", "https://edge.example/:8080/@x", "https://api.example.com/:8080/@x"],
    ["https://api.example.com", "https://edge.example/a/%2e%2e/b\\c", "https://api.example.com/b/c"],
    ["https://[::1]:8443/a%2Fb", "https://edge.example/c;d=e", "https://[::1]:8443/a%2Fb/c;d=e"],
    ["https://münchen.example", "https://edge.example/ü", "https://xn--mnchen-3ya.example/%C3%BC"],
  ];
  it.each(cases)("%s for %s is %s", (origin, requested, expected) => {
    expect(originUrl(new URL(origin), new URL(requested)).href).toBe(expected);
  });
});
