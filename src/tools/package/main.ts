import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { run } from "../check/run.ts";
import { onlyOptions } from "../only-options.ts";
import { nameInferred } from "./inferred.ts";
import { keepSurface, SURFACES, surfaceFile, surfaceReport } from "./surface.ts";

const OUT = "dist/package";

/** What apps bundle, and what runs in Node. `package.json` exports them. */
const ENTRIES = [
  { platform: "neutral", entryPoints: ["src/library.ts", "src/client/index.ts"] },
  { platform: "node", entryPoints: ["src/tools/upstash-local/index.ts", "src/tools/package/cli.ts"] },
] as const;

const USAGE = `Usage: npm run package [-- --keep-surface]

Builds the package into ${OUT}, and writes docs/api, what an app sees of it.

  --keep-surface   docs/api stays as it is`;

/** `npm run package`, and the first step of `npm pack`: the modules and declarations that it takes along, and the reports of what they let an app see. */
async function main(): Promise<void> {
  const { values } = onlyOptions(USAGE, { "keep-surface": { type: "boolean" } });
  await rm(OUT, { recursive: true, force: true });
  for (const { platform, entryPoints } of ENTRIES) await buildModules([...entryPoints], platform);
  const { code, output } = await run("tsc", ["-p", "tsconfig.package.json"]);
  if (code !== 0) throw new Error(`The declarations do not build:\n${output}`);
  await renameImports(join(OUT, "types"));
  await nameInferred(join(OUT, "types"));
  await keepSurface(join(OUT, "types"));
  // A package that is made for an app is no reason to change what is in the repository.
  if (values["keep-surface"]) return;
  await mkdir("docs/api", { recursive: true });
  for (const [entry, file] of Object.entries(SURFACES))
    await writeFile(surfaceFile(entry), await surfaceReport(join(OUT, "types"), file));
  console.log(`Built: ${OUT}, and docs/api`);
}

/**
 * Builds each file that the entries reach as a module of its own: `dist/package/edge/isolate.js` of `src/edge/isolate.ts`. In a single
 * file a bundler keeps whatever a capability does at its top level, where nothing of it is used; of modules it leaves out whole ones.
 */
async function buildModules(entryPoints: string[], platform: "neutral" | "node"): Promise<void> {
  const options = {
    platform,
    format: "esm",
    target: "es2024",
    outdir: OUT,
    outbase: "src",
    bundle: true,
    // Whoever installs the package has these.
    packages: "external",
    // Sentences for docs/configuration.md. The calls that hold them are left out with the rest of what minifying drops.
    alias: { "#describe": "./src/runtime/no-descriptions.ts" },
    minifySyntax: true,
  } as const;
  const { metafile } = await build({ ...options, entryPoints, write: false, metafile: true });
  await build({ ...options, entryPoints: Object.keys(metafile.inputs), plugins: [apart] });
}

/** Leaves the imports of other modules as they are, under the names that those have when they are built. */
const apart: Plugin = {
  name: "apart",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, kind }) =>
      kind === "entry-point" ? null : { path: path.replace(/\.ts$/, ".js"), external: true },
    );
  },
};

/** The compiler leaves `.ts` in the imports of declarations, which not every resolution of TypeScript finds. */
async function renameImports(folder: string): Promise<void> {
  for (const file of await readdir(folder, { recursive: true })) {
    if (!file.endsWith(".d.ts")) continue;
    const path = join(folder, file);
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace(/((?:from |import\()"\.[^"]*)\.ts"/g, '$1.js"'));
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
