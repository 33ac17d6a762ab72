import { spawn } from "node:child_process";

export interface RunResult {
  code: number;
  /** Both streams, as they came. */
  output: string;
}

/**
 * Runs a program of this project's `node_modules/.bin` and gathers what it prints.
 *
 * @param env Variables beside those of this process.
 * @param cwd The folder it runs in. Default this one.
 */
export function run(
  program: string,
  args: string[],
  env: Record<string, string> = {},
  cwd = ".",
): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1", ...env },
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on("error", (error) => resolve({ code: 127, output: `${output}${error.message}` }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
