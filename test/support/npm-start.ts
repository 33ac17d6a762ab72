import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processesWith } from "./processes.ts";
import { until } from "./until.ts";

export interface NpmStartOptions {
  args?: string[];
  env?: Record<string, string | undefined>;
  /** A copy of the project: whoever deploys the edge has routes, variables and bindings of their own in this folder. */
  cwd: string;
  /** Start with npm, as a person does. Default: the program alone. */
  npm?: boolean;
}

/** `npm start`, with a temporary folder of its own, by which its processes are found. */
export class NpmStart {
  readonly temporary = mkdtempSync(join(tmpdir(), "npm-start-"));
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  printed = "";

  constructor({ args = [], env = {}, cwd, npm = false }: NpmStartOptions) {
    const command = npm
      ? ["npm", "start", "--", ...args]
      : [process.execPath, "src/tools/start/main.ts", ...args];
    this.child = spawn(command[0] ?? "", command.slice(1), {
      cwd,
      env: { ...process.env, ORIGIN_URL: undefined, ...env, TMPDIR: this.temporary },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.printed += chunk.toString();
      });
    }
    this.exit = new Promise((done) => this.child.once("close", done));
  }

  /** Resolves when everything runs. */
  async ready(): Promise<this> {
    await until(
      () => this.printed.includes("Ctrl-C stops everything") || this.child.exitCode !== null,
      "npm start runs",
      90_000,
    );
    if (this.child.exitCode !== null) throw new Error(`npm start ended:\n${this.printed}`);
    return this;
  }

  /** An address that was printed after this word. */
  address(word: "edge" | "page" | "origin" | "store"): string {
    return new RegExp(`^ {2}${word} +(\\S+)`, "m").exec(this.printed)?.[1] ?? "";
  }

  /** Waits for a text that is printed after this call. */
  async says(text: string | RegExp, withinMs = 60_000): Promise<string> {
    const from = this.printed.length;
    const holds = () => {
      const since = this.printed.slice(from);
      return typeof text === "string" ? since.includes(text) : text.test(since);
    };
    await until(holds, `npm start prints ${text}`, withinMs);
    return this.printed.slice(from);
  }

  /** Its processes that still run, and its temporary files. */
  left(): string[] {
    // npm's own, which it keeps.
    const files = readdirSync(this.temporary).filter((name) => name !== "node-compile-cache");
    return [...processesWith(this.temporary).map(({ command }) => command), ...files];
  }

  /** Ends it, whatever state it is in. */
  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<void> {
    this.child.kill(signal);
    const late = new Promise((done) => setTimeout(done, 10_000));
    await Promise.race([this.exit, late]);
    for (const { pid } of processesWith(this.temporary)) process.kill(pid, "SIGKILL");
    rmSync(this.temporary, { recursive: true, force: true });
  }
}
