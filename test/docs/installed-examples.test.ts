import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { run } from "../../src/tools/check/run.ts";
import { startUpstashLocal, type UpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { hasChromium, launchChromium } from "../support/chromium.ts";
import { packInto } from "../support/pack.ts";
import { until } from "../support/until.ts";

const exec = promisify(execFile);

/** Each example is installed from the packed tarball by npm, type-checked with its own settings, and run by `wrangler dev`. */
let folder: string;
let upstash: UpstashLocal;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "envoyou-edge-examples-"));
  upstash = await startUpstashLocal({
    redis: inject("redisKind") === "redis-server" ? "required" : "embedded",
  });
  await packInto(folder);
});
afterAll(async () => {
  await upstash?.stop();
  await rm(folder, { recursive: true, force: true });
});

const children: ChildProcess[] = [];
afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null) continue;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
});

/** Installs an example as its user does. wrangler and TypeScript are this project's. */
async function install(name: string): Promise<string> {
  const own = join(folder, name);
  await cp(join("docs/examples", name), own, { recursive: true });
  const options = ["--omit=dev", "--no-audit", "--no-fund", "--prefer-offline"];
  const { stderr } = await exec("npm", ["install", ...options], { cwd: own });
  // npm warns of scripts that would run where the package is installed.
  expect(stderr).not.toContain("script");
  for (const tool of ["wrangler", "esbuild"])
    await symlink(resolve("node_modules", tool), join(own, "node_modules", tool));
  const vars = await readFile(join(own, ".dev.vars.example"), "utf8");
  await writeFile(
    join(own, ".dev.vars"),
    vars.replace(/(REST_URL=).*/, `$1${upstash.url}`).replace(/(REST_TOKEN=).*/, `$1${upstash.token}`),
  );
  return own;
}

/** @returns its address, once it listens. */
async function dev(own: string): Promise<string> {
  const wrangler = resolve("node_modules/.bin/wrangler");
  const args = ["dev", "--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0"];
  const env = {
    ...process.env,
    WRANGLER_SEND_METRICS: "false",
    PATH: `${resolve("node_modules/.bin")}:${process.env.PATH}`,
  };
  const child = spawn(wrangler, args, { cwd: own, env });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  await until(() => /Ready on \S+/.test(output) || child.exitCode !== null, "wrangler dev listens", 60_000);
  if (child.exitCode !== null) throw new Error(output);
  return /Ready on (\S+)/.exec(output)?.[1] ?? "";
}

async function typeErrors(own: string): Promise<string> {
  return (await run("tsc", ["-p", own])).output;
}

describe("limits alone", () => {
  it("takes ten lines, counts in Redis with one call and answers 429", async () => {
    const own = await install("limits");
    const lines = (await readFile(join(own, "worker.ts"), "utf8")).trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(await typeErrors(own)).toBe("");
    const address = await dev(own);
    // The first one also loads the script.
    const first = await fetch(`${address}/api/time`);
    expect(first.status).toBe(200);
    expect(first.headers.get("ratelimit")).toMatch(/^"api";r=59;t=\d+$/);
    upstash.resetCalls();
    await (await fetch(`${address}/api/time`)).text();
    expect(upstash.calls).toHaveLength(1);
    const statuses = new Map<number, number>();
    for (let n = 0; n < 60; n += 1) {
      const { status } = await fetch(`${address}/api/time`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    // A window may have begun meanwhile.
    expect([...statuses.keys()].sort()).toEqual([200, 429]);
    const calls = upstash.calls.length;
    const refused = await fetch(`${address}/api/time`);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(upstash.calls.length, "a blocked caller costs no call").toBe(calls);
  });
});

describe.skipIf(!hasChromium)("limits, session and cache", () => {
  it("are one call, with a login form and the client", { timeout: 240_000 }, async () => {
    const own = await install("app");
    expect(await typeErrors(own)).toBe("");
    const address = await dev(own);
    expect(await callsOfReport(address)).toEqual({ made: 1, stored: 1 });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(address);
      const said = page.locator("output");
      const says = (text: string | RegExp) => said.filter({ hasText: text }).waitFor({ timeout: 100_000 });
      const press = (name: string) => page.getByRole("button", { name }).click();
      await press("Report");
      await says("Session required.");
      await page.getByLabel("Name").fill("ada");
      await page.getByLabel("Password").fill("guess");
      await press("Sign in");
      await says("Wrong name or password.");
      await page.getByLabel("Password").fill("correct horse");
      await press("Sign in");
      await says("Signed in.");
      await press("Report");
      await says(/^Report of .*, MISS, \d+ requests left\.$/);
      await press("Report");
      await says(/^Report of .*, HIT, \d+ requests left\.$/);
      await press("Sign out");
      await says("Signed out.");
      await press("Report");
      await says("Session required.");
      for (let n = 0; n < 4; n += 1) {
        await page.getByLabel("Password").fill(`guess ${n}`);
        await press("Sign in");
        await says(n < 3 ? "Wrong name or password." : "Again in");
      }
    } finally {
      await browser.close();
    }
  });
});

/** As the docs have them tried: in the project's own folder, where `npm run check` lints what git does not ignore. */
it.each(["limits", "app"])("trying %s leaves nothing that git sees", async (name) => {
  const own = await readdir(join(folder, name), { withFileTypes: true });
  const made = own.map((each) => join("docs/examples", name, each.name) + (each.isDirectory() ? "/" : ""));
  const built = name === "app" ? ["docs/examples/app/public/page.js"] : [];
  const tarballs = ["docs/examples/envoyou-edge-0.1.0.tgz"];
  const { stdout: kept } = await exec("git", ["ls-files", "docs/examples"]);
  const seen = [...made, ...built, ...tarballs].filter(
    (file) => !kept.split("\n").some((each) => each.startsWith(file)),
  );
  expect(seen.length).toBeGreaterThan(3);
  const { output } = await run("git", ["check-ignore", ...seen]);
  expect(output.trim().split("\n").sort()).toEqual(seen.sort());
});

/** Calls that wait for a session, a limit or a stored answer; what is written after an answer only writes. */
async function callsOfReport(address: string): Promise<{ made: number; stored: number }> {
  const body = JSON.stringify({ user: "ada", password: "correct horse" });
  const signedIn = await fetch(`${address}/api/login`, { method: "POST", body });
  const authorization = `Bearer ${signedIn.headers.get("x-session-token")}`;
  const report = async (query: string) => {
    upstash.resetCalls();
    const response = await fetch(`${address}/api/report?${query}`, { headers: { authorization } });
    expect(response.status).toBe(200);
    await response.text();
    return upstash.calls.filter(({ commands }) =>
      commands.some(([name]) => /^(mget|eval)/i.test(String(name))),
    ).length;
  };
  // The first one may also load a script.
  await report("first");
  return { made: await report("second"), stored: await report("second") };
}
