import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** The client as a page loads it: one minified module. */
export async function bundleClient(): Promise<{ code: string; gzippedBytes: number; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    entryPoints: ["src/client/index.ts"],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    metafile: true,
  });
  const code = outputFiles[0]?.text ?? "";
  return { code, gzippedBytes: gzipSync(code, { level: 9 }).length, inputs: Object.keys(metafile.inputs) };
}
