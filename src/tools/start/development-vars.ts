import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

/** Variables of a development run: random secrets for this run, overridden by `.dev.vars`. */
export type DevelopmentVars = Record<string, string>;

export interface DevelopmentVarsOptions {
  /** The local Upstash endpoint; null: the isolate's memory is the store. */
  store: { url: string; token: string } | null;
  originUrl: string;
  /** The file whose values override the others. */
  overrides?: string;
}

const secret = () => randomBytes(24).toString("base64url");

export function developmentVars({
  store,
  originUrl,
  overrides = ".dev.vars",
}: DevelopmentVarsOptions): DevelopmentVars {
  const made: DevelopmentVars = {
    ORIGIN_URL: originUrl,
    ORIGIN_TOKEN: secret(),
    SESSION_SECRET: `${secret()}${secret()}`,
    SERVICE_TOKEN: secret(),
    ADMIN_TOKEN: secret(),
    IDENTITY_SECRET: secret(),
    CORS_ALLOWED_ORIGINS: "http://localhost:3000,http://localhost:3001,http://localhost:5173",
    ...(store && { UPSTASH_REDIS_REST_URL: store.url, UPSTASH_REDIS_REST_TOKEN: store.token }),
  };
  const own = existsSync(overrides) ? parseEnv(readFileSync(overrides, "utf8")) : {};
  for (const [name, value] of Object.entries(own)) if (value !== undefined) made[name] = value;
  return made;
}

/** The text of a file for `wrangler dev --env-file`. */
export function asEnvFile(vars: DevelopmentVars): string {
  return Object.entries(vars)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
    .join("");
}
