import { isNobody } from "../runtime/nobody.ts";
import { type ConfigIssue, described, shown } from "./config-error.ts";
import {
  pasted,
  readSecret,
  readSecrets,
  reportCharacters,
  secretText,
  withoutUnseenEnds,
} from "./read-secrets.ts";
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
 * off. What was pasted along is no part of a value: a name in quotes would be found in no request.
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
    const report: Report = (found, fix, which = "") => issues.push({ place: `${place}${which}`, found, fix });
    const given = own ?? old;
    // A secret that everybody knows, or a name that nobody has.
    const isNothing = typeof given === "string" && isNobody(given);
    if (isNothing) report("a word that stands for no value", "Set a value, or remove it.");
    // Other programs that read the same file take an address with its quotes, so that they are told of.
    const quoted = variable.kind === "url" && env[place];
    const value = typeof quoted === "string" && given !== undefined ? withoutUnseenEnds(quoted) : given;
    return [name, readers(variable, isNothing ? undefined : value, report)];
  };
  return Object.fromEntries(Object.entries(table).map(read)) as ValuesOf<Table>;
}

/** The value of a variable, a text as it was meant; undefined where it is unset, empty or blank. */
export function valueIn(env: Environment, name: string): unknown {
  const value = env[name] ?? undefined;
  return typeof value === "string" ? pasted(value) || undefined : value;
}

function readers(variable: Variable, value: unknown, report: Report): unknown {
  switch (variable.kind) {
    case "text":
      return readText(value, report, variable.ascii) ?? variable.default ?? null;
    case "secret":
      return readSecret(value, report);
    case "keys":
      // The entries are checked one by one, so that the issue names the entry.
      return secretText(value, report);
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

function plainText(value: unknown, report: Report): string | null {
  if (value === undefined) return null;
  if (Number.isFinite(value) || typeof value === "boolean") return String(value);
  return typeof value === "string"
    ? value
    : wrong(report, shown(value), "Must be a text, with commas in a list.", null);
}

function readText(value: unknown, report: Report, ascii = false): string | null {
  const text = plainText(value, report);
  return text === null || reportCharacters(text, ascii ? "token" : "text", report) ? null : text;
}

function readList(value: unknown, report: Report): string[] {
  const elements = plainText(value, report)?.split(",").map(pasted) ?? [];
  elements.forEach((each, index) => {
    const here: Report = (found, fix) => report(found, fix, `[${index}]`);
    if (each === "") here("nothing", "Remove the comma that has nothing beside it.");
    else if (/["']]?$/.test(each)) here(described(each), "Remove quotes and brackets.");
    else reportCharacters(each, "text", here);
  });
  return elements;
}

function readInteger(
  value: unknown,
  { default: fallback, min, max }: { default: number; min: number; max: number },
  report: Report,
): number {
  if (value === undefined) return fallback;
  const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
  if (Number.isInteger(number) && Number(number) >= min && Number(number) <= max) return Number(number);
  return wrong(report, shown(value), `Must be a whole number from ${min} to ${max}.`, fallback);
}

function readBoolean(value: unknown, report: Report): boolean | null {
  if (value === undefined) return null;
  const text = String(value);
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
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
