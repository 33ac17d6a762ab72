import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, inject, it } from "vitest";
import { freePort } from "../../src/tools/ports.ts";
import { NpmStart, type NpmStartOptions } from "../support/npm-start.ts";
import { processesWith } from "../support/processes.ts";
import { untouchedProject } from "../support/project-copy.ts";
import { until } from "../support/until.ts";

const SERVICE_TOKEN = "service-token-of-this-test";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A run in a copy of the project, whose service token is known. */
async function start(args: string[], options: Omit<NpmStartOptions, "cwd"> & { toml?: string } = {}) {
  const project = await untouchedProject();
  cleanups.push(() => project.remove());
  await project.write(".dev.vars", `SERVICE_TOKEN=${SERVICE_TOKEN}\nSTORE_DEADLINE_MS=10000\n`);
  if (options.toml) appendFileSync(join(project.folder, "wrangler.toml"), options.toml);
  const ports = ["--port", String(await freePort()), "--page-port", "0"];
  const run = new NpmStart({ ...options, cwd: project.folder, args: [...args, ...ports] });
  cleanups.push(() => run.stop());
  return { run, project };
}

function client(run: NpmStart) {
  const ask = (path: string, init?: RequestInit) => fetch(`${run.address("edge")}${path}`, init);
  const as = (token: string, method: string, path: string) =>
    ask(path, { method, headers: { authorization: `Bearer ${token}` } });
  return {
    status: async (token: string) => (await as(token, "GET", "/v1/user/profile")).status,
    end: async (token: string) => (await as(token, "DELETE", "/auth/sessions/current")).status,
    storage: async () => {
      const health = (await (await ask("/health")).json()) as { services: { session_storage: string } };
      return health.services.session_storage;
    },
    async signIn(user: string): Promise<string> {
      const response = await ask("/auth/sessions", {
        method: "POST",
        headers: { authorization: `Bearer ${SERVICE_TOKEN}`, "content-type": "application/json" },
        body: JSON.stringify({ user_id: user }),
      });
      expect(response.status).toBe(201);
      return ((await response.json()) as { token: string }).token;
    },
  };
}

const BINDING = `
[[d1_databases]]
binding = "SESSION_DB"
database_name = "envoyou-sessions"
database_id = "00000000-0000-0000-0000-000000000000"
`;

describe("npm start -- --database", { timeout: 180_000 }, () => {
  it.runIf(inject("redisKind") === "redis-server")(
    "a session goes on, and ends, when Redis is killed",
    async () => {
      const { run } = await start(["--database"]);
      await run.ready();
      expect(run.printed).toMatch(/^ {2}database SESSION_DB, a local D1 of this run /m);
      const { signIn, status, end, storage } = client(run);
      const [kept, ended] = [await signIn("user_1"), await signIn("user_2")];
      expect(await status(kept)).toBe(200);
      expect(await storage()).toBe("redis");
      const redis = processesWith(run.temporary).filter(({ command }) => command.includes("redis-server"));
      expect(redis).toHaveLength(1);
      for (const { pid } of redis) process.kill(pid, "SIGKILL");

      expect(await status(kept)).toBe(200);
      expect(await end(ended)).toBe(200);
      await until(async () => (await storage()) === "database", "sessions are in the database");
      expect(await status(ended)).toBe(401);
      expect(await status(kept)).toBe(200);
      await run.stop("SIGTERM");
    },
  );

  it("without a store a session outlives its isolate, and nothing stays at the end", async () => {
    const { run, project } = await start(["--database", "--no-store"]);
    await run.ready();
    expect(run.printed).toContain("store    none: everything but sessions lives in the isolate's memory");
    expect(run.printed).toContain("limits and cache live in this isolate's memory");
    const { signIn, status, end, storage } = client(run);
    const [kept, ended] = [await signIn("user_1"), await signIn("user_2")];
    expect(await end(ended)).toBe(200);
    const reloaded = run.says("Reloaded.");
    appendFileSync(join(project.folder, "src/routes.ts"), "// edited\n");
    await reloaded;
    expect(await status(kept)).toBe(200);
    expect(await status(ended)).toBe(401);
    expect(await storage()).toBe("database");
    run.child.kill("SIGINT");
    await run.exit;
    await until(() => run.left().length === 0, `nothing is left, but ${run.left()}`);
    expect(existsSync(join(project.folder, ".wrangler/state/v3/d1"))).toBe(false);
  });

  it("a binding of wrangler.toml gets its tables in .wrangler/state", async () => {
    const { run, project } = await start(["--database", "--no-store"], {
      toml: `${BINDING}migrations_dir = "src/session/migrations"\n`,
    });
    await run.ready();
    expect(run.printed).toMatch(/^ {2}database SESSION_DB of wrangler\.toml, local, in \.wrangler\/state /m);
    const { signIn, status, storage } = client(run);
    expect(await status(await signIn("user_1"))).toBe(200);
    expect(await storage()).toBe("database");
    expect(existsSync(join(project.folder, ".wrangler/state/v3/d1"))).toBe(true);
    expect(readFileSync(join(project.folder, "wrangler.toml"), "utf8")).toContain(BINDING);
  });

  it.each([
    { what: "without migrations_dir", toml: BINDING, says: "--database: SESSION_DB has no migrations_dir" },
    {
      what: "that is a variable",
      toml: '\n[vars]\nSESSION_DB = "x"\n',
      says: "--database: SESSION_DB stands under vars",
    },
  ])("a SESSION_DB $what is one message, and nothing stays", async ({ toml, says }) => {
    const { run } = await start(["--database", "--no-store"], { toml });
    expect(await run.exit).toBe(1);
    expect(run.printed.split("\n").slice(0, 2)).toEqual([
      "Starting Envoyou Edge …",
      expect.stringContaining(says),
    ]);
    expect(run.printed.trim().split("\n")).toHaveLength(2);
    expect(run.left()).toEqual([]);
  });
});
