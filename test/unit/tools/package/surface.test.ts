import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepSurface, onlyNames, SURFACES, surfaceReport } from "../../../../src/tools/package/surface.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "envoyou-edge-surface-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Record<string, string>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
}

const FILES = {
  "library.d.ts": `export { type Seen, make } from "./a.js";\nexport type { Renamed as Named } from "./b/c.js";\n`,
  "a.d.ts": `import type { Redis } from "@upstash/redis";
import { type Other, type Unused } from "./b/c.js";
/** What is seen. */
export interface Seen extends Inner {
    /** Its redis. */
    redis: Redis;
}
interface Inner {
    other: Other[];
}
/** Nobody outside sees {@link Unused}. */
export interface Hidden {
    unused: Unused;
}
export declare function make(one: string): Seen;
export declare function make(one: number): Seen;
export {};
`,
  "b/c.d.ts": `export type { Other } from "./other.js";
/**
 * Of several lines: export type Comment = 1;
 */
export type Renamed = {
    a: 1;
};
export declare class Unused {
    #private;
}
`,
  "b/other.d.ts": "export type Other = 1 | 2;\n",
  "b/nobody.d.ts": "export type Nobody = 1;\n",
  "client/index.d.ts": "export declare function client(): void;\n",
  "tools/upstash-local/index.d.ts": "export declare function local(): void;\n",
};

describe("the surface of an entry", () => {
  it("is what its names rest on, by way of other files, and nothing else", async () => {
    await write(FILES);
    const report = await surfaceReport(folder, "library.d.ts");
    expect(report).toContain("// Exports: Named, Seen, make\n");
    for (const name of [
      "interface Seen",
      "interface Inner",
      "type Other",
      "type Renamed",
      "make(one: number)",
    ])
      expect(report).toContain(name);
    expect(report).not.toMatch(/Hidden|Unused|Nobody|Comment/);
  });

  it("is all that is kept of the declarations, and the report of them is the same", async () => {
    await write(FILES);
    const before = await surfaceReport(folder, "library.d.ts");
    await keepSurface(folder);
    expect(await surfaceReport(folder, "library.d.ts")).toBe(before);
    const files = await readdir(folder, { recursive: true });
    expect(files.filter((file) => file.endsWith(".d.ts")).sort()).toEqual(
      [...Object.values(SURFACES), "a.d.ts", "b/c.d.ts", "b/other.d.ts"].sort(),
    );
    expect(await readFile(join(folder, "a.d.ts"), "utf8")).toBe(`import type { Redis } from "@upstash/redis";
import { type Other } from "./b/c.js";
/** What is seen. */
export interface Seen extends Inner {
    /** Its redis. */
    redis: Redis;
}
interface Inner {
    other: Other[];
}
export declare function make(one: string): Seen;
export declare function make(one: number): Seen;
`);
    expect(await readFile(join(folder, "b/c.d.ts"), "utf8")).toContain(
      " */\nexport type Renamed = {\n    a: 1;\n};\n",
    );
  });

  it.each<[what: string, text: string, names: string[], kept: string]>([
    [
      "a namespace that is used",
      'import * as z from "zod";\nexport type A = z.B;\n',
      ["A"],
      'import * as z from "zod";\nexport type A = z.B;\n',
    ],
    [
      "no namespace that is not",
      'import * as z from "zod";\nexport type A = 1;\n',
      ["A"],
      "export type A = 1;\n",
    ],
    [
      "a default import",
      'import type D from "d";\nexport type A = D;\n',
      ["A"],
      'import type D from "d";\nexport type A = D;\n',
    ],
    [
      "a name under another",
      'import { B as C } from "b";\nexport type A = C;\n',
      ["A"],
      'import { B as C } from "b";\nexport type A = C;\n',
    ],
    [
      "what is handed on under another name",
      'export { B as A, C } from "b";\n',
      ["A"],
      'export { B as A } from "b";\n',
    ],
    [
      "the file's comment",
      '/** The file. */\nexport type { A } from "a";\n',
      ["A"],
      '/** The file. */\nexport type { A } from "a";\n',
    ],
    [
      "no import that only a comment names",
      'import { B } from "b";\n/** As {@link B}. */\nexport type A = 1;\n',
      ["A"],
      "/** As {@link B}. */\nexport type A = 1;\n",
    ],
    [
      "a class with its comment",
      "/** One. */\nexport declare class A {\n    /** Two. */\n    b: 1;\n}\nexport declare class B {\n}\n",
      ["A"],
      "/** One. */\nexport declare class A {\n    /** Two. */\n    b: 1;\n}\n",
    ],
    [
      "a constant",
      "export declare const A: 1, B: 2;\nexport declare const C = 1;\n",
      ["C"],
      "export declare const C = 1;\n",
    ],
    ["nothing", "export type A = 1;\n", ["B"], ""],
  ])("keeps %s", (_, text, names, kept) => {
    expect(onlyNames(text, new Set(names))).toBe(kept);
  });
});
