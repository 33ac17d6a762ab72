import { existsSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { type Unstable_Config, unstable_getVarsForDev } from "wrangler";
import { meantBy } from "../check/variable-names.ts";

/** What a developer's own file says. */
export interface OwnVars {
  /** The file as shown (`.dev.vars`); null where there is none. */
  file: string | null;
  values: Record<string, string>;
  /** What stands in the file and has no effect, one sentence each. Values are never shown. */
  warnings: string[];
}

type ConfigPart = Pick<Unstable_Config, "userConfigPath" | "vars" | "secrets">;

/**
 * Reads `.dev.vars.NAME` or `.dev.vars`, else `.env` and its like, with the function that `wrangler dev` itself reads them with:
 * quotes, several lines, expansion, and what `secrets` in wrangler.toml admits are wrangler's.
 *
 * @param config wrangler.toml, as `unstable_readConfig` reads it.
 * @param env The environment of wrangler.toml, if any.
 * @throws Error that names the file, where it cannot be read.
 */
export function readOwnVars(config: ConfigPart, env: string | undefined): OwnVars {
  const path = pathOf(config, env);
  const file = path && relative(process.cwd(), path);
  const values = secretsIn(config, env, config.secrets, file);
  if (!path || !file) return { file: null, values, warnings: [] };
  const all = secretsIn(config, env, undefined, file);
  const dropped = Object.keys(all).filter((name) => !(name in values) && path.includes(".dev.vars"));
  return {
    file,
    values,
    warnings: [
      ...ignoredLines(readFileSync(path, "utf8")).map(
        (line) => `${file}, line ${line}: not NAME=VALUE, so it is not read.`,
      ),
      ...Object.entries(all)
        .filter(([, value]) => /^["'`]/.test(value) && !value.endsWith(value.charAt(0)))
        .map(([name]) => `${file}: the quote that begins ${name} is not closed, so it is part of the value.`),
      ...dropped.map(
        (name) =>
          `${file}: ${name} is not read. Where wrangler.toml has "secrets", wrangler dev reads only those and names in [vars].`,
      ),
      ...Object.keys(all).flatMap((name) => misspelt(file, name)),
    ],
  };
}

function pathOf({ userConfigPath }: ConfigPart, env: string | undefined): string | null {
  const folder = userConfigPath ? dirname(userConfigPath) : process.cwd();
  const names = [...(env ? [`.dev.vars.${env}`] : []), ".dev.vars", ".env"];
  return names.map((name) => resolve(folder, name)).find((path) => existsSync(path)) ?? null;
}

function secretsIn(
  { userConfigPath, vars }: ConfigPart,
  env: string | undefined,
  secrets: ConfigPart["secrets"],
  file: string | null,
): Record<string, string> {
  try {
    const read = unstable_getVarsForDev(userConfigPath, undefined, vars, env, true, secrets);
    return Object.fromEntries(
      Object.entries(read).flatMap(([name, binding]) =>
        binding.type === "secret_text" ? [[name, binding.value]] : [],
      ),
    );
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(
      `${file ?? ".dev.vars"} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
}

/** dotenv's own pattern of an assignment (16.3, `lib/main.js`): what lies between two of them is dropped without a word. */
const ASSIGNMENT =
  /(?:^|^)\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?(?:$|$)/gm;

/** Numbers of the lines that dotenv skips although they are neither blank nor a comment. */
export function ignoredLines(text: string): number[] {
  const lines = text.replace(/\r\n?/g, "\n").replace(/^\uFEFF/, "");
  const rest = lines.replace(ASSIGNMENT, (match) => match.replace(/[^\n]/g, " "));
  return rest
    .split("\n")
    .flatMap((line, index) => (line.trim() === "" || line.trim().startsWith("#") ? [] : [index + 1]));
}

function misspelt(file: string, name: string): string[] {
  const meant = meantBy(name);
  return meant.length > 0
    ? [`${file}: no variable is called ${name}. Did you mean ${meant.join(" or ")}?`]
    : [];
}
