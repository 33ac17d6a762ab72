import { randomBytes } from "node:crypto";
import type { OwnVars } from "./own-vars.ts";

/** Variables of a development run. */
export type DevelopmentVars = Record<string, string>;

/** Browsers take every name below `localhost` for this machine, and none of them for the API's own. */
const CONSOLE_HOST = "console.localhost";

export interface DevelopmentVarsOptions {
  /** The local Upstash endpoint; null: the isolate's memory is the store. */
  store: { url: string; token: string } | null;
  /** What the developer's own file says (`own-vars.ts`). It replaces what is made. */
  own: Readonly<DevelopmentVars>;
  /** The port of the edge. Default 8787. */
  port?: number;
}

const secret = () => randomBytes(24).toString("base64url");

/** Secrets for this run and the local store, replaced by the developer's own variables. */
export function developmentVars({ store, own, port = 8787 }: DevelopmentVarsOptions): DevelopmentVars {
  return {
    ORIGIN_TOKEN: secret(),
    SESSION_SECRET: `${secret()}${secret()}`,
    SERVICE_TOKEN: secret(),
    ADMIN_TOKEN: secret(),
    IDENTITY_SECRET: secret(),
    CONSOLE_HOST,
    API_HOST: `localhost:${port}`,
    CORS_ALLOWED_ORIGINS: "http://localhost:3000,http://localhost:3001,http://localhost:5173",
    ...(store
      ? { UPSTASH_REDIS_REST_URL: store.url, UPSTASH_REDIS_REST_TOKEN: store.token }
      : { UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" }),
    ...own,
  };
}

/**
 * What a file leaves empty although a run without the line would have a value: one sentence, or none. An empty value is kept, as
 * under `wrangler dev`, so that a run without sessions or without a store can be tried.
 */
export function emptyVars({ file, values }: Pick<OwnVars, "file" | "values">): string[] {
  const made = Object.keys(developmentVars({ store: null, own: {} }));
  const names = made.filter((name) => values[name]?.trim() === "");
  if (names.length === 0) return [];
  const one = names.length === 1;
  return [
    `${file ?? ".dev.vars"}: ${names.join(", ")} ${one ? "is" : "are"} empty, so unset, as under wrangler dev. Remove the ${one ? "line" : "lines"} and start again: npm start makes what is missing.`,
  ];
}
