import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { unstable_readConfig } from "wrangler";
import type { ConfigIssue } from "../../config/config-error.ts";
import { pasted } from "../../config/read-secrets.ts";
import { readVariables } from "../../config/read-variables.ts";
import type { Variable } from "../../config/variable.ts";
import { type VariableName, type VariableValues, variables } from "../../config/variables-table.ts";
import { isSecret } from "../check/variable-names.ts";
import { explainWranglerError } from "../check/wrangler-file.ts";
import { topLevelNames } from "../check/wrangler-schema.ts";
import { readOwnVars } from "../start/own-vars.ts";

export interface SettingsOptions {
  /** Path of the wrangler configuration. */
  file: string;
  /** A name under `[env.…]`, or undefined for the top level. */
  environment: string | undefined;
  /** Where secrets of a deployment are given. */
  env: Readonly<Record<string, string | undefined>>;
}

export interface Settings {
  values: VariableValues;
  /** Where each value that is set comes from: a file's name, or `environment`. */
  sources: ReadonlyMap<string, string>;
  issues: ConfigIssue[];
  notes: string[];
  /** The Worker that is bound as `ORIGIN`, if one is. */
  boundOrigin: string | null;
  /** What the configuration's `secrets.required` names. */
  required: readonly string[];
  /** Texts that must not be shown, by the name of their variable. */
  secrets: [name: string, value: string][];
}

/** The configuration cannot be read at all. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly code = "settings";
}

/** What is looked for in the environment: what differs from deployment to deployment, and never a level or a switch. */
const FROM_ENVIRONMENT: ReadonlySet<Variable["kind"]> = new Set(["url", "secret", "secrets", "keys", "text"]);

/**
 * The variables as a Worker would get them. The first that has a value wins: the environment; the file of development variables
 * as `wrangler dev` finds it; the vars of the wrangler configuration. With an environment, a `.dev.vars` that all environments
 * share only fills in what its vars lack: its values are made for this machine.
 *
 * @throws SettingsError where there is no such file or environment, or it is not TOML.
 */
export function readSettings({ file, environment, env }: SettingsOptions): Settings {
  const config = configOf(file, environment);
  const shared = environment !== undefined && !existsSync(join(dirname(file), `.dev.vars.${environment}`));
  const own = readOwnVars(config, environment);
  const development = { source: own.file ?? ".dev.vars", vars: own.values };
  const deployed = { source: file, vars: config.vars as Record<string, unknown> };
  const given = { source: "environment", vars: fromEnvironment(env) };
  const layers = shared ? [given, deployed, development] : [given, development, deployed];

  const merged: Record<string, unknown> = {};
  const sources = new Map<string, string>();
  for (const { source, vars } of layers.toReversed()) {
    for (const [name, value] of Object.entries(vars)) {
      if (value === undefined || (typeof value === "string" && value.trim() === "")) continue;
      merged[name] = value;
      sources.set(name, source);
    }
  }
  const issues: ConfigIssue[] = [];
  const notes: string[] = [];
  const values = readVariables(variables, merged, issues, notes);
  return {
    values,
    sources,
    issues,
    notes: [...notes, ...replaced(deployed, sources, merged), ...secretsInFile(deployed)],
    boundOrigin:
      config.services?.find(({ binding }: { binding: string }) => binding === "ORIGIN")?.service ?? null,
    required: config.secrets?.required ?? [],
    secrets: secretTexts(layers.map(({ vars }) => vars)),
  };
}

function configOf(file: string, environment: string | undefined) {
  if (!existsSync(file)) throw new SettingsError(`There is no ${file} here.`);
  try {
    const { definedEnvironments = [] } = unstable_readConfig({ config: file }, { hideWarnings: true });
    if (environment !== undefined && !definedEnvironments.includes(environment)) {
      const known = definedEnvironments.length > 0 ? definedEnvironments.join(", ") : "none";
      throw new SettingsError(`${file} has no environment ${environment}. It has: ${known}.`);
    }
    return unstable_readConfig(
      { config: file, ...(environment !== undefined && { env: environment }) },
      { hideWarnings: true },
    );
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    // Where the words are wrangler's own they may quote a value, which may be a secret.
    const said = explainWranglerError(basename(file), error, environment);
    const safe = /: found /.test(said) ? said : said.replace(/^.*["'].*$/gm, withoutValues);
    throw new SettingsError(`${safe}\n   \`npm run check\` says the same of every environment.`);
  }
}

/** A line up to the first text in quotes that is no name of wrangler's own. */
function withoutValues(line: string): string {
  const [, head = "", name = "", rest = ""] = /^([^"']*)["']([^"']*)["']?([^"']*)/.exec(line) ?? [];
  return topLevelNames.includes(name) ? `${head}"${name}"${rest}…` : `${head}…`;
}

function fromEnvironment(env: SettingsOptions["env"]): Record<string, string | undefined> {
  const names = (Object.keys(variables) as VariableName[]).filter((name) =>
    FROM_ENVIRONMENT.has(variables[name].kind),
  );
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}

/** Where a file for this machine hides what a deployment has. */
function replaced(
  { source, vars }: { source: string; vars: Record<string, unknown> },
  sources: ReadonlyMap<string, string>,
  merged: Readonly<Record<string, unknown>>,
): string[] {
  return Object.keys(vars).flatMap((name) => {
    const used = sources.get(name);
    if (used === undefined || used === source || merged[name] === vars[name]) return [];
    return [
      `${name} is taken from ${used === "environment" ? "the environment" : used}; a deployment has another, from ${source}.`,
    ];
  });
}

function secretsInFile({ source, vars }: { source: string; vars: Record<string, unknown> }): string[] {
  return secretNames
    .filter((name) => typeof vars[name] === "string" && vars[name].trim() !== "")
    .map(
      (name) =>
        `${name} stands in ${source}, which everybody with the repository reads; a secret goes in with wrangler secret put.`,
    );
}

/** The variables that are secrets, those that one must set first. */
export const secretNames = (Object.keys(variables) as VariableName[]).filter(isSecret);

function secretTexts(layers: readonly Record<string, unknown>[]): [string, string][] {
  return layers.flatMap((vars) =>
    (Object.keys(variables) as VariableName[]).flatMap((name): [string, string][] => {
      const value = vars[name];
      if (typeof value !== "string") return [];
      const entries = value.split(",");
      const texts = isSecret(name)
        ? [value, ...entries, ...entries.map((entry) => entry.split(":")[0] ?? "")]
        : partsOfUrl(pasted(value));
      return texts.map((text) => [name, pasted(text)]);
    }),
  );
}

/** What of an address is a secret wherever it stands: user, password, query and fragment. */
function partsOfUrl(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { username, password, search, hash, searchParams } = new URL(text);
  return [username, password, search.slice(1), hash.slice(1), ...searchParams.values()].map(decoded);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
