import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

type Row = [name: string, ...cells: string[]];

/** The rows of all tables of a page, or of one part of it. */
function rowsOf(file: string, heading?: string): Row[] {
  const text = readFileSync(file, "utf8");
  const part = heading === undefined ? text : (text.split(`## ${heading}\n`)[1]?.split(/^## /m)[0] ?? "");
  return part
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| what /.test(line))
    .map((line) => line.slice(2, -2).split(" | ") as Row);
}

/** Rows that a report has by the number of what is stored. */
const BY_NUMBER: Record<string, string[]> = {
  "purging one tag, at a hundred entries as at a million": ["100", "1,000,000"],
  "ending everyone's, at a million sessions": ["1,000,000"],
};

/** What a page says an operation takes, and the report of the bench that it names: the same name there, the same two figures. */
it.each([
  ["docs/caching.md", "What it costs", "test/bench/CACHE.md"],
  ["docs/sessions.md", "What they cost", "test/bench/SESSIONS.md"],
])("%s, %s: calls and commands are those of %s", (page, heading, report) => {
  const measured = rowsOf(report);
  const told = rowsOf(page, heading);
  expect(told.length).toBeGreaterThan(4);
  for (const [name, calls, commands] of told)
    for (const each of BY_NUMBER[name] ?? [name]) {
      const [, ...row] = measured.find(([measuredName]) => measuredName === each) ?? [each];
      expect(row.slice(0, 2), name).toEqual([calls, commands]);
    }
});

it("docs/limits.md: the commands of each algorithm are those of test/bench/LIMITS.md", () => {
  const measured = rowsOf("test/bench/LIMITS.md").filter(([, commands = ""]) => /^\d+\.\d\d$/.test(commands));
  const told = rowsOf("docs/limits.md", "Which algorithm").filter(([name]) => name.startsWith("`"));
  expect(told.length).toBe(4);
  for (const [name, admitted, commands] of told) {
    const algorithm = name.replaceAll("`", "");
    const row = measured.find(([each]) => each === `one ${algorithm}`);
    expect(Number(commands), algorithm).toBe(Number(row?.[1]));
    const [, times] = rowsOf("test/bench/LIMITS.md").find(([each]) => each === algorithm) ?? [];
    expect(admitted, algorithm).toContain(String(times));
  }
});

it("docs/operating.md: prices and commands of the mix are those of test/bench/RESULTS.md", () => {
  const results = readFileSync("test/bench/RESULTS.md", "utf8");
  const page = readFileSync("docs/operating.md", "utf8");
  const price = (worker: string) =>
    new RegExp(`${worker} (\\$[\\d.]+) \\(([\\d.]+) commands a request`).exec(results);
  const [told = []] = rowsOf("docs/operating.md", "What it costs").filter(([name]) =>
    name.startsWith("a million"),
  );
  expect(told.slice(1)).toEqual(["edge", "recipe", "tuned"].map((worker) => price(worker)?.[1]));
  const [, requests = ""] =
    /500,000 commands a month, which is ([\d,]+) requests of the mix/.exec(page) ?? [];
  const each = Number(price("edge")?.[2]);
  expect(Math.abs(Number(requests.replaceAll(",", "")) * each - 500_000)).toBeLessThan(1000);
});
