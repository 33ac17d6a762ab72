import { mkdir, readFile, rm, writeFile } from "node:fs/promises";

const MANIFEST = "package.json";
/** The repository's own, while the package is packed. */
const KEPT = "dist/package.json";

/**
 * `node src/tools/package/manifest.ts pack`, before npm packs, takes the scripts out of package.json: they are for the repository, and npm
 * warns of `prepare` wherever the package is installed. `… restore`, after it, puts them back.
 */
async function main(step: string | undefined): Promise<void> {
  if (step === "restore") {
    const kept = await readFile(KEPT, "utf8").catch(() => null);
    if (kept === null) return;
    await writeFile(MANIFEST, kept);
    await rm(KEPT);
    return;
  }
  const text = await readFile(MANIFEST, "utf8");
  const { scripts, ...manifest } = JSON.parse(text) as Record<string, unknown>;
  // A pack that was cut off has left it without.
  if (scripts === undefined) return;
  await mkdir("dist", { recursive: true });
  await writeFile(KEPT, text);
  await writeFile(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
}

await main(process.argv[2]);
