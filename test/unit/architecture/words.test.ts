import { expect, it } from "vitest";

/** Words of an earlier vocabulary, and the field's terms for them: names, comments, tests and docs use the latter. */
const INSTEAD_OF: readonly (readonly [word: string, write: string])[] = [
  ["trips?|roundbatch(es)?", "batch; round trip"],
  ["passages?", "access check"],
  ["errands?", "cache lookup, handler, origin request"],
  ["flights?", "in-flight fetch"],
  ["landed", "done"],
  ["probation", "half-open"],
  ["cold eras?", "cold start"],
  ["ledgers?", "limit state, session service"],
  ["twins?", "local limit store"],
  ["keepers?", "session store"],
  ["bury|buries|buried", "add a tombstone"],
  ["askers?", "requester"],
  ["heed(s|ed|ing)?", "apply"],
  ["carriers?", "token source: cookie or bearer"],
  ["houses?|rigs?", "structure, harness, module, file"],
  ["mend(s|ed|ing)?", "fix"],
  ["mistakes?", "issue"],
  ["stages?", "module"],
  ["fates?", "purge status"],
  ["owe(s|d)?", "pending charges"],
];

/** Names in capitals that begin so: MAX_X. */
const CAPITALS = /\b(MOST|LONGEST)_[A-Z]/;

const texts = Object.entries(
  import.meta.glob<string>(
    [
      "../../../{src,test}/**/*.{ts,md}",
      "../../../{README,CHANGELOG,CONTRIBUTING}.md",
      "../../../docs/**/*.md",
      "../../../.github/*.md",
      "!../../../**/node_modules/**",
      "!./words.test.ts",
      // Whoever deploys the edge writes it: an API may well have a path /v1/flights.
      "!../../../src/routes.ts",
    ],
    { query: "?raw", eager: true, import: "default" },
  ),
).map(([path, text]) => ({ file: new URL(path, "file:///test/unit/architecture/").pathname.slice(1), text }));

const words = new RegExp(`\\b(${INSTEAD_OF.map(([word]) => word).join("|")})\\b`, "i");

/** A line's words: identifiers are split where they change case and at underscores. */
function plain(line: string): string {
  return (
    line
      .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
      .replaceAll("_", " ")
      // The changelog names what is gone.
      .replace(/round[- ]trips?|in[- ]flight|`c\.var\.passage`/gi, "")
  );
}

function found(text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    const word = CAPITALS.exec(line)?.[0] ?? words.exec(plain(line))?.[0];
    if (word === undefined) return [];
    const write = INSTEAD_OF.find(([each]) => new RegExp(`^(${each})$`, "i").test(word))?.[1] ?? "MAX_";
    return [`${index + 1}: "${word}", write: ${write}`];
  });
}

it("reads sources, tests and docs", () => {
  expect(texts.length).toBeGreaterThan(200);
  expect(texts.map(({ file }) => file)).toContain("README.md");
});

it("finds words in prose and in names, not what only looks like one", () => {
  for (const line of ["// One trip.", "limitLedger", "MOST_ITEMS", "ITEMS_PER_TRIP"])
    expect(found(line)).toHaveLength(1);
  for (const line of ["a round trip", "roundTripMs", "MAX_IN_FLIGHT", "stripped", "at most one"])
    expect(found(line)).toEqual([]);
});

it("they use the field's terms", () => {
  const wrong = texts.flatMap(({ file, text }) => found(text).map((each) => `${file}:${each}`));
  expect(wrong).toEqual([]);
});
