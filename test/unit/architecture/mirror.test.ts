import { expect, it } from "vitest";

const paths = (glob: Record<string, unknown>, from: string) =>
  Object.keys(glob).map((path) =>
    new URL(path, "file:///test/unit/architecture/").pathname.slice(from.length + 1),
  );
const sources = new Set(paths(import.meta.glob("../../../src/**/*.ts"), "/src"));
const tests = paths(import.meta.glob("../**/*.test.ts"), "/test/unit");

/** Tests of no one file of `src`, and what they are of. */
const OF_NO_FILE: Readonly<Record<string, string>> = {
  "architecture/": "all of src",
  "bench/": "the bench's own arithmetic",
  "config/bounds.test.ts": "the bounds that several schemas share",
  "response-cache/rules/no-leak.test.ts": "all rules together, with random requests",
  "tools/check/lockfile.test.ts": "package-lock.json",
  "tools/upstash-local/outage.test.ts": "the endpoint over a real Redis that fails",
  "tools/upstash-local/ratelimit-library.test.ts": "the endpoint below @upstash/ratelimit",
  "tools/upstash-local/transaction.test.ts": "the endpoint's transactions",
};

it("the test of src/a/b.ts is test/unit/a/b.test.ts", () => {
  const excused = Object.keys(OF_NO_FILE);
  const lost = tests.filter(
    (test) =>
      !sources.has(test.replace(/\.test\.ts$/, ".ts")) && !excused.some((start) => test.startsWith(start)),
  );
  expect(lost).toEqual([]);
  const idle = excused.filter((start) => !tests.some((test) => test.startsWith(start)));
  expect(idle, "has no test: take its line away").toEqual([]);
});

it("reads both trees", () => {
  expect([sources.size > 200, tests.length > 80]).toEqual([true, true]);
});
