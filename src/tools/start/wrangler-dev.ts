import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asEnvFile, type DevelopmentVars } from "./development-vars.ts";

export interface WranglerDevOptions {
  port: number;
  vars: DevelopmentVars;
  /** Gets every line that wrangler and the Worker print. */
  onLine(line: string): void;
  /** Gets what stops it as soon as it runs, before the Worker answers. */
  onStart(stop: () => Promise<void>): void;
}

export interface WranglerDev {
  url: string;
  /** Resolves when wrangler ends, with its exit code. */
  ended: Promise<number>;
}

const READY_WITHIN_MS = 60_000;

/**
 * Starts `wrangler dev` and resolves when the Worker answers. The variables are in a file that only this user can read.
 *
 * @throws Error where the Worker does not answer, or answers 500: its configuration has an issue.
 */
export async function startWranglerDev(options: WranglerDevOptions): Promise<WranglerDev> {
  const { port, vars, onLine, onStart } = options;
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-"));
  const file = join(folder, "vars");
  await writeFile(file, asEnvFile(vars), { mode: 0o600 });
  const child = spawn(
    "wrangler",
    [
      "dev",
      "--ip",
      "127.0.0.1",
      "--port",
      String(port),
      "--env-file",
      file,
      "--show-interactive-dev-session=false",
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      // Its own process group: Ctrl-C in the terminal reaches this process alone, which stops wrangler after the traffic.
      detached: true,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
    },
  );
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(onLine);
    });
  }
  const ended = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 0)));
  const stop = async () => {
    endGroup(child);
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  onStart(stop);

  const url = `http://localhost:${port}`;
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const until = Date.now() + READY_WITHIN_MS;
  while (!over && Date.now() < until) {
    const status = await fetch(`http://127.0.0.1:${port}/health/live`).then(
      (response) => response.status,
      () => null,
    );
    if (status === 200) return { url, ended };
    if (status === 500) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const reason = over
    ? "wrangler dev ended before the Worker answered"
    : "the Worker does not answer with 200";
  await stop();
  throw new Error(`npm start gives up: ${reason}.`);
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, "SIGTERM");
  } catch {
    // It has already ended.
  }
}
