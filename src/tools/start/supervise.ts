import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hasLostNpm, whoRanIt } from "./parent.ts";

/** How long a program may take to end in order. Then its process group is ended. */
const STOP_WITHIN_MS = 4000;
/** How often this process looks whether npm still runs. */
const PARENT_EVERY_MS = 250;

/**
 * Runs a program in a process group of its own, with a temporary folder of its own, and resolves with its exit code when
 * the whole group has ended and the folder is gone.
 *
 * SIGINT, SIGTERM, SIGHUP and the end of npm ask the program to stop: its IPC channel closes. A second signal, or four
 * seconds, end the group. Where this process is killed, the channel closes too, and the program does the same itself.
 *
 * @param stopWithinMs How long the program may take to end in order. Default four seconds.
 */
export async function supervise(
  program: string,
  args: readonly string[],
  stopWithinMs = STOP_WITHIN_MS,
): Promise<number> {
  const ranBy = whoRanIt();
  let child: ChildProcess | null = null;
  let stopping = false;
  let impatience: NodeJS.Timeout | undefined;
  const stop = () => {
    if (stopping) {
      endGroup(child);
      return;
    }
    stopping = true;
    if (child?.connected) child.disconnect();
    impatience = setTimeout(() => endGroup(child), stopWithinMs);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);

  if (hasLostNpm()) return 0;
  const folder = mkdtempSync(join(tmpdir(), "envoyou-edge-"));
  try {
    child = fork(program, args, {
      detached: true,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: {
        ...process.env,
        TMPDIR: folder,
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_LOG_PATH: folder,
        // `watch-files.ts` sees every way of saving a file, and .dev.vars too.
        WRANGLER_CI_DISABLE_CONFIG_WATCHING: "true",
      },
    });
    // npm's shell may end at a signal without handing it on, and goes on when npm is killed.
    const watch = setInterval(() => {
      if (process.env.npm_lifecycle_event && whoRanIt() !== ranBy && !stopping) stop();
    }, PARENT_EVERY_MS);
    const code = await exitOf(child);
    clearInterval(watch);
    clearTimeout(impatience);
    await endedGroup(child);
    return stopping ? 0 : code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

/** Ends every process of the group that this child leads. */
function endGroup(child: Pick<ChildProcess, "pid"> | null): boolean {
  if (child?.pid === undefined) return false;
  try {
    process.kill(-child.pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/** Resolves when no process of the group runs: the files of one that still runs could not be removed. */
async function endedGroup(child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 100 && endGroup(child); attempt += 1) await sleep(20);
}
