import { expect, it, vi } from "vitest";
import { slowValue } from "../../support/pattern-time.ts";

/** Every source file's text that runs where clients or origins send something, by its path below `src`. */
const sources = Object.entries(
  import.meta.glob<string>(["../../../src/**/*.ts", "!../../../src/tools/**", "!../../../src/routes.ts"], {
    query: "?raw",
    import: "default",
    eager: true,
  }),
).map(([path, text]) => [path.replace("../../../src/", ""), text] as const);

/** A pattern where one may stand; a comment is none. */
const LITERALS =
  /(?:[([!]|[=,:|?&>] |return |\n[ \t]+)\/((?:[^/\n\\[*]|\\.|\[(?:[^\]\\\n]|\\.)*\])(?:[^/\n\\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])*)\/([dgimsuvy]*)(?![\w/])/g;

/** Those whose text is the operator's own, or the edge's. */
const OF_OUR_OWN = new Set([
  "config/caller-lists.ts",
  "config/read-secrets.ts",
  "config/read-store.ts",
  "identity/session-token.ts",
  "origin/origin-url.ts",
  "store/transport.ts",
]);

const patternsOf = (text: string) =>
  [...text.matchAll(LITERALS)].map(([, pattern = "", flags = ""]) => [pattern, flags] as const);

/** Those that are made of parts when their file is loaded: `new RegExp(…)`. */
const loads = import.meta.glob(["../../../src/**/*.ts", "!../../../src/tools/**", "!../../../src/routes.ts"]);

/** The patterns that are made while `load` runs. */
async function madeBy(load: () => Promise<unknown>): Promise<[pattern: string, flags: string][]> {
  const made: [string, string][] = [];
  const original = RegExp;
  globalThis.RegExp = new Proxy(original, {
    construct(target, given: [string, string?]) {
      const pattern = new target(...given);
      made.push([pattern.source, pattern.flags]);
      return pattern;
    },
  });
  try {
    vi.resetModules();
    await load();
  } finally {
    globalThis.RegExp = original;
  }
  return made;
}

const slow = (pattern: string, flags = "") => slowValue(pattern, flags) !== null;

/**
 * A pattern that from each place of a text goes on to the text's end, in vain. With 100,000 blanks in one field that took half a minute
 * (CVE-2022-25881 of http-cache-semantics is one of these).
 */
it.each<[pattern: string, flags: string]>([
  [String.raw`^[ \t]+|[ \t]+$`, "g"],
  [String.raw`\/+$`, ""],
  [String.raw`\d+$`, ""],
  [String.raw`\s*$`, ""],
  ["<([^>]*)>", "g"],
  [String.raw`"(?:[^"\\]|\\.)*"`, "g"],
  [String.raw`"(?:[^"\\]|\\.)*(?:"|$)`, "g"],
  [String.raw`^(\s*[\d.]*\s*[;,\s]\s*(?:url\s*=\s*)?)(["']?)(.+?)(\2\s*)$`, "is"],
  ["^(a+)+$", ""],
  [String.raw`^\s*\w*\s*:\s*\s*;`, ""],
  ["bearer.*,", "gi"],
  [String.raw`,\s*\S*\s*=`, "g"],
])("/%s/%s takes time that grows with the square", (pattern, flags) => {
  expect(slow(pattern, flags)).toBe(true);
});

it.each<[pattern: string, flags: string]>([
  [String.raw`^\s*$`, ""],
  ["^.*[a-z]", ""],
  ["%.*$", ""],
  ["^(a|b+)$", ""],
  ["<([^>]*)(>|$)", "g"],
  [String.raw`"(?:[^"\\]|\\.)*(?:"|\\?$)`, "g"],
  [String.raw`[ \t]*`, "y"],
  [String.raw`^\s*[\d.]*(?:\s+[;,]?|[;,])\s*(?:url\s*=\s*)?`, "i"],
  ["%(?:25)*(2e|2f|5c)", "gi"],
  ["[A-Z]+", "g"],
])("/%s/%s does not", (pattern, flags) => {
  expect(slow(pattern, flags)).toBe(false);
});

it.each<[text: string, patterns: number]>([
  [String.raw`text.replace(/^[ \t]+|[ \t]+$/g, "")`, 1],
  [String.raw`const X = /\s*$/;`, 1],
  ["  return link.replace(\n    /<([^>]*)>/gis,\n", 1],
  ["return /a+/.test(text) && /b+/.test(text);", 2],
  ["const found = text.split(/[/]+/);", 1],
  ["/** Either/or, and/or. */\n// a / b / c\n", 0],
  ["const half = (a + b) / 2 / c;", 0],
])("in %j there are %i", (text, count) => {
  expect(patternsOf(text)).toHaveLength(count);
});

const files = sources.map(([path, text]) => [path, patternsOf(text)] as const);

it("no pattern takes time that grows with the square of what a client or an origin sends", () => {
  expect(files.flatMap(([, patterns]) => patterns).length).toBeGreaterThan(200);
  const found = files
    .filter(([path]) => !OF_OUR_OWN.has(path))
    .flatMap(([path, patterns]) =>
      patterns.flatMap(([pattern, flags]) => {
        const value = slowValue(pattern, flags);
        return value === null ? [] : [`${path}: /${pattern}/${flags} with ${value}`];
      }),
    );
  expect(found).toEqual([]);
});

const makers = sources.filter(([, text]) => /\bRegExp\(/.test(text)).map(([path]) => path);
/** Of these the operator's routes are the parts. */
const OF_ROUTES = ["config/check-pattern.ts", "config/path-pattern.ts"];

it.each(makers.filter((path) => !OF_ROUTES.includes(path)))("nor does one that %s makes", async (path) => {
  const text = sources.find(([each]) => each === path)?.[1] ?? "";
  const made = await madeBy(async () => loads[`../../../src/${path}`]?.());
  expect(made.length, "made where the file is loaded, so that it is tried here").toBeGreaterThanOrEqual(
    [...text.matchAll(/\bRegExp\(/g)].length,
  );
  expect(made.filter(([pattern, flags]) => slow(pattern, flags))).toEqual([]);
});

it("one that is made of parts is found, and is slow where its parts are", async () => {
  const made = await madeBy(async () => new RegExp(`${"<"}([^>]*)>`, "g"));
  expect(made).toEqual([["<([^>]*)>", "g"]]);
  expect(makers).toEqual(expect.arrayContaining(["http/http-date.ts", ...OF_ROUTES]));
});

it("each file that is left out has one", () => {
  for (const [path, patterns] of files.filter(([path]) => OF_OUR_OWN.has(path)))
    expect(
      patterns.some(([pattern, flags]) => slow(pattern, flags)),
      path,
    ).toBe(true);
  expect([...OF_OUR_OWN].filter((path) => files.every(([each]) => each !== path))).toEqual([]);
});
