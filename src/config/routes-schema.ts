import * as z from "zod/mini";
import { describe } from "#describe";
import { isOrigin } from "../http/cross-site.ts";
import { CREDENTIAL_KINDS } from "./access.ts";
import { durationMs } from "./duration.ts";
import { type AlgorithmTable, choicesOf, DEFAULT_ALGORITHM } from "./limit-algorithms.ts";
import { MAX_DELTA_SECONDS } from "./variables-table.ts";

/** A duration as @upstash/ratelimit writes it: `500 ms`, `10 s`, `1 m`, `1 h`, `1 d`, `1 w`; fractions allowed. */
export type Duration =
  | `${number} ${"ms" | "s" | "m" | "h" | "d" | "w"}`
  | `${number}${"ms" | "s" | "m" | "h" | "d" | "w"}`;

/** RFC 9651 §3.3.1: the largest Integer of a structured field. */
export const MAX_FIELD_INTEGER = 999_999_999_999_999;

/** What the reference says of a key, beside its type. */
export interface KeyNote {
  description: string | undefined;
  /** How the default reads; absent where the key must be set. */
  default?: string;
  /** How the type reads. */
  type: string;
}

/** The notes of every key of the schema; the docs are generated from them. */
export const keyNotes = new WeakMap<object, KeyNote>();

/** Gives a key its note. */
function noted<Schema extends z.ZodMiniType>(
  schema: Schema,
  type: string,
  description: string | undefined,
  fallback?: string,
): Schema {
  keyNotes.set(schema, { type, description, ...(fallback !== undefined && { default: fallback }) });
  return schema;
}

const required = noted;

/** A key that may be left out. */
function optional<Schema extends z.ZodMiniType>(
  schema: Schema,
  type: string,
  description: string | undefined,
  fallback: string,
): z.ZodMiniOptional<Schema> {
  return noted(z.optional(schema), type, description, fallback);
}

const choice = <const Names extends readonly string[]>(
  names: Names,
  description: string | undefined,
  fallback: string,
): z.ZodMiniOptional<z.ZodMiniEnum<{ [Name in Names[number]]: Name }>> =>
  optional(z.enum(names), names.map((name) => `\`${name}\``).join(", "), description, fallback);

const flag = (description: string | undefined, fallback: string) =>
  optional(z.boolean(), "boolean", description, fallback);

/** A number above {@link MAX_FIELD_INTEGER} that is still exact counts as "no limit"; the compiler lowers it. */
const COUNT = `Must be a whole number of at least 1, and at most ${MAX_FIELD_INTEGER} (RFC 9651 §3.3.1: no field carries more).`;
/** A schema of its own for each key, because a key's note belongs to its schema. */
const count = () => z.int(COUNT).check(z.positive(COUNT));
const SECONDS = `Must be seconds, 0 or more, and at most ${MAX_DELTA_SECONDS} (RFC 9111 §1.2.2).`;
const seconds = z.number(SECONDS).check(z.nonnegative(SECONDS), z.lte(MAX_DELTA_SECONDS, SECONDS));

const limitBase = {
  name: required(
    z.string().check(z.regex(/^[A-Za-z0-9_-]{1,64}$/, "Use 1 to 64 letters, digits, - or _.")),
    "1 to 64 letters, digits, `-`, `_`",
    describe("Names the limit in header fields, logs and keys; each limit of a route has a name of its own."),
  ),
  window: required(
    z.custom<Duration>(
      (text) =>
        typeof text === "string" && (durationMs(text) ?? Number.POSITIVE_INFINITY) <= MAX_FIELD_INTEGER,
      `Write it as a number and ms, s, m, h, d or w: "10 s", "1 m"; at least 1 ms and at most ${MAX_FIELD_INTEGER} ms.`,
    ),
    "`500 ms`, `10 s`, `1 m`, `1 h`, `1 d`, `1 w`",
    describe(
      "The time in which the limit may be used once; for a token bucket, the time between two refills.",
    ),
  ),
  cost: optional(count(), "1 to the limit", describe("The units that one request takes."), "1"),
  by: choice(
    ["caller", "address"],
    describe(
      "Who is counted: the verified API key, else the user, else the address (`caller`), or always the `address`.",
    ),
    "`caller`",
  ),
  shadow: flag(describe("The limit is counted, logged and reported, and never enforced."), "`false`"),
  shared: flag(
    describe(
      "One count over every route that names a shared limit of this name; all of them define it alike, but for `cost` and `shadow`.",
    ),
    "`false`",
  ),
  lease: optional(
    count(),
    "1 to a tenth of the limit",
    describe(
      "The units that an isolate takes in advance, so that most requests need no call; only for sliding and fixed windows.",
    ),
    "off",
  ),
  localShare: optional(
    z.number().check(z.gt(0, "Must be above 0."), z.lte(1, "Must be at most 1.")),
    "above 0, up to 1",
    describe("The part of the limit that one isolate may admit alone while the store is lost."),
    "1",
  ),
};

/** The schemas of a limit, for the algorithms there are. */
export function limitSchemas(algorithms: AlgorithmTable) {
  const { windows, buckets } = choicesOf(algorithms);
  const windowLimit = z.strictObject({
    ...limitBase,
    algorithm: choice(windows, describe("How the limit is counted."), `\`${DEFAULT_ALGORITHM}\``),
    limit: required(
      count(),
      "whole number, 1 or more",
      describe("The units that a caller may take in a window."),
    ),
  });
  const bucketLimit = z.strictObject({
    ...limitBase,
    algorithm: required(
      z.enum(buckets),
      buckets.map((name) => `\`${name}\``).join(", "),
      describe("Units come back bit by bit."),
    ),
    capacity: required(
      count(),
      "whole number, 1 or more",
      describe("The most units that the bucket holds; in place of `limit`."),
    ),
    refill: required(count(), "whole number, 1 or more", describe("The units that come back each window.")),
  });
  const limit = z.discriminatedUnion("algorithm", [windowLimit, bucketLimit], {
    error: ({ code }) =>
      code === "invalid_union" ? `Must be one of ${[...windows, ...buckets].join(", ")}.` : undefined,
  });
  return { windowLimit, bucketLimit, limit };
}

const queryName = z.string().check(z.minLength(1, "Name a parameter, or remove the element."));

export const cacheSchema = z.strictObject({
  ttl: optional(
    seconds,
    "seconds",
    describe("The lifetime of a response that names none."),
    "`REDIS_CACHE_TTL` for `shared` and `caller`, none for `public`",
  ),
  scope: choice(
    ["public", "shared", "caller"],
    describe(
      "Who may be given a stored response: `public` follows RFC 9111, `shared` says that it does not depend on who asks, `caller` keeps one for each verified caller.",
    ),
    "`public`",
  ),
  staleWhileRevalidate: optional(
    seconds,
    "seconds",
    describe(
      "A stale response is served this long while it is revalidated (RFC 5861 §3); the response's own value wins.",
    ),
    "0",
  ),
  staleIfError: optional(
    seconds,
    "seconds",
    describe(
      "A stale response is served this long while the origin fails (RFC 5861 §4); the response's own value wins.",
    ),
    "0",
  ),
  tags: optional(
    z.array(
      z
        .string()
        .check(z.regex(/^[!-~]{1,1024}$/, "Must be visible ASCII without spaces, 1 to 1024 characters.")),
    ),
    "list of texts",
    describe("Purge tags that are added to those of the response."),
    "none",
  ),
  query: optional(
    z.strictObject({
      ignore: z.optional(z.array(queryName)),
      allow: z.optional(z.array(queryName)),
      sort: z.optional(z.boolean()),
    }),
    '`{ ignore: ["utm_*"], allow: ["page"], sort: true }`',
    describe(
      "What of the query your API is asked with, and with it what is in the key: all but what `ignore` names, or only what `allow` names; and whether it is sorted.",
    ),
    "all, as written",
  ),
  ignoreCookies: optional(
    z.array(
      z
        .string()
        .check(z.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "Must be a cookie's name, or its begin and a *.")),
    ),
    '`["_ga*"]`',
    describe(
      "Cookies that say nothing of who asks: they are not sent to your API and do not switch the cache off.",
    ),
    "none",
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

/** The schema of a route, for the algorithms there are. */
export function routeSchemaOf(algorithms: AlgorithmTable) {
  const limits = z.array(limitSchemas(algorithms).limit);
  return z.strictObject({
    path: required(
      z.string().check(z.startsWith("/", "Must start with a /.")),
      "Hono's path syntax",
      describe(
        "The paths of the route, as the origin reads them: `/v1/user/:id`, `/v1/:id{[0-9]+}`, `/v1/*`.",
      ),
    ),
    methods: optional(
      z.array(
        z
          .string()
          .check(z.regex(/^(?!all$)[a-z]+$/i, "Must be method names; leave methods out for all of them.")),
      ),
      "list of methods",
      describe("The methods of the route; GET includes HEAD."),
      "every method",
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
      "`public`, `identified`, `session`, or a list of `key`, `jwt`, `session`",
      describe(
        "Who may call: anybody, whoever has a verified API key, a JWT or a session (`identified`), whoever has a `session`, or whoever has a credential of a listed kind.",
      ),
      "`public`",
    ),
    limits: optional(limits, "list of limits", describe("The limits, all of which must have room."), "none"),
    tiers: optional(
      z.record(z.string().check(z.regex(/\S/, "Nobody can have a tier without a name: name it.")), limits),
      "lists of limits by tier",
      describe("The limits of callers of a tier, in place of `limits`."),
      "none",
    ),
    cache: optional(cacheSchema, "cache rule", describe("How responses to GET and HEAD are stored."), "off"),
    invalidates: optional(
      invalidatesSchema,
      '`{ tags: ["items", "item:{id}"], prefixes: ["/v1/items"] }`',
      describe(
        "The stored responses that a successful POST, PUT, PATCH or DELETE makes invalid, beside those of its own URL.",
      ),
      "none",
    ),
    session: choice(
      ["start", "end"],
      describe("The origin's 2xx, 302 or 303 to a POST may start or end a session."),
      "neither",
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
      "list of origins",
      describe(
        "Other sites whose pages may send requests that change something, beside `CORS_ALLOWED_ORIGINS`: an identity provider that posts to this sign-in (SAML, `form_post`). `null` is what a provider without referrers sends, and any page can send it.",
      ),
      "none",
    ),
    offline: flag(describe("A session is honoured from its signature while the store is lost."), "`true`"),
    onStoreFailure: choice(
      ["local", "open", "closed"],
      describe(
        "What limits do while the store is lost: count in the isolate, let everybody pass, or answer 503.",
      ),
      "`local`",
    ),
    originFetch: choice(
      ["eager"],
      describe(
        "When the origin is asked: `eager`, for a GET or HEAD of a `public` route without a credential, a condition or a range, at the same moment as Redis, whose answer decides whether the origin's is used.",
      ),
      "after Redis",
    ),
    verifiesKeys: flag(
      describe(
        "An API key that the origin vouches for with `X-Edge-Caller` in a 2xx is a verified one, for 300 s.",
      ),
      "`false`",
    ),
    rawPath: flag(describe("Paths with `//`, `%2f` and `%5c` pass instead of being a 400."), "`false`"),
    forgiving: flag(
      describe(
        "The route is also found under spellings that many servers forgive (case, `;x`, an end of slashes, dots or spaces); `false` for a server that tells them apart.",
      ),
      "`true`",
    ),
    shadow: flag(describe("Every limit of the route is in shadow."), "`false`"),
  });
}

export type LimitInput = z.infer<ReturnType<typeof limitSchemas>["limit"]>;
export type CacheRuleInput = z.infer<typeof cacheSchema>;
export type InvalidatesInput = z.infer<typeof invalidatesSchema>;
export type RouteInput = z.infer<ReturnType<typeof routeSchemaOf>>;
