import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";

export interface TourShell {
  /** Runs one line in the shell, after those before it, and resolves with what it prints. */
  run(line: string): Promise<string>;
  stop(): void;
}

const MAX_CHARACTERS = 20_000;
const LINE_WITHIN_MS = 60_000;

/** One shell for the page's buttons, as the terminal that the lines are pasted into: what a line sets, the next ones have. */
export function startTourShell(preamble: string): TourShell {
  const shell = spawn("sh", [], { stdio: ["pipe", "pipe", "pipe"] });
  let printed = "";
  let arrived = () => {};
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      arrived();
    });
  }
  shell.on("error", () => arrived());
  shell.on("close", () => arrived());
  shell.stdin.on("error", () => {});
  shell.stdin.write(`${preamble}\n`);
  let last: Promise<unknown> = Promise.resolve();

  async function runNow(line: string): Promise<string> {
    const mark = `end of ${randomUUID()}`;
    printed = "";
    const until = performance.now() + LINE_WITHIN_MS;
    shell.stdin.write(`{ ${line}\n} </dev/null 2>&1\nprintf '%s' '${mark}'\n`);
    while (!printed.includes(mark)) {
      if (shell.exitCode !== null || shell.pid === undefined) return "The shell of the tour has ended.";
      if (performance.now() > until) return "The line has not ended within a minute.";
      await new Promise<void>((resolve) => {
        arrived = resolve;
        setTimeout(resolve, 1000);
      });
    }
    return printed.replace(mark, "").slice(0, MAX_CHARACTERS);
  }

  return {
    run(line) {
      const result = last.then(() => runNow(line));
      last = result.catch(() => {});
      return result;
    },
    stop: () => void shell.kill("SIGKILL"),
  };
}
