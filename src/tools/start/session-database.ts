import { mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import type { Unstable_Config as WranglerConfig } from "wrangler";
import { run } from "../check/run.ts";
import { MIGRATIONS, NAME, sessionDatabaseIssue } from "../check/session-database.ts";
import type { Bindings } from "./edge.ts";

/** The local D1 database of the sessions. */
export interface SessionDatabase {
  /** What the Worker gets beside the bindings of wrangler.toml. */
  bindings: Bindings;
  /** The folder of wrangler's local state. Undefined: `.wrangler/state`, as under `wrangler dev`. */
  persist?: string;
  /** What the terminal says of it. */
  says: string;
}

export interface SessionDatabaseOptions {
  /** Whether `--database` was typed. */
  wanted: boolean;
  env: string | undefined;
  config: WranglerConfig;
}

const TABLES = "the tables of src/session/migrations";

/**
 * Makes the tables of the sessions, with `wrangler d1 migrations apply`, in the local database that wrangler.toml binds as
 * `SESSION_DB`. Where it binds none, a database of this run is bound, which ends with it.
 *
 * @returns null where there is no such database.
 * @throws Error that says in one message why there is none although it is wanted.
 */
export async function sessionDatabase(options: SessionDatabaseOptions): Promise<SessionDatabase | null> {
  const { wanted, env, config } = options;
  const bound = config.d1_databases.some(({ binding }) => binding === NAME);
  const file = relative(process.cwd(), config.configPath ?? "wrangler.toml");
  if (!wanted) {
    const says = `${NAME} of ${file}, local   (npm start -- --database makes its tables)`;
    return bound ? { bindings: {}, says } : null;
  }
  const issue = sessionDatabaseIssue(config);
  if (issue) throw new Error(`--database: ${issue}`);
  if (bound) {
    await migrate(["--config", file, ...(env ? ["--env", env] : [])]);
    return { bindings: {}, says: `${NAME} of ${file}, local, in .wrangler/state   (with ${TABLES})` };
  }
  const folder = mkdtempSync(join(tmpdir(), "session-database-"));
  const id = "envoyou-sessions";
  const own = {
    name: id,
    compatibility_date: config.compatibility_date,
    d1_databases: [
      { binding: NAME, database_name: id, database_id: id, migrations_dir: relative(folder, MIGRATIONS) },
    ],
  };
  writeFileSync(join(folder, "wrangler.json"), JSON.stringify(own));
  const persist = join(folder, "state");
  await migrate(["--config", join(folder, "wrangler.json"), "--persist-to", persist]);
  return {
    bindings: { [NAME]: { type: "d1", database_id: id, database_name: id } },
    persist,
    says: `${NAME}, a local D1 of this run   (with ${TABLES}; wrangler's other local state is of this run too)`,
  };
}

/** @throws Error with what wrangler printed last, where it fails. */
async function migrate(args: string[]): Promise<void> {
  const wrangler = resolve(
    dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
    "bin/wrangler.js",
  );
  const command = [wrangler, "d1", "migrations", "apply", NAME, "--local", ...args];
  // Without a terminal wrangler asks nobody whether it may.
  const { code, output } = await run(process.execPath, command, { CI: "1" });
  if (code === 0) return;
  const reason = output.split("\n").find((line) => /error/i.test(line)) ?? output.trim();
  throw new Error(`--database: wrangler d1 migrations apply ${NAME} --local fails: ${reason.trim()}`);
}
