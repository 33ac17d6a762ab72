import * as z from "zod/mini";
import { describe } from "#describe";
import { isOrigin } from "../http/cross-site.ts";
import { CREDENTIAL_KINDS } from "./access.ts";
import type { LimitInput } from "./limit-input.ts";
import { MAX_DELTA_SECONDS } from "./variables-table.ts";

/** What the reference says of a key, beside its type. */
export interface KeyNote {
  description: string | undefined;
  /** How the default reads; absent where the key must be set. */
  default?: string | undefined;
  /** How the type reads. */
  type: string | undefined;
}

/** The notes of every key of the schema; the docs are generated from them. */
export const keyNotes = new WeakMap<object, KeyNote>();

/** Gives a key its note. */
function noted<Schema extends z.ZodMiniType>(
  schema: Schema,
  type: string | undefined,
  description: string | undefined,
  fallback?: string | undefined,
): Schema {
  keyNotes.set(schema, { type, description, ...(fallback !== undefined && { default: fallback }) });
  return schema;
}

const required = noted;

/** A key that may be left out. */
function optional<Schema extends z.ZodMiniType>(
  schema: Schema,
  type: string | undefined,
  description: string | undefined,
  fallback: string | undefined,
): z.ZodMiniOptional<Schema> {
  return noted(z.optional(schema), type, description, fallback);
}

const choice = <const Names extends readonly string[]>(
  names: Names,
  description: string | undefined,
  fallback: string | undefined,
): z.ZodMiniOptional<z.ZodMiniEnum<{ [Name in Names[number]]: Name }>> =>
  optional(z.enum(names), describe(names.map((name) => `\`${name}\``).join(", ")), description, fallback);

const flag = (description: string | undefined, fallback: string | undefined) =>
  optional(z.boolean(), describe("boolean"), description, fallback);

const SECONDS = `Must be seconds, 0 or more, and at most ${MAX_DELTA_SECONDS} (RFC 9111 §1.2.2).`;
const seconds = z.number(SECONDS).check(z.nonnegative(SECONDS), z.lte(MAX_DELTA_SECONDS, SECONDS));

const queryName = z
  .string()
  .check(z.regex(/^(?=.)(?!\?)[^*=&]*\*?$/s, "Must be a parameter's name, or its begin and a *."));

export const cacheSchema = z.strictObject({
  ttl: optional(
    seconds,
    describe("seconds"),
    describe("The lifetime of a response that names none."),
    describe("`REDIS_CACHE_TTL` for `shared` and `caller`, none for `public`"),
  ),
  scope: choice(
    ["public", "shared", "caller"],
    describe(
      "Who may be given a stored response: `public` follows RFC 9111, `shared` says that it does not depend on who asks, `caller` keeps one for each verified caller.",
    ),
    describe("`public`"),
  ),
  staleWhileRevalidate: optional(
    seconds,
    describe("seconds"),
    describe(
      "A stale response is served this long while it is revalidated (RFC 5861 §3); the response's own value wins.",
    ),
    describe("0"),
  ),
  staleIfError: optional(
    seconds,
    describe("seconds"),
    describe(
      "A stale response is served this long while the origin fails (RFC 5861 §4); the response's own value wins.",
    ),
    describe("0"),
  ),
  tags: optional(
    z.array(
      z
        .string()
        .check(
          z.regex(
            /^[!-+\--~]{1,1024}$/,
            "Must be visible ASCII without spaces and commas, 1 to 1024 characters.",
          ),
        ),
    ),
    describe("list of texts"),
    describe("Purge tags that are added to those of the response."),
    describe("none"),
  ),
  query: optional(
    z.strictObject({
      ignore: z.optional(z.array(queryName)),
      allow: z.optional(z.array(queryName)),
      sort: z.optional(z.boolean()),
    }),
    describe('`{ ignore: ["utm_*"], allow: ["page"], sort: true }`'),
    describe(
      "What of the query your API is asked with, and with it what is in the key: all but what `ignore` names, or only what `allow` names; and whether it is sorted.",
    ),
    describe("all, as written"),
  ),
  ignoreCookies: optional(
    z.array(
      z
        .string()
        .check(
          z.regex(/^(?=.)[!#$%&'+.^_`|~0-9A-Za-z-]*\*?$/, "Must be a cookie's name, or its begin and a *."),
        ),
    ),
    describe('`["_ga*"]`'),
    describe(
      "Cookies that say nothing of who asks: they are not sent to your API and do not switch the cache off.",
    ),
    describe("none"),
  ),
});

/** A list of texts with places for the path's parameters. So few that they alone cannot fill the purge log. */
const templates = (form: RegExp, fix: string) =>
  z.optional(z.array(z.string().check(z.regex(form, fix))).check(z.maxLength(16, "Must be at most 16.")));

export const invalidatesSchema = z.strictObject({
  tags: templates(
    /^[!-+\--~]{1,1024}$/,
    "Must be visible ASCII without spaces and commas, 1 to 1024 characters.",
  ),
  prefixes: templates(
    /^\/(?!\/)[!-~]{0,1023}$/,
    "Must be a path, which begins with a /, of at most 1024 visible ASCII characters.",
  ),
});

const ACCESS = 'Must be one of "public", "identified", "session", or a list of "key", "jwt" and "session".';

/** Checked by `checkLimits()`, which an app of limits alone has too. */
const limits = z.custom<LimitInput[]>();

/** The schema of a route. `RouteInput` is what it accepts, written out with what each key means. */
export const routeSchema = z.strictObject({
  path: required(
    z.string().check(z.startsWith("/", "Must start with a /.")),
    describe("Hono's path syntax"),
    describe("The paths of the route, as the origin reads them: `/v1/user/:id`, `/v1/:id{[0-9]+}`, `/v1/*`."),
  ),
  methods: optional(
    z.array(
      z
        .string()
        .check(z.regex(/^(?!all$)[a-z]+$/i, "Must be method names; leave methods out for all of them.")),
    ),
    describe("list of methods"),
    describe("The methods of the route; GET includes HEAD."),
    describe("every method"),
  ),
  access: optional(
    z.union(
      [
        z.enum(["public", "identified", "session"]),
        z.array(z.enum(CREDENTIAL_KINDS)).check(z.minLength(1, ACCESS)),
      ],
      {
        error: ACCESS,
      },
    ),
    describe("`public`, `identified`, `session`, or a list of `key`, `jwt`, `session`"),
    describe(
      "Who may call: anybody, whoever has a verified API key, a JWT or a session (`identified`), whoever has a `session`, or whoever has a credential of a listed kind.",
    ),
    describe("`public`"),
  ),
  limits: optional(
    limits,
    "list of limits",
    describe("The limits, all of which must have room."),
    describe("none"),
  ),
  tiers: optional(
    z.record(z.string().check(z.regex(/\S/, "Nobody can have a tier without a name: name it.")), limits),
    describe("lists of limits by tier"),
    describe("The limits of callers of a tier, in place of `limits`."),
    describe("none"),
  ),
  cache: optional(
    cacheSchema,
    "cache rule",
    describe("How responses to GET and HEAD are stored."),
    describe("off"),
  ),
  invalidates: optional(
    invalidatesSchema,
    describe('`{ tags: ["items", "item:{id}"], prefixes: ["/v1/items"] }`'),
    describe(
      "The stored responses that a successful POST, PUT, PATCH or DELETE makes invalid, beside those of its own URL.",
    ),
    describe("none"),
  ),
  session: choice(
    ["start", "end"],
    describe("The origin's 2xx, 302 or 303 to a POST may start or end a session."),
    describe("neither"),
  ),
  crossSite: optional(
    z.array(
      z
        .string()
        .check(
          z.refine(
            (text) => text === "null" || isOrigin(text),
            'Write scheme, host and port only, as browsers send it: "https://idp.example.com". Any page can send "null".',
          ),
        ),
    ),
    describe("list of origins"),
    describe(
      "Other sites whose pages may send requests that change something, beside `CORS_ALLOWED_ORIGINS`: an identity provider that posts to this sign-in (SAML, `form_post`). `null` is what a provider without referrers sends, and any page can send it.",
    ),
    describe("none"),
  ),
  offline: flag(
    describe("A session is honoured from its signature while the store is lost."),
    describe("`true`"),
  ),
  onStoreFailure: choice(
    ["local", "open", "closed"],
    describe(
      "What limits do while the store is lost: count in the isolate, let everybody pass, or answer 503.",
    ),
    describe("`local`"),
  ),
  originFetch: choice(
    ["eager"],
    describe(
      "When the origin is asked: `eager`, for a GET or HEAD of a `public` route without a credential, a condition or a range, at the same moment as Redis, whose answer decides whether the origin's is used.",
    ),
    describe("after Redis"),
  ),
  verifiesKeys: flag(
    describe(
      "An API key that the origin vouches for with `X-Edge-Caller` in a 2xx is a verified one, for 300 s.",
    ),
    describe("`false`"),
  ),
  rawPath: flag(
    describe("Paths with `//`, `%2f` and `%5c` pass instead of being a 400."),
    describe("`false`"),
  ),
  forgiving: flag(
    describe(
      "The route is also found under spellings that many servers forgive (case, `;x`, an end of slashes, dots or spaces); `false` for a server that tells them apart.",
    ),
    describe("`true`"),
  ),
  shadow: flag(describe("Every limit of the route is in shadow."), describe("`false`")),
});
