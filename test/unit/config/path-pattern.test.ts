import { TrieRouter } from "hono/router/trie-router";
import { describe, expect, it } from "vitest";
import { covers, readPattern } from "../../../src/config/path-pattern.ts";

const PATTERNS = [
  "/*",
  "/v1",
  "/v1/",
  "/v1/*",
  "/v1/a",
  "/v1/a*",
  "/v1/ab",
  "/v1/:id",
  "/v1/:id?",
  "/v1/:id{[0-9]+}",
  "/v1/:id{\\d+}",
  "/v1/:rest{.+}",
  "/v1/7",
  "/v1/*/x",
  "/v1/:id/x",
  "/v1/:id/*",
  "/v1/a/x",
  "/v1/:id{[a-z]+}/x",
];
const PATHS = [
  "/",
  "/v1",
  "/v1/",
  "/v1/a",
  "/v1/ab",
  "/v1/7",
  "/v1/a/",
  "/v1/a/x",
  "/v1/7/x",
  "/v1//x",
  "/v1/a/x/y",
  "/v2",
];

function matches(pattern: string, path: string): boolean {
  const router = new TrieRouter<true>();
  router.add("GET", pattern, true);
  return router.match("GET", path)[0].length > 0;
}

describe("a pattern that covers another", () => {
  it("matches whatever the other matches, as the router says", () => {
    for (const wide of PATTERNS) {
      for (const narrow of PATTERNS) {
        if (!covers(readPattern(wide), readPattern(narrow))) continue;
        for (const path of PATHS.filter((each) => matches(narrow, each)))
          expect(matches(wide, path), `${wide} covers ${narrow}: ${path}`).toBe(true);
      }
    }
  });

  it.each([
    ["/*", "/v1/a", true],
    ["/v1/*", "/v1", true],
    ["/v1/*", "/v1/:id/x", true],
    ["/v1/:id", "/v1/:name", true],
    ["/v1/:id", "/v1/:name{[0-9]+}", true],
    ["/v1/:id", "/v1/:rest{.+}", false],
    ["/v1/:id", "/v1/*", false],
    ["/v1/:id{[0-9]+}", "/v1/7", true],
    ["/v1/:id{[0-9]+}", "/v1/a", false],
    ["/v1/:id?", "/v1", true],
    ["/v1/:id", "/v1/:id?", false],
    ["/v1/a", "/v1/A", false],
  ])("%s covers %s: %s", (wide, narrow, expected) => {
    expect(covers(readPattern(wide), readPattern(narrow))).toBe(expected);
  });
});
