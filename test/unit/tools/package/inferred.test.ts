import { describe, expect, it } from "vitest";
import { INFERRED, withNames } from "../../../../src/tools/package/inferred.ts";

const inferred = { file: "a.d.ts", type: "Name", names: ["one", "two-b"] };
const NAMED = 'export type Name = "one" | "two-b";';

describe("a type of a declaration that is inferred gets its names", () => {
  it.each<[what: string, declared: string, named: string]>([
    ["keys of a table", "\nexport type Name = keyof typeof table;\n", `\n${NAMED}\n`],
    ["a type at the end of the file", "\nexport type Name = (typeof list)[number];", `\n${NAMED}`],
    [
      "a mapped type of several lines",
      "\nexport type Name = {\n    [N in Other]: T[N] extends {\n        refills: true;\n    } ? N : never;\n}[Other];\nexport type More = 1;\n",
      `\n${NAMED}\nexport type More = 1;\n`,
    ],
    [
      "and keeps its comment",
      "\n/** A name; of two. */\nexport type Name = keyof T;\n",
      `\n/** A name; of two. */\n${NAMED}\n`,
    ],
    [
      "and not the type whose name begins so",
      "\nexport type Names = Name[];\nexport type Name = keyof T;\n",
      `\nexport type Names = Name[];\n${NAMED}\n`,
    ],
  ])("%s", (_, declared, named) => {
    expect(withNames(declared, inferred)).toBe(named);
  });

  it.each(["\nexport interface Name {}\n", "\n// export type Name = 1;\n", ""])("%j has none", (declared) => {
    expect(() => withNames(declared, inferred)).toThrow("a.d.ts declares no type Name");
  });

  it("each table has names", () => {
    expect(INFERRED.filter(({ names }) => names.length === 0)).toEqual([]);
    expect(INFERRED.find(({ type }) => type === "Refilling")?.names).toEqual(["token-bucket"]);
  });
});
