import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { copyProject } from "../support/project-copy.ts";
import { until } from "../support/until.ts";

describe("a pack that is cut off leaves the repository as it was", () => {
  const [MODULES, TYPES] = ["dist/package/client/index.js", "dist/package/types/library.d.ts"];

  /** All files that git would look at, and what is in them. */
  async function filesOf(own: string): Promise<Map<string, string>> {
    const files = new Map<string, string>();
    const names = await readdir(own, { recursive: true, withFileTypes: true });
    for (const each of names.filter((name) => name.isFile())) {
      const path = relative(own, join(each.parentPath, each.name));
      if (!/^(node_modules|dist)\/|\.tgz$/.test(path))
        files.set(path, await readFile(join(own, path), "base64"));
    }
    return files;
  }

  it.each([
    ["at once", () => true],
    ["when the old build is gone", (own: string) => !existsSync(join(own, "dist/package/old"))],
    ["with the modules written", (own: string) => existsSync(join(own, MODULES ?? ""))],
    ["with the declarations written", (own: string) => existsSync(join(own, TYPES ?? ""))],
  ])("killed %s", async (_when, isMoment) => {
    const copy = await copyProject();
    try {
      await mkdir(join(copy.folder, "dist/package"), { recursive: true });
      await writeFile(join(copy.folder, "dist/package/old"), "");
      const before = await filesOf(copy.folder);
      expect(before.size).toBeGreaterThan(500);
      const child = spawn("npm", ["pack"], { cwd: copy.folder, detached: true, stdio: "ignore" });
      const ended = once(child, "exit");
      await until(() => isMoment(copy.folder) || child.exitCode !== null, "the moment", 120_000);
      if (child.exitCode === null) process.kill(-(child.pid ?? 0), "SIGKILL");
      await ended;
      expect(await filesOf(copy.folder)).toEqual(before);
    } finally {
      await copy.remove();
    }
  });
});
