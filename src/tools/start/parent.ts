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

/** A shell, by the name that the system gives its process. npm and its like have other names: `npm start`, `node`. */
const SHELL = /^(?:ba|da|a|k|mk|z)?sh$|^busybox$/;

/**
 * Who ran this process: its parent and, where that is the shell with which npm runs a script, the parent of the shell. npm's shell
 * goes on when npm is killed. It changes when one of them ends; where npm needs no shell, npm's own parent may end.
 */
export function whoRanIt(parent: number = process.ppid, look: typeof processOf = processOf): string {
  const shell = look(parent);
  return shell && SHELL.test(shell.name) ? `${parent} ${shell.parent}` : `${parent}`;
}

function thisFamily(): Family {
  const { env, pid, ppid } = process;
  return { env, pid, group: groupOf(pid), parentGroup: groupOf(ppid) };
}

/** A process, as Linux shows it; null on another system, or where it has ended. */
function processOf(pid: number): { name: string; parent: number; group: number } | null {
  try {
    // The name of the program, in parentheses, may hold anything (proc(5)).
    const [, name = "", rest = ""] =
      /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    const [, parent, group] = rest.split(" ");
    return { name, parent: Number(parent), group: Number(group) };
  } catch {
    return null;
  }
}

function groupOf(pid: number): number | null {
  const found = processOf(pid);
  if (found) return found.group;
  try {
    return Number(execFileSync("ps", ["-o", "pgid=", "-p", String(pid)], { encoding: "utf8" }));
  } catch {
    return null;
  }
}
