import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** What is known of this process and its parent. A group is null where it cannot be told. */
export interface Family {
  env: Readonly<Record<string, string | undefined>>;
  pid: number;
  /** The process group of this process, and of its parent. */
  group: number | null;
  parentGroup: number | null;
}

/**
 * Whether a script of package.json has lost the process that ran it before it could look: npm's shell ends at a signal without
 * handing it on, and the script's parent is then init or whatever adopts orphans. npm, its shell and its script are of one
 * process group; who adopts is of another. The leader of a group was put there by its parent.
 */
export function hasLostNpm({ env, pid, group, parentGroup }: Family = thisFamily()): boolean {
  if (env.npm_lifecycle_event === undefined || group === null || parentGroup === null) return false;
  return group !== pid && group !== parentGroup;
}

function thisFamily(): Family {
  const { env, pid, ppid } = process;
  return { env, pid, group: groupOf(pid), parentGroup: groupOf(ppid) };
}

function groupOf(pid: number): number | null {
  try {
    // The name of the program, in parentheses, may hold anything (proc(5)).
    const after = readFileSync(`/proc/${pid}/stat`, "utf8").split(")").at(-1) ?? "";
    return Number(after.trim().split(" ")[2]);
  } catch {
    // Not Linux, or it has ended.
  }
  try {
    return Number(execFileSync("ps", ["-o", "pgid=", "-p", String(pid)], { encoding: "utf8" }));
  } catch {
    return null;
  }
}
