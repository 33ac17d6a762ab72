import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { filesBelow, ownFiles } from "../../../../src/tools/start/watched-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "watched-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ["wrangler.toml", undefined, ["wrangler.toml", ".dev.vars", ".env", ".env.local"]],
  [
    "/a/wrangler.jsonc",
    "staging",
    [
      "/a/wrangler.jsonc",
      "/a/.dev.vars",
      "/a/.env",
      "/a/.env.local",
      "/a/.dev.vars.staging",
      "/a/.env.staging",
    ],
  ],
])("of %s and the environment %s", (config, env, files) => {
  expect(ownFiles(config, env)).toEqual(files);
});

it("all below a folder, and the folders in which a file may be made", () => {
  for (const name of ["b/c", "node_modules/x", ".git", ".wrangler/tmp"])
    mkdirSync(join(folder, name), { recursive: true });
  for (const name of ["a.ts", "b/c/d.ts", "node_modules/x/e.js", ".wrangler/tmp/f.js"])
    writeFileSync(join(folder, name), "");
  expect(filesBelow(folder).sort()).toEqual(
    [folder, ...["a.ts", "b", "b/c", "b/c/d.ts"].map((name) => join(folder, name))].sort(),
  );
});

it("nothing but itself of a folder that is none", () => {
  expect(filesBelow(join(folder, "none"))).toEqual([join(folder, "none")]);
});
