import { hostIn } from "../../config/read-hosts.ts";
import { nearest } from "./nearest.ts";
import { isKnownVariable, isSecret, meantBy } from "./variable-names.ts";
import { type EffectiveConfig, isTable, lineOf, type Table, type WranglerFile } from "./wrangler-file.ts";
import {
  fitsTopLevel,
  notInherited,
  topLevelNames,
  type UnexpectedName,
  unexpectedNames,
} from "./wrangler-schema.ts";

/** What is said of a configuration. */
export interface Findings {
  /** What stops a deployment: the file says one thing and wrangler would do another. */
  issues: string[];
  /** What works and may surprise. */
  warnings: string[];
}

/** Tables that take any name, so that wrangler does not see what has fallen into them. */
const TAKES_ANY_NAME = ["vars", "define", "alias"];

const at = ({ name, text }: WranglerFile, tables: string[], key: string) => {
  const line = lineOf(text, tables.join("."), key);
  return line === undefined ? name : `${name}:${line}`;
};

/** Names that stand in another table than they belong to, and names that wrangler does not know. */
export function misplacedNames(file: WranglerFile, environment?: string): Findings {
  const { env, ...topLevel } = file.raw;
  const own = isTable(env) && environment !== undefined ? env[environment] : undefined;
  const parts = { ...topLevel, ...(own !== undefined && { env: { [environment ?? ""]: own } }) };
  const findings: Findings = {
    issues: listsOfVariables(file, topLevel.vars, environment, own),
    warnings: [],
  };
  for (const each of unexpectedNames(parts)) {
    const { tables, name } = each;
    const place = at(file, tables, name);
    const table = tables.length > 0 ? ` in [${tables.join(".")}]` : "";
    const where = newPlace(each);
    if (where !== null) {
      findings.issues.push(
        `${place}: found ${name}${table || " above the first [table]"}. Every line below a table's name belongs to that table: the Worker does not get this one. ${where}`,
      );
    } else if (each.expected !== null) {
      const near = meantTable(each) ?? nearest(name, each.expected)[0];
      findings.warnings.push(
        `${place}: wrangler does not know ${name}${table}, and ignores it.${near ? ` Did you mean ${near}?` : ""}`,
      );
    }
  }
  return findings;
}

/** `[[vars]]` is a list of tables: wrangler takes it, and the Worker gets no variable. */
function listsOfVariables({ name }: WranglerFile, vars: unknown, environment = "", own: unknown): string[] {
  const tables = { vars, [`env.${environment}.vars`]: isTable(own) ? own.vars : undefined };
  return Object.entries(tables)
    .filter(([, value]) => Array.isArray(value))
    .map(
      ([table]) =>
        `${name}: found [[${table}]], which is a list: the Worker gets none of it. Write [${table}].`,
    );
}

/** Where a name that is in the wrong place belongs; null where it is not one of another place. */
function newPlace(found: UnexpectedName): string | null {
  const { tables, name, expected } = found;
  const environment = tables[0] === "env" ? tables[1] : undefined;
  const isVariable =
    isKnownVariable(name) && (expected !== null || ["alias", "define"].includes(tables[0] ?? ""));
  if (isVariable && isSecret(name))
    return `It is a secret: remove the line, and run: npx wrangler secret put ${name}`;
  if (isVariable) return `Move it below [${environment === undefined ? "" : `env.${environment}.`}vars].`;
  const meant = fallenFromTopLevel(found);
  if (meant === null) return null;
  return (
    `Move ${meant === name ? "it" : `it, as ${meant},`} above the first [table] of the file` +
    `${environment === undefined ? "" : `, or directly below [env.${environment}]`}.`
  );
}

/** The name of the top level that it is, or null. */
function fallenFromTopLevel({ tables, name, value, expected }: UnexpectedName): string | null {
  const table = tables.at(-1) ?? "";
  if (tables.length === 0 || (tables.length === 1 && table === "env")) return null;
  if (expected !== null) {
    if (topLevelNames.includes(name)) return name;
    return nearest(name, expected).length > 0 ? null : (nearest(name, topLevelNames)[0] ?? null);
  }
  if (!TAKES_ANY_NAME.includes(table) || !topLevelNames.includes(name)) return null;
  // Somebody's own variable may be called `site`; nobody's is called `workers_dev`.
  return name.includes("_") || fitsTopLevel(name, value) ? name : null;
}

/** An environment that stands where no environment does: `[staging.vars]`, `[environments.staging]`. */
function meantTable({ tables, name, value }: UnexpectedName): string | null {
  if (tables.length > 0 || !isTable(value)) return null;
  if (/^env/i.test(name)) return "env";
  const isEnvironment = Object.keys(value).every((each) => topLevelNames.includes(each));
  return isEnvironment ? `[env.${name}]` : null;
}

/** What the top level has and an environment lacks, because wrangler does not take it over. */
export function missingInEnvironment(file: WranglerFile, environment: string): string[] {
  const { env } = file.raw;
  const own = isTable(env) && isTable(env[environment]) ? env[environment] : {};
  const namesOf = (value: unknown) =>
    isTable(value) ? Object.keys(value).filter((name) => !topLevelNames.includes(name)) : [];
  // What is misspelt, or a secret, is not to be written there either: their own warnings say what to do.
  const isVar = (name: string) => !isSecret(name) && meantBy(name).length === 0;
  const lacking = namesOf(file.raw.vars).filter((name) => isVar(name) && !namesOf(own.vars).includes(name));
  const tables = notInherited.filter(
    (name) => name !== "vars" && file.raw[name] !== undefined && own[name] === undefined,
  );
  return [
    ...(lacking.length > 0
      ? [
          `[env.${environment}] has no ${lacking.join(", ")}: an environment does not inherit [vars]. Write what it needs under [env.${environment}.vars].`,
        ]
      : []),
    ...tables.map(
      (name) =>
        `[env.${environment}] has no ${name}: an environment does not inherit ${name}. Write what it needs under ${Array.isArray(file.raw[name]) ? `[[env.${environment}.${name}]]` : `[env.${environment}.${name}]`}.`,
    ),
  ];
}

/** Variables and bindings whose names are nearly those that the Worker reads. */
export function misspelt(names: readonly string[], where: string): string[] {
  return names.flatMap((name) => {
    // One of wrangler's own names, which is told as misplaced.
    if (topLevelNames.includes(name)) return [];
    const meant = meantBy(name);
    return meant.length > 0
      ? [`${where}: the edge does not read ${name}: did you mean ${meant.join(" or ")}?`]
      : [];
  });
}

/** Secrets among the variables: the file, the dashboard and every log of a deployment show those. */
export function plainSecrets(vars: Table, where: string, environment?: string): string[] {
  const env = environment === undefined ? "" : ` --env ${environment}`;
  return Object.entries(vars).flatMap(([name, value]) => {
    const [meant = name] = meantBy(name);
    if (!isSecret(meant) || typeof value !== "string") return [];
    if (value.trim() === "")
      return isKnownVariable(name)
        ? [
            `${where}: ${name} is empty, and takes the place of the Worker's secret at each deployment. Remove the line.`,
          ]
        : [];
    return [
      `${where}: ${name} is a secret in plain text: the file and the dashboard show it. Remove the line, and run: npx wrangler secret put ${meant}${env}`,
    ];
  });
}

/** Addresses at which the Worker answers beside its own domain, or that are not its own. */
export function addressFindings({ routes, workersDev, previewUrls, vars }: EffectiveConfig): string[] {
  const domains = routes
    .filter(({ isCustomDomain }) => isCustomDomain)
    .map(({ pattern }) => pattern.toLowerCase());
  const found: string[] = [];
  const outside = "is an address that no WAF rule of your domain covers";
  if (routes.length > 0 && workersDev === true)
    found.push(`workers_dev = true beside routes: workers.dev ${outside}. Write workers_dev = false.`);
  if (routes.length > 0 && previewUrls === true)
    found.push(`preview_urls = true beside routes: each preview ${outside}. Write preview_urls = false.`);
  if (routes.length === 0 && workersDev === false)
    found.push(
      "workers_dev = false without routes: the Worker has no address. Add routes, or write workers_dev = true.",
    );
  for (const name of ["ORIGIN_URL", "UPSTASH_REDIS_REST_URL"]) {
    const value = vars[name];
    const host = typeof value === "string" && URL.canParse(value) ? new URL(value).hostname : "";
    if (/(^|\.)example\.(com|net|org)$|(^|-)example(-\d+)?\.upstash\.io$/.test(host))
      found.push(`${name} is still the example's address (${host}).`);
    if (name === "ORIGIN_URL" && domains.includes(host))
      found.push(
        `ORIGIN_URL is the Worker's own domain (${host}): it would ask itself. Give your API a name of its own.`,
      );
  }
  return [...found, ...plainAddresses(vars)];
}

/** This machine, as the tools and tests name it. */
const THIS_MACHINE = /^(localhost|.*\.localhost|127\..*|\[::1\])$/;

/** What each address carries: whoever stands on the way of an http:// reads it, and answers in the place of the one asked. */
const CARRIED = {
  UPSTASH_REDIS_REST_URL: "the database's token, and all sessions,",
  ORIGIN_URL: "ORIGIN_TOKEN, and what your users send,",
  JWT_JWKS_URL: "the keys by which JWTs are believed",
};

function plainAddresses(vars: Table): string[] {
  return Object.entries(CARRIED).flatMap(([name, carried]) => {
    const value = String(vars[name] ?? "").trim();
    if (!URL.canParse(value)) return [];
    const { protocol, hostname } = new URL(value);
    if (THIS_MACHINE.test(hostname))
      return [
        `${name} is this machine (${hostname}): right for npm start, and nothing that a deployed Worker reaches.`,
      ];
    return protocol === "http:"
      ? [
          `${name} begins with http://: ${carried} go unencrypted, and anybody on the way may answer. Write https://.`,
        ]
      : [];
  });
}

/** A console's host that no request to the Worker comes from, or that takes the only address that there is for the API. */
export function consoleFindings({ routes, workersDev, assets, vars }: EffectiveConfig): string[] {
  const { CONSOLE_HOST } = vars;
  const host = typeof CONSOLE_HOST === "string" ? hostIn(CONSOLE_HOST) : null;
  if (host === null) return [];
  const found: string[] = [];
  const isConsole = ({ pattern }: { pattern: string }) => covers(pattern, host);
  if (!routes.some(isConsole))
    found.push(
      `CONSOLE_HOST is ${host}, and no route of the Worker has that host: nobody reaches the console. Add { pattern = "${host}", custom_domain = true } to routes.`,
    );
  else if (workersDev !== true && routes.every((route) => hostOf(route.pattern) === host))
    found.push(
      `CONSOLE_HOST is ${host}, the only host of the Worker's routes: nothing of your API is reached. Give the console a host of its own.`,
    );
  if (!assets.some(({ binding }) => binding === "ASSETS"))
    found.push("CONSOLE_HOST is set, and [assets] has no binding ASSETS: the console's files are 404.");
  return found;
}

const hostOf = (pattern: string) => (pattern.replace(/^https?:\/\//i, "").split("/")[0] ?? "").toLowerCase();

/** Whether a route's pattern, in which `*` may begin a host, has a host. */
function covers(pattern: string, host: string): boolean {
  const own = hostOf(pattern);
  if (!own.startsWith("*")) return own === host;
  return host.endsWith(own.slice(1));
}
