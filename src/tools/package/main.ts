import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { run } from "../check/run.ts";

/** The entries of the package, by the name of the built module. `package.json` exports them. */
const ENTRIES = [
  { name: "index", source: "src/library.ts", platform: "neutral" },
  { name: "client", source: "src/client/index.ts", platform: "neutral" },
  { name: "local", source: "src/tools/upstash-local/index.ts", platform: "node" },
  { name: "cli", source: "src/tools/package/cli.ts", platform: "node" },
] as const;

const OUT = "dist/package";

/** `npm run package`, and the first step of `npm pack`: the modules and declarations that it takes along. */
async function main(): Promise<void> {
  await rm(OUT, { recursive: true, force: true });
  for (const { name, source, platform } of ENTRIES) {
    await build({
      entryPoints: { [name]: source },
      outdir: OUT,
      bundle: true,
      format: "esm",
      target: "es2024",
      platform,
      // Whoever installs the package has these; a bundler of the app leaves out what is not used.
      packages: "external",
      // Sentences for docs/configuration.md.
      alias: { "#describe": "./src/runtime/no-descriptions.ts" },
    });
  }
  const { code, output } = await run("tsc", ["-p", "tsconfig.package.json"]);
  if (code !== 0) throw new Error(`The declarations do not build:\n${output}`);
  await renameImports(join(OUT, "types"));
  console.log(`Built: ${OUT}`);
}

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
