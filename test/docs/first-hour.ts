import { type ChildProcess, spawn } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "../../src/tools/check/run.ts";
import { startUpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { expressSource } from "./express-api.ts";

/**
 * `node test/docs/first-hour.ts`: plays somebody who has just found the project, on a clean clone of the last commit, and prints
 * the seconds that each step takes. By hand, on a quiet machine with a network: `npm ci` is one of the steps.
 */
const TOKEN = "origin-token-of-the-first-hour";
const rows: [step: string, seconds: number, saw: string][] = [];

async function step(name: string, work: () => Promise<string>): Promise<void> {
  const started = performance.now();
  const saw = await work();
  const seconds = (performance.now() - started) / 1000;
  rows.push([name, seconds, saw]);
  console.log(`${seconds.toFixed(1).padStart(7)} s  ${name}  (${saw})`);
}

/** Runs a line in the clone. @throws Error with what it printed, where it fails. */
async function typed(folder: string, line: string, env: Record<string, string> = {}): Promise<string> {
  const { code, output } = await run("bash", ["-euc", line], env, folder);
  if (code !== 0) throw new Error(`${line}: exit code ${code}\n${output}`);
  return output;
}

/** Asks until the answer is as wanted. */
async function answered(url: string, wanted: (answer: Response) => boolean): Promise<string> {
  for (let i = 0; i < 1200; i += 1) {
    const answer = await fetch(url).catch(() => null);
    if (answer && wanted(answer)) return `${answer.status} ${new URL(url).pathname}`;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${url} did not answer as wanted within two minutes`);
}

/** Ends it as a terminal does: the signal goes to the whole group, since npm does not hand SIGINT on. */
async function ended({ child, signal }: { child: ChildProcess; signal: NodeJS.Signals }): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise((done) => child.once("exit", done));
  process.kill(-child.pid, signal);
  await gone;
}

const PORT = 18_787;
const API_PORT = 18_400;
const EDGE = `http://127.0.0.1:${PORT}`;
/** What `npm start` has printed. */
let printed = "";
function start(folder: string, ...args: string[]): ChildProcess {
  const child = spawn("npm", ["start", "--", "--port", String(PORT), ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, ORIGIN_TOKEN: TOKEN },
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
  return child;
}

/** Waits for a line that begins so and comes after this call. */
async function printedLine(begins: string): Promise<string> {
  const from = printed.length;
  for (let i = 0; i < 6000; i += 1) {
    const line = printed
      .slice(from)
      .split("\n")
      .slice(0, -1)
      .find((each) => each.startsWith(begins));
    if (line !== undefined) return line;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error(`npm start did not print ${begins} within a minute:\n${printed.slice(from)}`);
}

/** Saves an issue, to the message; and the file as it was, to the line that says so. */
async function issue(name: string, file: string, edit: (text: string) => string): Promise<void> {
  const good = await readFile(file, "utf8");
  await step(`${name}, to its message`, async () => {
    const said = printedLine("error: ");
    await writeFile(file, edit(good));
    return (await said).slice("error: ".length).split(". ")[0] ?? "";
  });
  await step("fixed, to its effect", async () => {
    const said = printedLine("Reloaded.");
    await writeFile(file, good);
    return said;
  });
}

const place = await mkdtemp(join(tmpdir(), "envoyou-edge-first-hour-"));
const folder = join(place, "edge");
const children: ChildProcess[] = [];
try {
  await step("git clone", () =>
    typed(place, `git clone -q ${resolve(".")} edge`).then(() => "a clean clone"),
  );
  await step("npm ci", () =>
    typed(folder, "npm ci")
      .then(() => typed(folder, "du -sm node_modules | cut -f1"))
      .then((mb) => `${mb.trim()} MB`),
  );
  await step("npm start, to the first answer", async () => {
    children.push(start(folder));
    return answered(`${EDGE}/v1/emissions/factors`, ({ status }) => status === 200);
  });
  await step("Ctrl-C", async () => {
    for (const child of children.splice(0)) await ended({ child, signal: "SIGINT" });
    return "ended";
  });

  // In a folder that git and the check leave alone, from which it finds the clone's express.
  await mkdir(join(folder, "dist"));
  await writeFile(join(folder, "dist/api.mjs"), expressSource());
  await writeFile(join(folder, ".dev.vars"), `ORIGIN_TOKEN=${TOKEN}\n`);
  await step("your own API behind it", async () => {
    children.push(
      spawn("node", ["dist/api.mjs"], {
        cwd: folder,
        stdio: "ignore",
        detached: true,
        env: { ...process.env, ORIGIN_TOKEN: TOKEN, PORT: String(API_PORT) },
      }),
      start(folder, "--origin", `http://127.0.0.1:${API_PORT}`),
    );
    return answered(`${EDGE}/items`, ({ status }) => status === 200);
  });
  await step("a changed route, to its effect", async () => {
    const file = join(folder, "src/routes.ts");
    const route = `defineRoutes([{ path: "/items", cache: { ttl: 60, scope: "shared" } },`;
    await writeFile(file, (await readFile(file, "utf8")).replace("defineRoutes([", route));
    return answered(`${EDGE}/items`, ({ headers }) => headers.get("x-cache") === "HIT");
  });
  const routes = join(folder, "src/routes.ts");
  await issue("a syntax error in routes.ts", routes, (text) =>
    text.replace("defineRoutes([", "defineRoutes([,,}"),
  );
  await issue("a wrong value in routes.ts", routes, (text) => text.replace('"/items"', '"items"'));
  await issue("a wrong value in .dev.vars", join(folder, ".dev.vars"), (text) => `${text}LOG_LEVEL=loud\n`);
  await issue(
    "a syntax error in wrangler.toml",
    join(folder, "wrangler.toml"),
    (text) => `${text}\nx = = 3\n`,
  );

  const store = await startUpstashLocal();
  try {
    await step("npm run check", () => typed(folder, "npm run check").then(() => "nothing wrong"));
    await appendFile(
      join(folder, ".dev.vars"),
      `ORIGIN_URL=http://127.0.0.1:${API_PORT}\nUPSTASH_REDIS_REST_URL=${store.url}\nUPSTASH_REDIS_REST_TOKEN=${store.token}\n` +
        `SESSION_SECRET=${"0123456789abcdef".repeat(3)}\nSERVICE_TOKEN=service-token-of-the-first-hour\n`,
    );
    await step("npm run doctor", () => typed(folder, "npm run doctor").then(() => "all is well"));
    await step("npm run deploy, dry", () =>
      typed(folder, "npm run deploy -- --dry-run").then(() => "bundled"),
    );
  } finally {
    await store.stop();
  }
  const total = rows.reduce((sum, [, seconds]) => sum + seconds, 0);
  console.log(`\n| step | s | |\n|---|---|---|`);
  for (const [name, seconds, saw] of rows)
    console.log(`| ${name} | ${seconds.toFixed(1)} | ${saw.replaceAll("|", "\\|")} |`);
  console.log(`| all | ${total.toFixed(1)} | |`);
} finally {
  for (const child of children) await ended({ child, signal: "SIGTERM" });
  await rm(place, { recursive: true, force: true });
}
