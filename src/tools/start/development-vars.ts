import { randomBytes } from "node:crypto";

/** Variables of a development run. */
export type DevelopmentVars = Record<string, string>;

export interface DevelopmentVarsOptions {
  /** The local Upstash endpoint; null: the isolate's memory is the store. */
  store: { url: string; token: string } | null;
  /** What the developer's own file says (`own-vars.ts`). It replaces what is made. */
  own: Readonly<DevelopmentVars>;
}

const secret = () => randomBytes(24).toString("base64url");

/** Secrets for this run and the local store, replaced by the developer's own variables. */
export function developmentVars({ store, own }: DevelopmentVarsOptions): DevelopmentVars {
  return {
    ORIGIN_TOKEN: secret(),
    SESSION_SECRET: `${secret()}${secret()}`,
    SERVICE_TOKEN: secret(),
    ADMIN_TOKEN: secret(),
    IDENTITY_SECRET: secret(),
    CORS_ALLOWED_ORIGINS: "http://localhost:3000,http://localhost:3001,http://localhost:5173",
    ...(store
      ? { UPSTASH_REDIS_REST_URL: store.url, UPSTASH_REDIS_REST_TOKEN: store.token }
      : { UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" }),
    ...own,
  };
}
