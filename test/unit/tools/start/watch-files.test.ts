import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { watchFiles } from "../../../../src/tools/start/watch-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "watch-"));
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

it.each<{ how: string; before: boolean; change: (file: string) => void }>([
  { how: "written", before: true, change: (file) => writeFileSync(file, "longer than before") },
  { how: "made", before: false, change: (file) => writeFileSync(file, "x") },
  { how: "removed", before: true, change: (file) => rmSync(file) },
  {
    how: "replaced, as editors do",
    before: true,
    change(file) {
      writeFileSync(`${file}~`, "y");
      renameSync(`${file}~`, file);
    },
  },
  {
    how: "written by whoever keeps its time and its size",
    before: true,
    change(file) {
      const { atime, mtime } = statSync(file);
      writeFileSync(file, "y");
      utimesSync(file, atime, mtime);
    },
  },
  { how: "of the future", before: true, change: (file) => utimesSync(file, 1, 9_999_999_999) },
  { how: "of the past", before: true, change: (file) => utimesSync(file, 1, 1) },
  {
    how: "replaced by a folder",
    before: true,
    change(file) {
      rmSync(file);
      mkdirSync(file);
    },
  },
])("calls once for a file that is $how", ({ before, change }) => {
  const file = join(folder, ".dev.vars");
  if (before) writeFileSync(file, "x");
  const changed = vi.fn();
  const end = watchFiles(() => [file, join(folder, "none")], changed);
  vi.advanceTimersByTime(1000);
  expect(changed).not.toHaveBeenCalled();
  change(file);
  vi.advanceTimersByTime(1000);
  expect(changed.mock.calls).toEqual([[[file]]]);
  end();
  writeFileSync(join(folder, "none"), "x");
  vi.advanceTimersByTime(1000);
  expect(changed).toHaveBeenCalledTimes(1);
});

it("waits until an editor has written what it emptied, and names every file that changed", () => {
  const [one, two] = [join(folder, "one"), join(folder, "two")];
  for (const file of [one, two]) writeFileSync(file, "before");
  const changed = vi.fn();
  const end = watchFiles(() => [one, two], changed);
  writeFileSync(one, "");
  vi.advanceTimersByTime(150);
  writeFileSync(one, "after, longer");
  vi.advanceTimersByTime(150);
  writeFileSync(two, "after");
  vi.advanceTimersByTime(150);
  expect(changed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(150);
  expect(changed.mock.calls).toEqual([[[one, two]]]);
  end();
});

it("a file that is looked at from now on has not changed", () => {
  const [one, two] = [join(folder, "one"), join(folder, "two")];
  let files = [one];
  const changed = vi.fn();
  const end = watchFiles(() => files, changed);
  writeFileSync(two, "x");
  files = [two];
  vi.advanceTimersByTime(1000);
  expect(changed).not.toHaveBeenCalled();
  writeFileSync(two, "longer");
  vi.advanceTimersByTime(1000);
  expect(changed.mock.calls).toEqual([[[two]]]);
  end();
});

it("what changes before all runs is told then, once", async () => {
  const file = join(folder, ".dev.vars");
  writeFileSync(file, "x");
  const changed = vi.fn();
  const running = Promise.withResolvers<void>();
  const end = watchFiles(() => [file], changed, running.promise);
  writeFileSync(file, "longer");
  vi.advanceTimersByTime(1000);
  writeFileSync(file, "longer still");
  vi.advanceTimersByTime(1000);
  expect(changed).not.toHaveBeenCalled();
  running.resolve();
  await running.promise;
  vi.advanceTimersByTime(1000);
  expect(changed.mock.calls).toEqual([[[file]]]);
  end();
});
