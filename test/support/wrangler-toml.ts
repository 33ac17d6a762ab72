import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** The lines that every wrangler.toml of the tests begins with. */
export const HEAD = 'name = "edge"\nmain = "x.js"\ncompatibility_date = "2026-04-24"\n';

/** Writes a wrangler.toml to a folder of its own, which goes with the test. @returns its path. */
export async function wranglerToml(text: string, head = HEAD): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "edge-config-"));
  folders.push(folder);
  const file = join(folder, "wrangler.toml");
  await writeFile(file, head + text);
  return file;
}
