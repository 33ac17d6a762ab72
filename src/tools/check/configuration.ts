import { unstable_readConfig } from "wrangler";
import { ConfigError } from "../../config/config-error.ts";
import type { Route, RouteInput } from "../../config/route.ts";
import { loadConfig } from "../../edge/load-config.ts";
import routes from "../../routes.ts";
import { sessionDatabaseIssue } from "./session-database.ts";

export interface ConfigurationCheck {
  /** `default`, or the name of a wrangler environment. */
  environment: string;
  /** Null when all is well; else the very words that the Worker would log. */
  issue: string | null;
  warnings: string[];
}

const ASSUMED = "assumed-to-be-set-as-a-secret-of-the-Worker";

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
 * Secrets are no part of wrangler.toml. The check assumes those that other rules and warnings ask for: the store's token
 * where there is a store, and those without which a Worker would warn.
 */
function withAssumedSecrets(vars: Record<string, unknown>): Record<string, unknown> {
  return {
    ORIGIN_TOKEN: ASSUMED,
    SESSION_SECRET: ASSUMED,
    ...(vars.UPSTASH_REDIS_REST_URL ? { UPSTASH_REDIS_REST_TOKEN: ASSUMED } : {}),
    ...vars,
  };
}

/**
 * Reads the variables of an environment of wrangler.toml, and the routes, with the Worker's own code.
 *
 * @param file Path of the wrangler configuration.
 * @param environment A name under `[env.…]`, or undefined for the top level (or `CLOUDFLARE_ENV`, as in wrangler).
 * @param more Variables that replace those of the file, as `wrangler deploy --var` does.
 * @param list The routes, where no variable replaces them. Default those of `src/routes.ts`.
 */
export function checkConfiguration(
  file: string,
  environment?: string,
  more: Record<string, string> = {},
  list: readonly RouteInput[] = routes,
): ConfigurationCheck {
  const wrangler = unstable_readConfig(
    { config: file, ...(environment && { env: environment }) },
    { hideWarnings: true },
  );
  const { vars } = wrangler;
  const label = environment ?? "default";
  const issue = sessionDatabaseIssue(wrangler);
  if (issue !== null) return { environment: label, issue, warnings: [] };
  try {
    const has = (bindings: readonly { binding: string }[] | undefined, name: string) =>
      bindings?.some(({ binding }) => binding === name);
    const bound = {
      ...(has(wrangler.services, "ORIGIN") && { ORIGIN: boundOrigin }),
      ...(has(wrangler.d1_databases, "SESSION_DB") && { SESSION_DB: boundDatabase }),
    };
    const config = loadConfig(withAssumedSecrets({ ...bound, ...vars, ...more }), list);
    const { origin, warnings } = config;
    const noOrigin = origin ? [] : ["no ORIGIN_URL and no ORIGIN binding: every request will get 503"];
    const unreadable =
      config.corsOrigins === null && config.routes.some(mayRefuse) ? [UNREADABLE_REFUSALS] : [];
    return {
      environment: label,
      issue: null,
      warnings: [...noOrigin, ...warnings, ...unreadable, ...strippedQueries(config.routes)],
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { environment: label, issue: error.message, warnings: [] };
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

/** The environments that a wrangler configuration names. */
export function environmentsOf(file: string): string[] {
  return unstable_readConfig({ config: file }, { hideWarnings: true }).definedEnvironments ?? [];
}
