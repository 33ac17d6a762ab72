import { type ConfigIssue, described, shown } from "./config-error.ts";
import { CONTROL, pasted, readSecret, readSecrets } from "./read-secrets.ts";
import { readUrl } from "./read-url.ts";
import type { Report } from "./report.ts";
import type { ValueOf, Variable } from "./variable.ts";

/** The environment as the Worker gets it: texts, and values that wrangler.toml writes as numbers, booleans or arrays. */
export type Environment = Record<string, unknown>;

/** What the variables of a table say. */
export type ValuesOf<Table extends Readonly<Record<string, Variable>>> = {
  -readonly [Name in keyof Table]: ValueOf<Table[Name]>;
};

/**
 * Reads every variable of a table. An empty or blank text counts as unset: `VAR = ""` is how people switch a variable
 * off.
 *
 * @param issues Every issue is added here, with the variable's name as its place.
 * @param warnings Every use of a former name is added here.
 */
export function readVariables<const Table extends Readonly<Record<string, Variable>>>(
  table: Table,
  env: Environment,
  issues: ConfigIssue[],
  warnings: string[],
): ValuesOf<Table> {
  const read = ([name, variable]: [string, Variable]): [string, unknown] => {
    const own = valueIn(env, name);
    const { formerly } = variable;
    const old = own === undefined && formerly ? valueIn(env, formerly) : undefined;
    if (old !== undefined) warnings.push(`${formerly} is the old name of ${name}: it works, but rename it.`);
    const place = old === undefined ? name : (formerly ?? name);
    const value = readers(variable, own ?? old, (found, fix, which = "") =>
      issues.push({ place: `${place}${which}`, found, fix }),
    );
    return [name, value];
  };
  return Object.fromEntries(Object.entries(table).map(read)) as ValuesOf<Table>;
}

/** The value of a variable, or undefined where it is unset, empty or blank. */
export function valueIn(env: Environment, name: string): unknown {
  const value = env[name];
  if (value === null || (typeof value === "string" && value.trim() === "")) return undefined;
  return value;
}

function readers(variable: Variable, value: unknown, report: Report): unknown {
  switch (variable.kind) {
    case "text":
      return readText(value, report, variable.ascii) ?? variable.default ?? null;
    case "secret":
      return readSecret(value, report);
    case "keys":
      // The entries are checked one by one, so that the issue names the entry.
      return typeof value === "string" || value === undefined
        ? value === undefined
          ? null
          : pasted(value) || null
        : wrong(report, described(value), "Must be a text.", null);
    case "secrets":
      return readSecrets(value, variable, report);
    case "list":
      return readList(value, report);
    case "integer":
      return readInteger(value, variable, report);
    case "boolean":
      return readBoolean(value, report) ?? variable.default;
    case "choice":
      return readChoice(value, variable.choices, report) ?? variable.default;
    case "url":
      return readUrl(value, report, variable.query);
    case "path":
      return readPath(value, variable.default, report);
    case "binding":
    case "routes":
      return value;
  }
}

function wrong<T>(report: Report, found: string, fix: string, fallback: T): T {
  report(found, fix);
  return fallback;
}

function readText(value: unknown, report: Report, ascii = false): string | null {
  if (value === undefined) return null;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return wrong(report, shown(value), "Must be a text.", null);
  const text = value.trim();
  if (CONTROL.test(text)) return wrong(report, shown(text), "Remove the control characters.", null);
  if (ascii && !/^[!-~]+$/.test(text))
    return wrong(report, shown(text), "Must be visible ASCII without blanks.", null);
  return text;
}

function readList(value: unknown, report: Report): string[] {
  const text = readText(value, report);
  if (text === null) return [];
  const elements = text.split(",").map((each) => each.trim());
  elements.forEach((each, index) => {
    if (each === "") report("nothing", "Remove the comma that has nothing beside it.", `[${index}]`);
  });
  return elements;
}

function readInteger(
  value: unknown,
  { default: fallback, min, max }: { default: number; min: number; max: number },
  report: Report,
): number {
  if (value === undefined) return fallback;
  const text = typeof value === "string" ? value.trim() : value;
  const number = typeof text === "string" && /^-?\d+$/.test(text) ? Number(text) : text;
  if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) return number;
  return wrong(report, shown(value), `Must be a whole number from ${min} to ${max}.`, fallback);
}

function readBoolean(value: unknown, report: Report): boolean | null {
  if (value === undefined) return null;
  const text = String(value).trim().toLowerCase();
  if (text === "true" || text === "1" || text === "yes" || text === "on") return true;
  if (text === "false" || text === "0" || text === "no" || text === "off") return false;
  return wrong(report, shown(value), "Must be true or false.", null);
}

function readChoice(value: unknown, choices: readonly string[], report: Report): string | null {
  const text = readText(value, report);
  if (text === null) return null;
  return (
    choices.find((choice) => choice === text.toLowerCase()) ??
    wrong(report, shown(text), `Must be one of ${choices.join(", ")}.`, null)
  );
}

/** A path of the edge's own: starts with `/`, ends without, and no segment is `.` or `..`, which no URL keeps. */
function readPath(value: unknown, fallback: string, report: Report): string {
  const text = readText(value, report);
  if (text === null) return fallback;
  if (/^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)+$/.test(text)) return text;
  return wrong(
    report,
    shown(text),
    `Must be a path such as ${fallback}: a / first, none last, no patterns.`,
    fallback,
  );
}
