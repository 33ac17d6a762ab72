import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * Processes that run with this text in their environment, their arguments or the path of their folder: every one that a test has
 * started with it. redis-server writes its title over its environment.
 */
export function processesWith(text: string): { pid: number; command: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, "utf8");
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        const folder = readlinkSync(`/proc/${name}/cwd`);
        // A process that has ended and is not waited for yet has neither.
        return command && `${environment}\0${command}\0${folder}`.includes(text)
          ? [{ pid: Number(name), command }]
          : [];
      } catch {
        return [];
      }
    });
}
