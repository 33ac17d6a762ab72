import { readFileSync } from "node:fs";
import { basename } from "node:path";
import {
  experimental_readRawConfig,
  unstable_readConfig,
  type Unstable_Config as WranglerConfig,
} from "wrangler";
import { explainTomlError, type TomlError } from "./toml-errors.ts";
import { isSecret } from "./variable-names.ts";

/** A part of a wrangler configuration as it is written. */
export type Table = Record<string, unknown>;

/** A wrangler configuration as it is written: nothing is inherited, and nothing has a default. */
export interface WranglerFile {
  /** Its name, for messages. */
  name: string;
  path: string;
  text: string;
  raw: Table;
  /** The names under `[env]`. */
  environments: string[];
}

/** What an environment of it comes to, with wrangler's own defaults. */
export interface EffectiveConfig {
  vars: Table;
  services: { binding: string }[];
  databases: { binding: string }[];
  /** The binding of `[assets]`, where it has one. */
  assets: { binding: string }[];
  workersDev: boolean | undefined;
  previewUrls: boolean | undefined;
  routes: { pattern: string; isCustomDomain: boolean }[];
  requiredSecrets: string[];
  /** All that wrangler makes of it. */
  whole: WranglerConfig;
}

/** A file that wrangler cannot read. Its message says where and what to write. */
export class WranglerFileError extends Error {
  override readonly name = "WranglerFileError";
}

/**
 * @param path Of `wrangler.toml`, or of a `wrangler.json` or `wrangler.jsonc`.
 * @throws WranglerFileError where there is no such file, or wrangler cannot read it.
 */
export function readWranglerFile(path: string): WranglerFile {
  const name = basename(path);
  try {
    const raw = experimental_readRawConfig({ config: path }).rawConfig as Table;
    const environments = isTable(raw.env) ? Object.keys(raw.env) : [];
    return { name, path, text: readFileSync(path, "utf8"), raw, environments };
  } catch (error) {
    throw new WranglerFileError(explainWranglerError(name, error), { cause: error });
  }
}

/**
 * @param environment A name under `[env]`, or undefined for the top level.
 * @throws WranglerFileError where wrangler refuses a value.
 */
export function effectiveConfig({ name, path }: WranglerFile, environment?: string): EffectiveConfig {
  try {
    const config = unstable_readConfig({ config: path, env: environment ?? "" }, { hideWarnings: true });
    const routes = config.routes ?? (config.route === undefined ? [] : [config.route]);
    return {
      vars: config.vars,
      services: config.services ?? [],
      databases: config.d1_databases ?? [],
      assets: config.assets?.binding === undefined ? [] : [{ binding: config.assets.binding }],
      workersDev: config.workers_dev,
      previewUrls: config.preview_urls,
      routes: (routes as (string | { pattern: string; custom_domain?: boolean })[]).map((route) =>
        typeof route === "string"
          ? { pattern: route, isCustomDomain: false }
          : { pattern: route.pattern, isCustomDomain: route.custom_domain === true },
      ),
      requiredSecrets: config.secrets?.required ?? [],
      whole: config,
    };
  } catch (error) {
    throw new WranglerFileError(explainWranglerError(name, error, environment), { cause: error });
  }
}

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * What wrangler says of a file that it cannot use, as one message: where, what was found, what to write. Where it read the file
 * and refused a value the words are its own, which may show the value; those of TOML say too little.
 *
 * @param name The file's, as it is shown.
 * @param environment The one that was asked for, for the commands that are named.
 */
export function explainWranglerError(name: string, error: unknown, environment?: string): string {
  if (!(error instanceof Error)) return String(error);
  const { location } = error as { location?: Partial<TomlError> };
  const { line, lineText = "", fileText = "" } = location ?? {};
  const text = error.message.trim();
  const twice = /(\w+) assigned to Environment Variable and Secret bindings/.exec(text)?.[1];
  if (twice !== undefined) return `${name}: ${inBoth(twice, environment)}`;
  if (line === undefined || !text.includes("TOML")) {
    const where = line === undefined ? name : `${name}:${line}`;
    return `${where}: ${text.replace(/^Processing .* configuration:\s*/, "").replace(/^\s*- /gm, "")}`;
  }
  return explainTomlError(name, { text, line, lineText, fileText });
}

/** A name among the variables that is among the required secrets too. */
function inBoth(variable: string, environment?: string): string {
  const prefix = environment === undefined ? "" : `env.${environment}.`;
  const found = `found ${variable} in [${prefix}vars] and in [${prefix}secrets]`;
  if (!isSecret(variable)) return `${found}. It is no secret: remove it from "required".`;
  const env = environment === undefined ? "" : ` --env ${environment}`;
  return `${found}. It is a secret: remove the line in [${prefix}vars], and run: npx wrangler secret put ${variable}${env}`;
}

/**
 * The line of a name in a table of a TOML file, from 1, or undefined where it is not written so.
 *
 * @param table Its header's name (`env.staging.vars`), empty for the lines above the first header.
 */
export function lineOf(text: string, table: string, key: string): number | undefined {
  let current = "";
  for (const [index, line] of text.split("\n").entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]+/.exec(line)?.[1];
    if (header !== undefined) current = header.replaceAll(/["'\s]/g, "");
    else if (current === table && line.split("=")[0]?.trim().replaceAll(/["']/g, "") === key)
      return index + 1;
  }
  return undefined;
}
