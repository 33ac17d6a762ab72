import { expect, it } from "vitest";

/** Every source file's text that runs where clients send something, by its path below `src`. */
const sources = Object.entries(
  import.meta.glob<string>(["../../../src/**/*.ts", "!../../../src/tools/**", "!../../../src/routes.ts"], {
    query: "?raw",
    import: "default",
    eager: true,
  }),
).map(([path, text]) => [path.replace("../../../src/", ""), text] as const);

/**
 * A pattern that looks for the end of a text from any place in it: from each place of a run inside of the text it goes on to the run's
 * end, in vain. With 100,000 blanks in one field that took half a minute (CVE-2022-25881 of http-cache-semantics is one of these).
 */
const LITERALS = /(?:[(!]|[=,:|?&] )\/((?:[^/\n\\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/[a-z]*/g;
const RUN_AT_END = /(?:\]|\\[dswDSW]|[^.\\*+?)\]^$|]|\\.)[+*]\)?\$$/;

/** Those whose text is the operator's own, or the edge's. */
const OF_OUR_OWN = new Set([
  "config/edge-settings.ts",
  "config/read-hosts.ts",
  "config/read-secrets.ts",
  "config/read-store.ts",
  "edge/check.ts",
  "events/error-place.ts",
  "http/cors-origins.ts",
  "identity/session-token.ts",
  "origin/origin-url.ts",
  "origin/origin.ts",
  "ratelimit/lists.ts",
  "store/transport.ts",
]);

/** The alternatives of a pattern, without those inside of its groups. */
function alternatives(pattern: string): string[] {
  const flat = pattern.replace(/\\.|\[(?:[^\]\\]|\\.)*\]/g, (text) => text.replaceAll(/[|()]/g, "x"));
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (const [index, char] of [...flat].entries()) {
    if (char === "(") depth += 1;
    if (char === ")") depth -= 1;
    if (char !== "|" || depth > 0) continue;
    found.push(pattern.slice(start, index));
    start = index + 1;
  }
  return [...found, pattern.slice(start)];
}

function endsOfRuns(text: string): string[] {
  return [...text.matchAll(LITERALS)]
    .map(([, pattern = ""]) => pattern)
    .filter((pattern) =>
      alternatives(pattern).some((each) => !each.startsWith("^") && RUN_AT_END.test(each)),
    );
}

it.each([
  [String.raw`text.replace(/^[ \t]+|[ \t]+$/g, "")`, 1],
  [String.raw`text.replace(/\/+$/, "")`, 1],
  [String.raw`text.replace(/\d+$/, "")`, 1],
  [String.raw`const X = /\s*$/;`, 1],
  [String.raw`const X = /^\s*$/;`, 0],
  ["const X = /^.*[a-z]/;", 0],
  ['text.replace(/%.*$/, "")', 0],
  ["const X = /^(a|b+)$/;", 0],
])("%s has %i", (text, count) => {
  expect(endsOfRuns(text)).toHaveLength(count);
});

it("no pattern looks for the end of a run from any place in a client's text", () => {
  const found = sources
    .filter(([path]) => !OF_OUR_OWN.has(path))
    .flatMap(([path, text]) => endsOfRuns(text).map((pattern) => `${path}: ${pattern}`));
  expect(found).toEqual([]);
});
