import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type CountedWays, countAll } from "../bench/glue/counts.ts";
import { type AppsProject, openProject } from "../bench/glue/project.ts";
import { openStore, type Store } from "../bench/glue/running-app.ts";
import { appTable, limitsTable, PAGE, SIZE, tableIn } from "../bench/glue/tables.ts";

/** What docs/compared.md counts is counted again; what it times is not. */
let project: AppsProject;
let store: Store;
let counted: CountedWays;
// Commands are what Redis says of itself, and the embedded one says nothing.
const counts = inject("redisKind") === "redis-server";
beforeAll(async () => {
  if (!counts) return;
  project = await openProject();
  store = await openStore();
  counted = await countAll(project, store);
}, 600_000);
afterAll(async () => {
  await store?.stop();
  await project?.remove();
});

/** Packages of the registry come in new versions: a size may differ by so much. */
const SIZE_BOUND = 0.05;

const rows = (table: string) => table.split("\n").filter((row) => !row.startsWith(`| ${SIZE} |`));
const sizes = (table: string) => {
  const row = table.split("\n").find((each) => each.startsWith(`| ${SIZE} |`)) ?? "";
  return [...row.matchAll(/([\d.]+) KB/g)].map(([, kilobytes]) => Number(kilobytes));
};

describe.runIf(counts).each([
  ["limits", limitsTable],
  ["app", appTable],
] as const)("the table %s of docs/compared.md", (name, table) => {
  const shown = tableIn(readFileSync(PAGE, "utf8"), name);

  it("says what is counted now; `npm run bench -- glue` writes it", () => {
    expect(rows(shown)).toEqual(rows(table(counted)));
  });

  it("says the sizes within a twentieth", () => {
    const now = sizes(table(counted));
    expect(sizes(shown)).toHaveLength(now.length);
    for (const [index, size] of sizes(shown).entries())
      expect(Math.abs(size / (now[index] ?? 0) - 1), `${size} KB, now ${now[index]} KB`).toBeLessThan(
        SIZE_BOUND,
      );
  });
});
