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
}

export interface WranglerDev {
  url: string;
  /** Resolves when wrangler ends, with its exit code. */
  ended: Promise<number>;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

/** Starts `wrangler dev` and resolves when the Worker answers. The variables are in a file that only this user can read. */
export async function startWranglerDev({ port, vars, onLine }: WranglerDevOptions): Promise<WranglerDev> {
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

  const url = `http://localhost:${port}`;
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const until = Date.now() + READY_WITHIN_MS;
  while (!over && Date.now() < until) {
    const alive = await fetch(`http://127.0.0.1:${port}/health/live`).then(
      (response) => response.ok,
      () => false,
    );
    if (alive) return { url, ended, stop };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new Error(
    over ? "wrangler dev ended before the Worker answered" : "wrangler dev did not answer within 60 s",
  );
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, "SIGTERM");
  } catch {
    // It has already ended.
  }
}
