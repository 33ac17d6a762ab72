import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { processesWith, until } from "../../../support/processes.ts";

/** Programs of several manners, each with a child of its own that hears no signal and a file in its temporary folder. */
const PROLOGUE = `
  import { spawn } from "node:child_process";
  import { writeFileSync } from "node:fs";
  import { tmpdir } from "node:os";
  import { join } from "node:path";
  writeFileSync(join(tmpdir(), "file"), "x");
  spawn("sh", ["-c", "trap '' TERM INT HUP; while :; do sleep 1; done"], { stdio: "ignore" });
  setInterval(() => {}, 1000);
  console.log("running");
`;
const MANNERS = {
  orderly: 'process.on("disconnect", () => process.exit(0));',
  deaf: "",
  "busy for good": 'process.on("disconnect", () => { for (;;); });',
};

let folder: string;
let temporary: string;
let supervisor: ChildProcess;
let printed = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "supervise-"));
  temporary = mkdtempSync(join(folder, "tmp-"));
  printed = "";
});
afterEach(() => {
  for (const { pid } of processesWith(temporary)) process.kill(pid, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function run(program: string): Promise<number | null> {
  const file = join(folder, "program.mjs");
  writeFileSync(file, program);
  const supervise = resolve("src/tools/start/supervise.ts");
  const main = join(folder, "main.mjs");
  writeFileSync(
    main,
    `import { supervise } from ${JSON.stringify(supervise)}; process.exitCode = await supervise(${JSON.stringify(file)}, []);`,
  );
  supervisor = spawn(process.execPath, [main], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "inherit"],
  });
  supervisor.stdout?.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  return new Promise((done) => supervisor.once("exit", done));
}

const nothingLeft = async () => {
  await until(() => processesWith(temporary).length === 0, "every process has ended", 15_000);
  expect(readdirSync(temporary)).toEqual([]);
};

it.each([
  ["SIGINT", "orderly"],
  ["SIGTERM", "orderly"],
  ["SIGHUP", "orderly"],
  ["SIGTERM", "deaf"],
  ["SIGINT", "busy for good"],
] as const)("%s to a program that is %s leaves nothing", { timeout: 60_000 }, async (signal, manner) => {
  const exit = run(PROLOGUE + MANNERS[manner]);
  await until(() => printed.includes("running"), "it runs");
  supervisor.kill(signal);
  expect(await exit).toBe(0);
  expect(processesWith(temporary)).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
});

it("a second signal does not wait", { timeout: 60_000 }, async () => {
  const exit = run(PROLOGUE);
  await until(() => printed.includes("running"), "it runs");
  const at = Date.now();
  supervisor.kill("SIGINT");
  await new Promise((done) => setTimeout(done, 200));
  supervisor.kill("SIGINT");
  await exit;
  expect(Date.now() - at).toBeLessThan(3500);
  await nothingLeft();
});

it.each([0, 3])(
  "a program that ends with %i by itself leaves nothing, and its code is the code",
  async (code) => {
    expect(await run(`${PROLOGUE} process.exit(${code});`)).toBe(code);
    await nothingLeft();
  },
);

it("a program that is killed leaves nothing", async () => {
  expect(await run(`${PROLOGUE} process.kill(process.pid, "SIGKILL");`)).toBe(1);
  await nothingLeft();
});

it.each([0, 20, 60, 120, 250, 500])(
  "SIGTERM %i ms after the start leaves nothing",
  { timeout: 60_000 },
  async (ms) => {
    const exit = run(PROLOGUE + MANNERS.orderly);
    await new Promise((done) => setTimeout(done, ms));
    supervisor.kill("SIGTERM");
    await exit;
    await nothingLeft();
  },
);
