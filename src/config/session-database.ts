import type { DatabaseBinding } from "./config.ts";
import type { ConfigIssue } from "./config-error.ts";

/** Reads the binding `SESSION_DB`. Whether its schema is there is known when it is first asked. */
export function readSessionDatabase(binding: unknown, issues: ConfigIssue[]): DatabaseBinding | null {
  if (binding === undefined) return null;
  if (isDatabase(binding)) return binding;
  issues.push({
    place: "SESSION_DB",
    found: typeof binding === "string" ? "a text" : "a value that is no D1 database",
    fix: "Must be a D1 binding ([[d1_databases]] in wrangler.toml), not a variable; remove it to keep no sessions in a database.",
  });
  return null;
}

function isDatabase(value: unknown): value is DatabaseBinding {
  const { prepare, batch, fetch } = Object(value) as Record<string, unknown>;
  // A service binding has a method of every name, and `fetch`.
  return typeof prepare === "function" && typeof batch === "function" && typeof fetch !== "function";
}
