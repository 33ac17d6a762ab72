import { unstable_readConfig } from "wrangler";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import routes from "../../routes.ts";

export interface ConfigurationCheck {
  /** `default`, or the name of a wrangler environment. */
  environment: string;
  /** Null when all is well; else the very words that the Worker would log. */
  issue: string | null;
  warnings: string[];
}

/** Secrets that are no part of wrangler.toml: where one belongs to a variable that is, the check assumes that it is set. */
const assumedSecrets = { UPSTASH_REDIS_REST_TOKEN: "assumed to be set as a secret" };

/**
 * Reads the variables of an environment of wrangler.toml, and the routes, with the Worker's own code.
 *
 * @param file Path of the wrangler configuration.
 * @param environment A name under `[env.…]`, or undefined for the top level.
 */
export function checkConfiguration(file: string, environment?: string): ConfigurationCheck {
  const { vars } = unstable_readConfig(
    { config: file, ...(environment && { env: environment }) },
    { hideWarnings: true },
  );
  const env: Record<string, unknown> = { ...vars };
  if (env.UPSTASH_REDIS_REST_URL) Object.assign(env, { ...assumedSecrets, ...env });
  const label = environment ?? "default";
  try {
    const config = loadConfig(env, routes);
    return {
      environment: label,
      issue: null,
      warnings: config.origin ? [] : ["no ORIGIN_URL and no ORIGIN binding: every request will get 503"],
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { environment: label, issue: error.message, warnings: [] };
  }
}

/** The environments that a wrangler configuration names. */
export function environmentsOf(file: string): string[] {
  return unstable_readConfig({ config: file }, { hideWarnings: true }).definedEnvironments ?? [];
}
