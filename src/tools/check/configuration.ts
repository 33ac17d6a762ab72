import { ConfigError } from "../../config/config-error.ts";
import type { Route, RouteInput } from "../../config/route.ts";
import type { Variable } from "../../config/variable.ts";
import { variables } from "../../config/variables-table.ts";
import { loadConfig } from "../../edge/load-config.ts";
import routes from "../../routes.ts";
import {
  addressFindings,
  consoleFindings,
  type Findings,
  misplacedNames,
  missingInEnvironment,
  misspelt,
  plainSecrets,
} from "./findings.ts";
import { nearest } from "./nearest.ts";
import { routeWarnings } from "./route-warnings.ts";
import { sessionDatabaseIssue } from "./session-database.ts";
import { workersCacheIssue } from "./workers-cache.ts";
import {
  type EffectiveConfig,
  effectiveConfig,
  isTable,
  readWranglerFile,
  type Table,
  type WranglerFile,
  WranglerFileError,
} from "./wrangler-file.ts";

export interface ConfigurationCheck {
  /** `default`, or the name of a wrangler environment. */
  environment: string;
  /** Null when all is well; else what to fix: the very words that the Worker would log, or where the file is wrong. */
  issue: string | null;
  warnings: string[];
}

/** Each is another: two tokens that are the same would be an issue. */
const assumed = (name: string) => `${name}-assumed-to-be-set-as-a-secret-of-the-Worker`;

const UNREADABLE_REFUSALS =
  "CORS_ALLOWED_ORIGINS is not set, so your API answers CORS: pages of other origins cannot read the edge's own refusals (401, 403, 429, 503). " +
  "If such pages call it, set CORS_ALLOWED_ORIGINS to their origins (https://app.example.com): the edge then answers CORS for your API too.";

/** Whether the edge itself may refuse a request of this route. */
function mayRefuse({ access, limits, tiers }: Route): boolean {
  return access !== "public" || limits.length > 0 || tiers.size > 0;
}

const notCalled = () => Promise.reject(new Error("not called by a check"));
/** Stand for bindings, which only the Worker has. */
const boundOrigin = { fetch: notCalled };
const boundDatabase = { prepare: notCalled, batch: notCalled };

/**
 * Secrets are no part of wrangler.toml. The check assumes those that it requires, and those that other rules and warnings
 * ask for: the store's token where there is a store, and those without which a Worker would warn, unless the file lists what it
 * requires and one that only a console needs is not there.
 */
function withAssumedSecrets(vars: Table, required: readonly string[]): Table {
  const kindOf = (name: string) => (variables as Record<string, Variable>)[name]?.kind;
  const assumable = required.filter((name) => ["secret", "secrets"].includes(kindOf(name) ?? ""));
  return {
    ORIGIN_TOKEN: assumed("ORIGIN_TOKEN"),
    SESSION_SECRET: assumed("SESSION_SECRET"),
    // Where the file lists the secrets that a deployment must have, a console's is missing if it is not among them.
    ...(required.length === 0 && { ADMIN_TOKEN: assumed("ADMIN_TOKEN") }),
    ...Object.fromEntries(assumable.map((name) => [name, assumed(name)])),
    ...(vars.UPSTASH_REDIS_REST_URL ? { UPSTASH_REDIS_REST_TOKEN: assumed("UPSTASH_REDIS_REST_TOKEN") } : {}),
    ...vars,
  };
}

/**
 * Reads what wrangler would deploy, and the routes, with the Worker's own code.
 *
 * @param path Of the wrangler configuration.
 * @param environment A name under `[env.…]`, or undefined for the top level.
 * @param more Variables that replace those of the file, as `wrangler deploy --var` does.
 * @param list The routes, where no variable replaces them. Default those of `src/routes.ts`.
 *
 * @example checkConfiguration("wrangler.toml", "staging", { EDGE_MODE: "observe" }).issue // null
 */
export function checkConfiguration(
  path: string,
  environment?: string,
  more: Record<string, string> = {},
  list: readonly RouteInput[] = routes,
): ConfigurationCheck {
  const misplaced: Findings = { issues: [], warnings: [] };
  /** What can be said of the file where wrangler refuses it, too. */
  let written: string[] = [];
  const result = (issues: string[], warnings: string[]): ConfigurationCheck => ({
    environment: environment ?? "default",
    issue: [...misplaced.issues, ...issues].join("\n") || null,
    warnings: [...misplaced.warnings, ...warnings],
  });
  try {
    const file = readWranglerFile(path);
    const unknown = unknownEnvironment(file, environment);
    if (unknown !== null) return result([unknown], []);
    Object.assign(misplaced, misplacedNames(file, environment));
    written = writtenNames(file, environment);
    const config = effectiveConfig(file, environment);
    const bound = sessionDatabaseIssue(config.whole) ?? workersCacheIssue(config.whole);
    if (bound !== null) return result([bound], []);
    const worker = checkWorker(config, more, list);
    return result(worker.issue === null ? [] : [worker.issue], [
      ...(environment === undefined ? [] : missingInEnvironment(file, environment)),
      ...nameFindings(file, config, more, environment),
      ...addressFindings(config),
      ...consoleFindings(config),
      ...worker.warnings,
    ]);
  } catch (error) {
    if (!(error instanceof WranglerFileError)) throw error;
    return result([error.message], written);
  }
}

/** The variables as they are written. */
function writtenNames({ name, raw }: WranglerFile, environment?: string): string[] {
  const env = isTable(raw.env) && environment !== undefined ? raw.env[environment] : undefined;
  const own = environment === undefined ? raw : isTable(env) ? env : {};
  const table = `${name} [${environment === undefined ? "" : `env.${environment}.`}vars]`;
  return isTable(own.vars)
    ? [...misspelt(Object.keys(own.vars), table), ...plainSecrets(own.vars, table, environment)]
    : [];
}

/** wrangler would deploy the top level under the name of an environment that the file does not have. */
function unknownEnvironment({ name, environments }: WranglerFile, environment?: string): string | null {
  if (environment === undefined || environments.includes(environment)) return null;
  const [near] = nearest(environment, environments);
  const there = environments.length > 0 ? `It has ${environments.join(", ")}` : "It has none";
  return `${name} has no [env.${environment}]. ${near ? `Did you mean ${near}?` : `${there}.`}`;
}

function nameFindings(
  { name }: WranglerFile,
  { vars, services, databases, assets, requiredSecrets }: EffectiveConfig,
  more: Table,
  environment?: string,
): string[] {
  const namesOf = (bindings: readonly { binding: string }[]) => bindings.map(({ binding }) => binding);
  const table = (own: string) => `${name} [${environment === undefined ? "" : `env.${environment}.`}${own}]`;
  return [
    ...misspelt(Object.keys(vars), table("vars")),
    ...misspelt(Object.keys(more), "--var"),
    ...misspelt(requiredSecrets, table("secrets")),
    ...misspelt(namesOf(services), table("services")),
    ...misspelt(namesOf(databases), table("d1_databases")),
    ...misspelt(namesOf(assets), table("assets")),
    ...plainSecrets(vars, table("vars"), environment),
    ...plainSecrets(more, "--var", environment),
  ];
}

/** What the Worker itself would say. */
function checkWorker(
  { vars, services, databases, requiredSecrets }: EffectiveConfig,
  more: Table,
  list: readonly RouteInput[],
): Omit<ConfigurationCheck, "environment"> {
  const has = (bindings: readonly { binding: string }[], name: string) =>
    bindings.some(({ binding }) => binding === name);
  const bound = {
    ...(has(services, "ORIGIN") && { ORIGIN: boundOrigin }),
    ...(has(databases, "SESSION_DB") && { SESSION_DB: boundDatabase }),
  };
  try {
    const config = loadConfig(withAssumedSecrets({ ...bound, ...vars, ...more }, requiredSecrets), list);
    const { origin, warnings } = config;
    const noOrigin = origin ? [] : ["no ORIGIN_URL and no ORIGIN binding: every request will get 503"];
    const unreadable =
      config.corsOrigins === null && config.routes.some(mayRefuse) ? [UNREADABLE_REFUSALS] : [];
    return {
      issue: null,
      warnings: [
        ...noOrigin,
        ...warnings,
        ...unreadable,
        ...strippedQueries(config.routes),
        ...routeWarnings(config.routes),
      ],
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { issue: error.message, warnings: [] };
  }
}

/**
 * What `query.ignore` and `query.allow` change for the API, which would miss a parameter without a word.
 */
function strippedQueries(compiled: readonly Route[]): string[] {
  return compiled.flatMap(({ name, cache }) => {
    const { ignore = [], allow = null } = cache?.query ?? {};
    const where = `${name}: a GET or HEAD reaches your API without`;
    return [
      ...(ignore.length > 0
        ? [
            `${where} the parameters in cache.query.ignore (${ignore.join(", ")}): they are no longer only left out of the key.`,
          ]
        : []),
      ...(allow === null
        ? []
        : [`${where} the parameters that cache.query.allow does not name (${allow.join(", ") || "none"}).`]),
    ];
  });
}
