import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { processesWith } from "../../../support/processes.ts";
import { until } from "../../../support/until.ts";

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

/** @param stopWithinMs How long it may take to end in order. Default that of `npm start`. */
function run(program: string, stopWithinMs?: number): Promise<number | null> {
  const file = join(folder, "program.mjs");
  writeFileSync(file, program);
  const supervise = resolve("src/tools/start/supervise.ts");
  const main = join(folder, "main.mjs");
  writeFileSync(
    main,
    `import { supervise } from ${JSON.stringify(supervise)}; process.exitCode = await supervise(${JSON.stringify(file)}, [], ${stopWithinMs});`,
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
  await until(() => processesWith(temporary).length === 0, "every process has ended");
  expect(readdirSync(temporary)).toEqual([]);
};

it.each([
  ["SIGINT", "orderly"],
  ["SIGTERM", "orderly"],
  ["SIGHUP", "orderly"],
  ["SIGTERM", "deaf"],
  ["SIGINT", "busy for good"],
] as const)("%s to a program that is %s leaves nothing", async (signal, manner) => {
  const exit = run(PROLOGUE + MANNERS[manner]);
  await until(() => printed.includes("running"), "it runs");
  supervisor.kill(signal);
  expect(await exit).toBe(0);
  expect(processesWith(temporary)).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
});

it("a second signal does not wait", async () => {
  // An hour: the test ends, so the second signal did it.
  const exit = run(`${PROLOGUE} process.on("disconnect", () => console.log("asked"));`, 3_600_000);
  await until(() => printed.includes("running"), "it runs");
  supervisor.kill("SIGINT");
  // Two signals of one kind are one, until the first is taken.
  await until(() => printed.includes("asked"), "the program has been asked to stop");
  supervisor.kill("SIGINT");
  await exit;
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

it.each([0, 20, 60, 120, 250, 500])("SIGTERM %i ms after the start leaves nothing", async (ms) => {
  const exit = run(PROLOGUE + MANNERS.orderly);
  await new Promise((done) => setTimeout(done, ms));
  supervisor.kill("SIGTERM");
  await exit;
  await nothingLeft();
});
