import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/tools/check/run.ts";
import { SURFACES } from "../../src/tools/package/surface.ts";
import { type Example, examplesIn, type Reflection, withoutExample } from "./examples-in.ts";
import { type Packed, packed } from "./packed.ts";

const exec = promisify(execFile);

const COMPILER_OPTIONS = {
  target: "ESNext",
  module: "ESNext",
  moduleResolution: "Bundler",
  lib: ["ESNext", "DOM", "DOM.Iterable"],
  types: ["node"],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  noEmit: true,
};

let installed: Packed;
/** TypeDoc and its TypeScript. */
let tools: string;
/** What TypeDoc reads of the declarations. */
let project: Reflection;
beforeAll(async () => {
  installed = await packed();
  tools = await mkdtemp(join(tmpdir(), "envoyou-edge-typedoc-"));
  await cp("test/docs/typedoc", tools, { recursive: true });
  await exec("npm", ["ci", "--no-audit", "--no-fund", "--prefer-offline"], { cwd: tools });
});
afterAll(async () => {
  await installed?.remove();
  await rm(tools, { recursive: true, force: true });
});

/** Reads the entries' declarations in a folder with TypeDoc, as `typedoc.json` says. */
async function typedoc(types: string, json: string) {
  const entries = Object.values(SURFACES).map((file) => join(types, file));
  const tsconfig = join(types, "tsconfig.json");
  await writeFile(tsconfig, JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: entries }));
  const program = join(tools, "node_modules/typedoc/bin/typedoc");
  const options = ["--options", join(tools, "typedoc.json"), "--tsconfig", tsconfig, "--json", json];
  return run("node", [program, ...options, ...entries]);
}

describe("the reference of the package", () => {
  it("TypeDoc reads it without a warning: all that is public is exported and documented, and each link leads somewhere", async () => {
    const json = join(installed.folder, "reference.json");
    const { code, output } = await typedoc(join(installed.folder, "package/dist/package/types"), json);
    expect(output).not.toMatch(/warning|error/i);
    expect(code).toBe(0);
    project = JSON.parse(await readFile(json, "utf8")) as Reflection;
    expect(project.children?.map(({ name }) => name)).toHaveLength(Object.keys(SURFACES).length);
  });

  it("and one without what a property means, or with a type that is not exported, has a warning", async () => {
    const types = join(installed.folder, "package/dist/spoilt");
    await cp(join(installed.folder, "package/dist/package/types"), types, { recursive: true });
    const spoil = async (file: string, from: string | RegExp, to: string) => {
      const text = await readFile(join(types, file), "utf8");
      expect(text).toMatch(from);
      await writeFile(join(types, file), text.replace(from, to));
    };
    await spoil("config/route-input.d.ts", /\/\*\*[^/]*\*\/\s+(?=shadow\?)/, "");
    await spoil("library.d.ts", /export type \{ EdgeUser \}.*\n/, "");
    await spoil("library.d.ts", "@module", "See {@link createLimit}.\n * @module");
    const { code, output } = await typedoc(types, join(installed.folder, "spoilt.json"));
    expect(code).not.toBe(0);
    expect(output).toMatch(/RouteInput\.shadow .*does not have any documentation/);
    expect(output).toMatch(/EdgeUser, defined in .*is referenced by .* but not included/);
    expect(output).toMatch(/Failed to resolve link to "createLimit"/);
  });
});

describe("the examples of the reference", () => {
  it("every function, method and class has one", () => {
    expect(withoutExample(project)).toEqual([]);
  });

  it("each is a module of an app, or a value of what it stands at, and type-checks", async () => {
    const examples = examplesIn(project);
    expect(examples.length).toBeGreaterThan(50);
    const spoilt: Example[] = examples
      .filter(({ of }) => /createEdge$|KeyFunction$/.test(of))
      .map(({ of, text }) => ({
        of: `spoilt ${of}`,
        text: text.replace('"1 m"', '"1 fortnight"').replace("(c) => ", "(c) => new Date() || "),
      }));
    const folder = join(installed.folder, "examples");
    await mkdir(folder);
    await symlink(join(installed.folder, "node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...COMPILER_OPTIONS, moduleDetection: "force" } }),
    );
    const all = [...examples, ...spoilt].map(({ of, text }, index) => ({ file: `${index}.ts`, of, text }));
    for (const { file, text } of all) await writeFile(join(folder, file), text);
    const { output } = await run("tsc", ["-p", folder]);
    const found = output.split("\n").flatMap((line) => {
      const [, file, error] = /(\d+\.ts)(\(.*)$/.exec(line) ?? [];
      return file === undefined ? [] : [`${all.find((each) => each.file === file)?.of}: ${error}`];
    });
    expect(found.filter((each) => !each.startsWith("spoilt "))).toEqual([]);
    expect(found.map((each) => each.replace(/:.*/, ""))).toEqual(
      expect.arrayContaining(["spoilt library.createEdge", "spoilt library.KeyFunction"]),
    );
  });
});
