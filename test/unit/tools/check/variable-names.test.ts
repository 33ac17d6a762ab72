import { expect, it } from "vitest";
import { isSecret, meantBy } from "../../../../src/tools/check/variable-names.ts";

it.each<[written: string, meant: string]>([
  ["ORIGN_TOKEN", "ORIGIN_TOKEN"], // a letter is missing
  ["ORIGIIN_TOKEN", "ORIGIN_TOKEN"], // a letter is doubled
  ["ORIGNI_TOKEN", "ORIGIN_TOKEN"], // two letters are swapped
  ["ORIGEN_TOKEN", "ORIGIN_TOKEN"], // another letter
  ["ORIGIN_TOKENS", "ORIGIN_TOKEN"], // the plural
  ["SERVICE_TOKNE", "SERVICE_TOKEN"],
  ["SESION_SECRETS", "SESSION_SECRET"], // two at once
  ["API_KEY", "API_KEYS"], // the singular
  ["ALLOW_LISTS", "ALLOW_LIST"],
  ["ROUTE", "ROUTES"],
  ["ORIGIN_URI", "ORIGIN_URL"],
  ["origin_url", "ORIGIN_URL"],
  ["originUrl", "ORIGIN_URL"],
  ["origin-url", "ORIGIN_URL"],
  ["Origin_Url", "ORIGIN_URL"],
  ["ORIGINURL", "ORIGIN_URL"],
  ["LOGLEVEL", "LOG_LEVEL"],
  ["ALLOWLIST", "ALLOW_LIST"],
  ["DENNYLIST", "DENY_LIST"],
  ["URL_ORIGIN", "ORIGIN_URL"],
  ["UPSTASH_REDIS_URL", "UPSTASH_REDIS_REST_URL"],
  ["UPSTASH_TOKEN", "UPSTASH_REDIS_REST_TOKEN"],
  ["UPSTASH_REDIS_RESET_URL", "UPSTASH_REDIS_REST_URL"],
  ["CACHE_TTL", "REDIS_CACHE_TTL"],
  ["CORS_ORIGINS", "CORS_ALLOWED_ORIGINS"],
  ["ENVOYOU_ORIGIN_URL", "ORIGIN_URL"],
  ["ENVOYOU_ORIGN_TOKEN", "ORIGIN_TOKEN"],
  ["SESSION_SECRET_PRODUCTION", "SESSION_SECRET"],
  // Names of the Python service, as they were and misspelt.
  ["SUPABASE_JWT_SECRET", "JWT_SECRET"],
  ["SUPABASE_JWKS_URL", "JWT_JWKS_URL"],
  ["CACHE_REDIS_PREFX", "REDIS_CACHE_PREFIX"],
  ["SESSIONS_REDIS_PREFIX", "REDIS_SESSION_PREFIX"],
  ["JWT_SECRETKEY", "JWT_SECRET"],
])("%s: did you mean %s?", (written, meant) => {
  expect(meantBy(written)).toEqual([meant]);
});

it("tells all that are equally near", () => {
  expect(meantBy("REDIS_PREFIX").toSorted()).toEqual([
    "REDIS_CACHE_PREFIX",
    "REDIS_RATE_LIMIT_PREFIX",
    "REDIS_SESSION_PREFIX",
  ]);
});

it.each(["ORIGIN_TOKEN", "CACHE_REDIS_PREFIX", "JWT_SECRET_KEY", "REDIS_URL", "ORIGIN"])(
  "%s is read, or refused by the Worker itself",
  (name) => {
    expect(meantBy(name)).toEqual([]);
  },
);

it.each([
  "ENVIRONMENT",
  "NODE_ENV",
  "SENTRY_DSN",
  "STRIPE_SECRET",
  "DATABASE_URL",
  "API_URL",
  "TIMEOUT_MS",
  "DB",
  "SUPABASE_URL",
  "SUPABASE_ANON_KEY",
  "A",
])("%s is somebody's own variable", (name) => {
  expect(meantBy(name)).toEqual([]);
});

it("knows which hold a secret, people's own by their names", () => {
  for (const name of [
    "SESSION_SECRET",
    "API_KEYS",
    "JWT_SECRET_KEY",
    "UPSTASH_REDIS_REST_TOKEN",
    "STRIPE_API_KEY",
    "DB_PASSWORD",
  ])
    expect([name, isSecret(name)]).toEqual([name, true]);
  for (const name of [
    "ORIGIN_URL",
    "JWT_AUDIENCE",
    "CREDENTIAL_FIELDS",
    "JWT_COOKIE",
    "CACHE_KEY_PREFIX",
    "PARTITION_KEY",
  ])
    expect([name, isSecret(name)]).toEqual([name, false]);
});
