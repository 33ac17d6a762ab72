import { parseArgs } from "node:util";

/** The options of `wrangler deploy` that change what is deployed. */
export interface DeployOptions {
  /** Path of the configuration. Default `wrangler.toml`. */
  file: string;
  /** Undefined: the top level. */
  environment: string | undefined;
  /** Variables of `--var NAME:value`, which replace those of the file. */
  vars: Record<string, string>;
}

/**
 * Reads `--env`, `--config` and `--var` as wrangler does, and leaves other options alone. Without `--env` the variable
 * `CLOUDFLARE_ENV` names the environment; an empty `--env=` means the top level.
 *
 * @example readDeployOptions(["--env", "staging", "--var", "LOG_LEVEL:debug"], {})
 * // { file: "wrangler.toml", environment: "staging", vars: { LOG_LEVEL: "debug" } }
 */
export function readDeployOptions(
  args: string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): DeployOptions {
  const { values } = parseArgs({
    args,
    options: {
      env: { type: "string", short: "e" },
      config: { type: "string", short: "c" },
      var: { type: "string", multiple: true },
    },
    strict: false,
    allowPositionals: true,
  });
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const given = (values.var ?? []).filter((each) => typeof each === "string");
  return {
    file: text(values.config) ?? "wrangler.toml",
    environment: (text(values.env) ?? env.CLOUDFLARE_ENV) || undefined,
    vars: Object.fromEntries(
      given.map((each) => {
        const colon = each.indexOf(":");
        return colon < 0 ? [each, ""] : [each.slice(0, colon), each.slice(colon + 1)];
      }),
    ),
  };
}
