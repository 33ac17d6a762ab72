import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { copyProject } from "./project-copy.ts";

const exec = promisify(execFile);

/**
 * Packs this repository as `npm pack` does, in a copy: several tests do so at the same time.
 *
 * @returns the tarball's path in `folder`.
 * @throws Error with what npm says.
 */
export async function packInto(folder: string): Promise<string> {
  const copy = await copyProject();
  try {
    const { stdout } = await exec("npm", ["pack", "--pack-destination", folder], { cwd: copy.folder });
    return join(folder, stdout.trim().split("\n").at(-1) ?? "");
  } finally {
    await copy.remove();
  }
}
