import { resolve } from "node:path";
import { expect, it } from "vitest";
import { isOfRemovedBuild, plain, problemText } from "../../../../src/tools/start/problems.ts";

const esbuild = (text: string, location: object | null) =>
  Object.assign(new Error("Build failed with 1 error"), { errors: [{ text, location }] });

it.each([
  {
    what: "a syntax error of esbuild",
    error: esbuild('Unexpected ";"', {
      file: "src/routes.ts",
      line: 48,
      column: 10,
      lineText: "  const x = ;",
    }),
    says: 'src/routes.ts:48:11: Unexpected ";"\n    const x = ;',
  },
  {
    what: "a build failure inside another error",
    error: new Error("Failed to rebuild", {
      cause: esbuild('Could not resolve "./x"', { file: "src/a.ts", line: 1, column: 7 }),
    }),
    says: 'src/a.ts:1:8: Could not resolve "./x"',
  },
  { what: "an esbuild message without a place", error: esbuild("No loader", null), says: "No loader" },
  {
    what: "a TOML error, with an absolute path",
    error: Object.assign(new Error("x"), {
      text: "Invalid TOML document",
      location: { file: resolve("wrangler.toml"), line: 3, column: 4, lineText: "x = = 3" },
    }),
    says: "wrangler.toml:3:5: Invalid TOML document\n    x = = 3",
  },
  {
    what: "code that throws while it is loaded",
    error: new Error("The Workers runtime failed to start."),
    logged: ["service core:user:envoyou-edge: Uncaught Error: at load\n  at index.js:836:9674"],
    says: "The Worker cannot be loaded: Error: at load",
  },
  { what: "an error with a cause", error: new Error("outer", { cause: new Error("inner") }), says: "inner" },
  {
    what: "an error whose cause says nothing",
    error: new Error("outer", { cause: new Error("") }),
    says: "outer",
  },
  { what: "blank lines", error: new Error("one\n\n  two"), says: "one\n  two" },
  { what: "colours", error: new Error("\u001B[31mred\u001B[0m"), says: "red" },
  { what: "a text", error: "text", says: "text" },
])("$what", ({ error, logged, says }) => {
  expect(problemText(error, logged)).toBe(says);
});

it("causes in a circle end", () => {
  const error = new Error("round");
  error.cause = error;
  expect(problemText(error)).toBe("round");
});

it("plain takes colours away and nothing else", () => {
  expect(plain(" \u001B[1m[x]\u001B[0m 31m ")).toBe("[x] 31m");
});

it.each([
  ['Could not resolve "/home/ada/edge/.wrangler/tmp/bundle-ltyz6I/middleware-loader.entry.ts"', true],
  ['Could not resolve "C:\\\\edge\\\\.wrangler\\\\tmp\\\\bundle-a\\\\entry.ts"', true],
  ['src/routes.ts:1:8: Could not resolve "./none.ts"', false],
  ['Could not resolve "./src/none.ts"', false],
  ["The Worker cannot be loaded: Error: .wrangler/tmp/", false],
])("%s is of a build that wrangler removed: %s", (text, is) => {
  expect(isOfRemovedBuild(text)).toBe(is);
});
