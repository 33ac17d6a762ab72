import { readFileSync } from "node:fs";
import { basename } from "node:path";
import {
  experimental_readRawConfig,
  unstable_readConfig,
  type Unstable_Config as WranglerConfig,
} from "wrangler";
import { explainTomlError, type TomlError } from "./toml-errors.ts";

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
    throw new WranglerFileError(explained(name, error), { cause: error });
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
    throw new WranglerFileError(explained(name, error), { cause: error });
  }
}

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** wrangler's own words where it read the file and refused a value; those of TOML say too little. */
function explained(name: string, error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { location } = error as { location?: Partial<TomlError> };
  const { line, lineText = "", fileText = "" } = location ?? {};
  const text = error.message.trim();
  if (line === undefined || !text.includes("TOML")) {
    const where = line === undefined ? name : `${name}:${line}`;
    return `${where}: ${text.replace(/^Processing .* configuration:\s*/, "").replace(/^\s*- /gm, "")}`;
  }
  return explainTomlError(name, { text, line, lineText, fileText });
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
