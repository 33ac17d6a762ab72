import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

interface LockedPackage {
  version?: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  dependencies?: Record<string, string>;
}

interface Manifest {
  devDependencies: Record<string, string>;
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
  packages: Record<string, LockedPackage>;
};
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const installed = Object.entries(packages).filter(([path]) => path !== "");

/** Every version of a package that `npm ci` installs, wherever in the tree. */
function versionsOf(name: string): (string | undefined)[] {
  return installed
    .filter(([path]) => path.endsWith(`node_modules/${name}`))
    .map(([, { version }]) => version);
}

// No address: npm asks the registry that it is configured with, and the integrity holds for each.
it("every package of the lockfile comes from the registry and has an integrity", () => {
  expect(installed.length).toBeGreaterThan(100);
  const unsure = installed.filter(
    ([, { resolved, integrity, link }]) =>
      link || resolved !== undefined || !/^sha512-/.test(integrity ?? ""),
  );
  expect(unsure.map(([path]) => path)).toEqual([]);
});

it.each(["workerd", "wrangler", "esbuild", "sharp"])("npm ci installs one %s", (name) => {
  expect(versionsOf(name)).toHaveLength(1);
});

// Miniflare 5 is a beta whose constructor takes other options. Both run the workerd that wrangler asks for.
it("miniflare is a development dependency of its own: the last of version 4, on wrangler's workerd", () => {
  expect(manifest.devDependencies.miniflare).toMatch(/^4\.\d+\.\d+$/);
  expect(versionsOf("workerd")).toEqual([packages["node_modules/wrangler"]?.dependencies?.workerd]);
});

it("npm prints errors alone: no warning about engines on Node 20", () => {
  expect(readFileSync(".npmrc", "utf8")).toMatch(/^loglevel=error$/m);
});
