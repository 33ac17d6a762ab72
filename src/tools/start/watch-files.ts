import { statSync } from "node:fs";

/** How often the files are looked at. Editors replace a file in several ways; a look sees all of them. */
const EVERY_MS = 150;

/**
 * Calls `changed` once after files were written, made or removed, when they have been the same for one look: an editor may empty
 * a file before it writes it.
 *
 * @param files Gives the paths to look at, at each look; none needs to exist.
 * @param changed Gets those that changed.
 * @param ready What changes before it resolves is told then. Default: it is ready.
 * @returns What ends it.
 */
export function watchFiles(
  files: () => readonly string[],
  changed: (files: readonly string[]) => void,
  ready?: Promise<unknown>,
): () => void {
  let isReady = ready === undefined;
  void ready?.then(() => {
    isReady = true;
  });
  let before = statesOf(files());
  const waiting = new Set<string>();
  const timer = setInterval(() => {
    const now = statesOf(files());
    const moved = [...now.keys()].filter((file) => before.has(file) && before.get(file) !== now.get(file));
    before = now;
    for (const file of moved) waiting.add(file);
    if (moved.length > 0 || waiting.size === 0 || !isReady) return;
    const all = [...waiting];
    waiting.clear();
    changed(all);
  }, EVERY_MS);
  return () => clearInterval(timer);
}

function statesOf(files: readonly string[]): Map<string, string> {
  return new Map(
    files.map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
      // Whoever writes a file may set its mtime to what it was; nobody sets ctime.
      return [file, stat ? `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}` : ""];
    }),
  );
}
