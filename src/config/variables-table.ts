import { describe } from "#describe";
import { jwtVariables } from "./jwt-variables.ts";
import { limitVariables } from "./limit-variables.ts";
import type { ValueOf, Variable } from "./variable.ts";

const YEAR_SECONDS = 31_536_000;
/** The most that `SESSION_ABSOLUTE_SECONDS` may be. */
export const MAX_ABSOLUTE_SECONDS = YEAR_SECONDS;
/** RFC 9111 §1.2.2: what a cache must take as a number of seconds. */
export const MAX_DELTA_SECONDS = 2_147_483_648;

/** Every variable of the Worker: what it is, what it may be, and what it means. Everything else follows from this table. */
export const variables = {
  ORIGIN_URL: {
    kind: "url",
    group: "must set",
    description: describe(
      "The address of your API; without it and without a binding `ORIGIN` every request gets 503.",
    ),
  },
  ...limitVariables,
  ORIGIN_TOKEN: {
    kind: "secret",
    group: "must set",
    description: describe(
      "Sent to your API as `X-Edge-Token`; without it an API at ORIGIN_URL gets no `X-User-*` fields, because it could not trust them.",
    ),
  },
  SESSION_SECRET: {
    kind: "secrets",
    use: "key",
    min: 32,
    group: "must set",
    description: describe(
      "The keys that sign session tokens and name users in the keys of sessions, newest first; an old one may go after SESSION_ABSOLUTE_SECONDS. Without one, session paths answer 503.",
    ),
  },
  SERVICE_TOKEN: {
    kind: "secrets",
    use: "token",
    min: 16,
    group: "must set",
    description: describe(
      "The tokens with which your servers create, list and end sessions; without one, those paths answer 404.",
    ),
  },
  ADMIN_TOKEN: {
    kind: "secrets",
    use: "token",
    min: 16,
    group: "often",
    description: describe(
      "The tokens with which operators use `/edge/*`; without one, those paths answer 404.",
    ),
  },
  METRICS_TOKEN: {
    kind: "secrets",
    use: "token",
    min: 16,
    group: "often",
    description: describe(
      "The tokens with which a monitoring system reads `/edge/metrics`, and nothing else; without one, that path answers 404, and nothing is counted unless CONSOLE_HOST is set.",
    ),
  },
  CONSOLE_HOST: {
    kind: "text",
    group: "often",
    description: describe(
      "The host name of the operators' console, which has no other use: requests to it never reach your API. Without it there is no console.",
    ),
  },
  API_HOST: {
    kind: "text",
    group: "rarely",
    description: describe(
      "The host of your API's addresses (`api.example.com`): what a path means where the console purges or warms it.",
    ),
  },
  ORIGIN: {
    kind: "binding",
    to: "service",
    group: "often",
    description: describe("A service binding to the Worker that is your API, in place of an address."),
  },
  SESSION_DB: {
    kind: "binding",
    to: "D1 database",
    group: "often",
    description: describe(
      "A D1 binding: sessions and their ends are written to this database too, which serves them while Redis is lost, or in its place with USE_REDIS_SESSIONS=false.",
    ),
  },
  ASSETS: {
    kind: "binding",
    to: "folder of static files",
    group: "rarely",
    description: describe(
      "The binding of the static files in `public/` (`[assets]` in wrangler.toml): `/edge/openapi.json` and the console come from there, and are 404 without it.",
    ),
  },
  CF_VERSION_METADATA: {
    kind: "binding",
    to: "version's metadata",
    group: "rarely",
    description: describe(
      "The binding that tells the deployed version (`[version_metadata]` in wrangler.toml): `version` in the log.",
    ),
  },
  ROUTES: {
    kind: "routes",
    group: "often",
    description: describe("A list of routes, as JSON, in place of `src/routes.ts`."),
  },
  REDIS_CACHE_TTL: {
    kind: "integer",
    default: 3600,
    min: 0,
    max: MAX_DELTA_SECONDS,
    unit: "seconds",
    group: "often",
    description: describe(
      "The lifetime of responses on routes of scope `shared` or `caller` that name no `ttl`; 0 takes only what the response says.",
    ),
  },
  CORS_ALLOWED_ORIGINS: {
    kind: "list",
    group: "often",
    description: describe(
      "The origins whose pages may read answers (`https://app.example.com`, `https://*.example.app`, `capacitor://localhost`); when set, the edge answers CORS, else your API does.",
    ),
  },
  CORS_EXPOSED_HEADERS: {
    kind: "list",
    group: "often",
    description: describe(
      "Response fields that pages may read, beside those of the edge and those in your API's `Access-Control-Expose-Headers`.",
    ),
  },
  API_KEYS: {
    kind: "keys",
    group: "often",
    description: describe(
      "API keys that the edge knows, each as `key:name:tier` (a key has at least 16 characters).",
    ),
  },
  ...jwtVariables,
  SESSION_IDLE_SECONDS: {
    kind: "integer",
    default: 86_400,
    min: 60,
    max: YEAR_SECONDS,
    unit: "seconds",
    group: "often",
    description: describe("A session ends after this much silence."),
  },
  SESSION_ABSOLUTE_SECONDS: {
    kind: "integer",
    default: 2_592_000,
    min: 60,
    max: MAX_ABSOLUTE_SECONDS,
    unit: "seconds",
    group: "often",
    description: describe("A session ends at the latest this long after it began."),
  },
  SESSION_MAX_PER_USER: {
    kind: "integer",
    default: 20,
    min: 1,
    max: 1000,
    unit: "sessions",
    group: "often",
    description: describe("A user has at most this many sessions; the oldest ends when another begins."),
  },
  CREDENTIAL_FIELDS: {
    kind: "list",
    group: "rarely",
    description: describe(
      "Names of request fields and query parameters that are credentials, beside those the edge knows by their words; with a leading `-`, those that are none.",
    ),
  },
  AUTH_BASE_PATH: {
    kind: "path",
    default: "/auth",
    group: "rarely",
    description: describe("The path under which the edge answers for sessions."),
  },
  HEALTH_PATH: {
    kind: "path",
    default: "/health",
    group: "rarely",
    description: describe("The path at which the edge tells its health."),
  },
  ORIGIN_DEADLINE_MS: {
    kind: "integer",
    default: 30_000,
    min: 100,
    max: 300_000,
    unit: "ms",
    group: "rarely",
    description: describe(
      "The origin's header fields must be there this long after the request's body has been sent.",
    ),
  },
  SESSION_OFFLINE_GRACE_SECONDS: {
    kind: "integer",
    default: 900,
    min: 0,
    max: YEAR_SECONDS,
    unit: "seconds",
    group: "rarely",
    description: describe(
      "While the store is lost, a session is honoured if it was confirmed within this time; 0 means never.",
    ),
  },
  CACHE_MAX_BODY_BYTES: {
    kind: "integer",
    default: 1_048_576,
    min: 0,
    max: 10_485_760,
    unit: "bytes",
    group: "rarely",
    description: describe("A larger response body passes through and is not stored."),
  },
  CACHE_ISOLATE_BYTES: {
    kind: "integer",
    default: 33_554_432,
    min: 0,
    max: 100_663_296,
    unit: "bytes",
    group: "rarely",
    description: describe("An isolate keeps at most this much of the cache in its memory."),
  },
  USE_REDIS_SESSIONS: {
    kind: "boolean",
    default: true,
    group: "rarely",
    description: describe("Whether sessions are kept in Redis; else they are honoured from their signature."),
  },
  USE_REDIS_CACHE: {
    kind: "boolean",
    default: true,
    group: "rarely",
    description: describe("Whether responses are cached in Redis; else each isolate caches for itself."),
  },
  REDIS_CACHE_PREFIX: {
    kind: "text",
    default: "envoyou:cache",
    ascii: true,
    formerly: "CACHE_REDIS_PREFIX",
    group: "rarely",
    description: describe("The prefix of cache keys in Redis."),
  },
  REDIS_SESSION_PREFIX: {
    kind: "text",
    default: "envoyou:sessions",
    ascii: true,
    formerly: "SESSION_REDIS_PREFIX",
    group: "rarely",
    description: describe("The prefix of session keys in Redis."),
  },
} as const satisfies Record<string, Variable>;

export type VariableName = keyof typeof variables;

/** What the variables say: unset ones have their default, or null, or an empty list. */
export type VariableValues = { -readonly [Name in VariableName]: ValueOf<(typeof variables)[Name]> };
