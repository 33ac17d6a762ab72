import { statSync } from "node:fs";

/** How often the files are looked at. Editors replace a file in several ways; a look sees all of them. */
const EVERY_MS = 300;

/**
 * Calls `changed` once after files were written, made or removed.
 *
 * @param files Paths; none needs to exist.
 * @returns What ends it.
 */
export function watchFiles(files: readonly string[], changed: () => void): () => void {
  let before = stateOf(files);
  const timer = setInterval(() => {
    const now = stateOf(files);
    if (now === before) return;
    before = now;
    changed();
  }, EVERY_MS);
  return () => clearInterval(timer);
}

function stateOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : "";
    })
    .join("\n");
}
