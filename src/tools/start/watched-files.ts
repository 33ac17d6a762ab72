import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";

/** Folders that hold no code of the Worker, or nothing that anybody edits. */
const LEFT_OUT = new Set(["node_modules", ".git", ".wrangler"]);

/** The developer's files beside the Worker's code: the configuration and those that variables are read from. None needs to exist. */
export function ownFiles(configPath: string, env: string | undefined): string[] {
  const names = [".dev.vars", ".env", ".env.local", ...(env ? [`.dev.vars.${env}`, `.env.${env}`] : [])];
  return [configPath, ...names.map((name) => join(dirname(configPath), name))];
}

/** The folder, and all files and folders below it: a folder changes where a file is made in it. */
export function filesBelow(folder: string): string[] {
  return [folder, ...entriesOf(folder).flatMap((entry) => below(join(folder, entry.name), entry))];
}

const below = (path: string, entry: { isDirectory(): boolean }) =>
  entry.isDirectory() ? filesBelow(path) : [path];

/** None of a folder that has just been removed. */
function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !LEFT_OUT.has(name));
  } catch {
    return [];
  }
}
