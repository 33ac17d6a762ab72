import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { run } from "../../../src/tools/check/run.ts";
import { median } from "../compare/percentile.ts";
import { isOwn } from "./counts.ts";
import { APPS, type AppsProject, bundleIn, linesOf } from "./project.ts";
import { type Store, startApp } from "./running-app.ts";
import { BARE, LIMIT, limitWays, THIS, type Way } from "./ways.ts";

const exec = promisify(execFile);

/** The steps of adding limits that a machine can time, ms. */
export interface Timed {
  way: Way;
  /** What somebody does, not a machine: lines beyond the app without limits. */
  lines: number;
  install: number;
  types: number;
  firstAnswer: number;
  /** Until a 429 with the app's own body. */
  limited: number;
}

/** Of so many rounds, each with every way, the median counts. */
const ROUNDS = 3;

/**
 * Adds limits to the app of six routes in a folder of its own, as somebody who has hono installed does: every package comes from the
 * registry, with an empty cache, and this one from its tarball.
 */
export async function timeAll(project: AppsProject, store: Store): Promise<Timed[]> {
  const all: Timed[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    for (const way of limitWays) all.push(await timeOne(way, project, store));
  return limitWays.flatMap((way) => {
    const own = all.filter((timed) => timed.way === way);
    const middle = (step: "install" | "types" | "firstAnswer" | "limited") =>
      median(own.map((timed) => timed[step]));
    const steps = {
      install: middle("install"),
      types: middle("types"),
      firstAnswer: middle("firstAnswer"),
      limited: middle("limited"),
    };
    return own.slice(0, 1).map(({ lines }) => ({ way, lines, ...steps }));
  });
}

async function timeOne(way: Way, { tarball }: AppsProject, store: Store): Promise<Timed> {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-timed-"));
  try {
    const npm = (...packages: string[]) => {
      const cache = join(folder, "npm-cache");
      return exec("npm", ["install", "--no-audit", "--no-fund", "--cache", cache, ...packages], {
        cwd: folder,
      });
    };
    await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    await npm("hono");
    for (const file of [`${way.app}.ts`, "wrangler.toml"]) await cp(join(APPS, file), join(folder, file));
    const settings = { extends: join(APPS, "tsconfig.json"), include: [`${way.app}.ts`] };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));

    const install = await msOf(() => npm(...way.packages.map((name) => (name === THIS ? tarball : name))));
    const types = await msOf(async () => {
      const { code, output } = await run("tsc", ["-p", "tsconfig.json"], {}, folder);
      if (code !== 0) throw new Error(`${way.app}: ${output}`);
    });
    const lines = (await linesOf(way.app)) - (await linesOf(BARE));
    return { way, lines, install, types, ...(await answered(folder, way, store)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function answered(folder: string, { app: name }: Way, store: Store) {
  const since = performance.now();
  const app = await startApp((await bundleIn(folder, name)).contents, store);
  try {
    const ask = () => app.ask("/orders", { headers: { "x-tenant": "timed" } });
    if ((await ask()).status !== 200) throw new Error(`${name} does not answer`);
    const firstAnswer = performance.now() - since;
    const limited = await msOf(async () => {
      for (let n = 0; n <= LIMIT; n += 1) if (isOwn(await ask())) return;
      throw new Error(`${name} limits nobody`);
    });
    return { firstAnswer, limited };
  } finally {
    await app.stop();
    await store.upstash.redis.command("FLUSHALL");
  }
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}
