import { expect, it } from "vitest";
import { withEarlier } from "../../bench/compare/earlier.ts";

const ORDER = ["Targets", "Counts", "Latency", "Ratios"];
const report = (targets: string[], sections: Record<string, string>) =>
  [
    "# Report\n\nMade by a run.\n",
    `## Targets\n\n| target | measured | |\n|---|---|---|\n${targets.join("\n")}\n`,
    ...Object.entries(sections).map(([heading, body]) => `## ${heading}\n\n${body}\n`),
  ].join("\n");

const BEFORE = report(
  ["| **calls: at most 1** | **2** | **missed** |", "| rate: at least 3 | 4 | reached |"],
  {
    Counts: "two",
    Ratios: "four",
  },
);

it("what was not measured stays as it was, sections in their place and targets by what they are about", () => {
  const now = report(["| calls: at most 1 | – | not measured |", "| rate: at least 3 | 5 | reached |"], {
    Latency: "three",
    Ratios: "five",
  });
  const { text, kept } = withEarlier(now, BEFORE, ORDER);
  expect(kept).toEqual(["Counts"]);
  expect(text).toBe(
    report(["| **calls: at most 1** | **2** | **missed** |", "| rate: at least 3 | 5 | reached |"], {
      Counts: "two",
      Latency: "three",
      Ratios: "five",
    }),
  );
});

it("without an earlier report nothing is added, and a target that is new says that it was not measured", () => {
  const now = report(["| memory: at most 2 | – | not measured |"], { Latency: "three" });
  for (const earlier of ["", report([], {})]) {
    const { text, kept } = withEarlier(now, earlier, ORDER);
    expect([text, kept]).toEqual([now, []]);
  }
});
