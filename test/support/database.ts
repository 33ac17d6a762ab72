import { env } from "cloudflare:workers";
import migration from "../../src/session/migrations/0001_sessions.sql?raw";

/** The statements of a migration: a blank line ends each. */
export function statementsOf(text: string): string[] {
  return text
    .replaceAll(/^--.*\n/gm, "")
    .split(/;\s*\n\n|;\s*$/)
    .map((statement) => statement.trim())
    .filter(Boolean);
}

/**
 * A database of the tests, empty but for the schema. Each test file uses one of its own: vitest.config.ts lists them.
 *
 * @param migrated Whether it has the schema. Default true.
 */
export async function freshDatabase(name: string, migrated = true): Promise<D1Database> {
  const database = (env as unknown as Record<string, D1Database>)[name];
  if (!database) throw new Error(`vitest.config.ts has no database ${name}`);
  const { results } = await database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'session_%'")
    .all<{ name: string }>();
  const drops = results.map((table) => database.prepare(`DROP TABLE ${table.name}`));
  const creates = migrated ? statementsOf(migration).map((statement) => database.prepare(statement)) : [];
  if (drops.length + creates.length > 0) await database.batch([...drops, ...creates]);
  return database;
}

/** A binding whose calls are counted, and that can be cut off, be slow, or fail from the n-th call on. */
export function faultyDatabase(database: D1Database) {
  const faults = {
    /** Calls that were made. */
    calls: 0,
    /** Statements in them. */
    statements: 0,
    cut: false,
    /** It gets each call, and its reply is lost. */
    deaf: false,
    /** Every call hangs. */
    hangs: false,
    /** How many calls still pass before it is cut off. */
    passes: Number.POSITIVE_INFINITY,
  };
  const binding: Pick<D1Database, "prepare" | "batch"> = {
    prepare: (text) => database.prepare(text),
    async batch<Row>(statements: D1PreparedStatement[]) {
      faults.calls += 1;
      faults.statements += statements.length;
      if (faults.hangs) return new Promise<D1Result<Row>[]>(() => {});
      if (faults.passes <= 0) faults.cut = true;
      faults.passes -= 1;
      if (faults.cut) throw new Error("D1_ERROR: Network connection lost.");
      const results = await database.batch<Row>(statements);
      if (faults.deaf) throw new Error("D1_ERROR: Network connection lost.");
      return results;
    },
  };
  return { binding, faults };
}
