import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { Variable } from "../../../../src/config/variable.ts";
import { variables } from "../../../../src/config/variables-table.ts";
import { configurationReference } from "../../../../src/tools/docs/configuration.ts";

describe("docs/configuration.md", () => {
  it("is what `npm run docs` writes", async () => {
    expect(await readFile("docs/configuration.md", "utf8")).toBe(configurationReference());
  });

  it("names every variable, its old name, and one sentence about it", () => {
    const text = configurationReference();
    const all: [string, Variable][] = Object.entries(variables);
    for (const [name, { description, formerly }] of all) {
      expect(text).toContain(`| \`${name}\` |`);
      expect(description, name).toMatch(/^\S.*\.$/);
      if (formerly) expect(text).toContain(formerly);
    }
  });
});
