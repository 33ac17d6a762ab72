import { existsSync, readdirSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import type { Unstable_Config as WranglerConfig } from "wrangler";

/** The binding of the sessions' database. */
export const NAME = "SESSION_DB";
/** Where the migrations of the sessions are. */
export const MIGRATIONS = resolve(import.meta.dirname, "../../session/migrations");

/**
 * What is wrong with the binding of the sessions' database, for whoever reads `npm run check`.
 *
 * @returns null where all is well, or where there is no such binding.
 */
export function sessionDatabaseIssue(config: WranglerConfig): string | null {
  const database = config.d1_databases?.find(({ binding }) => binding === NAME);
  const others = Object.entries(config).filter(
    ([kind, value]) => kind !== "d1_databases" && kind !== "vars" && names(value),
  );
  const other = NAME in config.vars ? "vars" : others[0]?.[0];
  if (other !== undefined)
    return `${NAME} stands under ${other}. It must be the binding of a D1 database: [[d1_databases]], binding = "${NAME}". docs/sessions.md says how.`;
  if (!database) return null;
  const folder = resolve(dirname(config.configPath ?? "."), database.migrations_dir ?? "migrations");
  const wanted = migrationsIn(MIGRATIONS);
  const missing = wanted.filter((name) => !migrationsIn(folder).includes(name));
  if (missing.length === 0) return null;
  const fix = `migrations_dir = "${relative(dirname(resolve(config.configPath ?? ".")), MIGRATIONS)}"`;
  return database.migrations_dir === undefined
    ? `${NAME} has no migrations_dir: \`wrangler d1 migrations apply\` would not find the tables of the sessions. Add ${fix} to it.`
    : `${NAME} has migrations_dir = "${database.migrations_dir}", which lacks ${missing.join(", ")}. It should be ${fix}.`;
}

/** Whether a part of the configuration has a binding of this name, at whatever depth. */
function names(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { binding, name } = value as Record<string, unknown>;
  return binding === NAME || name === NAME || Object.values(value).some(names);
}

function migrationsIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".sql")) : [];
}
