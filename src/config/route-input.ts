import type { LimitInput } from "./limit-input.ts";

/**
 * How answers to GET and HEAD are stored, in the words of RFC 9111. Each key may be left out: `{}` stores what the answers themselves
 * allow. What an answer says of its lifetime wins over this rule. A value that does not fit is a {@link ConfigError}.
 *
 * @example
 * import type { CacheRuleInput } from "envoyou-edge";
 *
 * const rule: CacheRuleInput = { ttl: 60, scope: "shared", staleIfError: 3600, query: { ignore: ["utm_*"] } };
 */
export interface CacheRuleInput {
  /**
   * Seconds that an answer is fresh which names no lifetime of its own: 0 to 2,147,483,648, fractions allowed (RFC 9111 §1.2.2, §4.2).
   * Default: `cache.ttlSeconds` (the variable `REDIS_CACHE_TTL`, 3600) for the scopes `shared` and `caller`; none for `public`, where a
   * tenth of the answer's age by `Last-Modified` counts (§4.2.2).
   */
  ttl?: number | undefined;
  /**
   * Who may be given a stored answer. `public`, the default: as a shared cache may by RFC 9111 §3.5, so that an answer to a request with
   * credentials is stored only where it says `public`, `s-maxage` or `must-revalidate`. `shared`: everybody, because you state that it
   * does not depend on who asks. `caller`: the same verified caller only.
   */
  scope?: "public" | "shared" | "caller" | undefined;
  /** Seconds that a stale answer is served while it is validated in the background (RFC 5861 §3); the answer's own value wins. Default 0. */
  staleWhileRevalidate?: number | undefined;
  /** Seconds that a stale answer is served where a new one fails (RFC 5861 §4); the answer's own value wins. Default 0. */
  staleIfError?: number | undefined;
  /** Tags for purges, added to those of the answer: visible ASCII without spaces, 1 to 1024 characters each. Default none. */
  tags?: string[] | undefined;
  /**
   * What of the query is passed on with a GET or HEAD, and so is in the key: all but the parameters that `ignore` names, or only those
   * that `allow` names, in the order of their names with `sort: true`. `utm_*` is every name that begins with `utm_`. Names are not
   * empty. Default: all, as it is written.
   */
  query?:
    | {
        /** Names of parameters that are left out, with `*` at the end for all that begin so. Default none. */
        ignore?: string[] | undefined;
        /** Names of the only parameters that are passed on; an empty list leaves out every one. Default all. */
        allow?: string[] | undefined;
        /** Whether the parameters are sorted by name, so that their order makes no second entry. Default `false`. */
        sort?: boolean | undefined;
      }
    | undefined;
  /**
   * Cookies that say nothing of who asks: their names (RFC 6265 §4.1.1), with `*` at the end for all that begin so, `_ga*`. They are not
   * passed on with a GET or HEAD and are no credential. Default none.
   */
  ignoreCookies?: string[] | undefined;
}

/**
 * Which stored answers a successful POST, PUT, PATCH or DELETE makes invalid, beside those of its own URL (RFC 9111 §4.4). A text may name
 * a parameter of the path in braces: `item:{id}` on `/v1/items/:id`. A parameter that the path has not is a {@link ConfigError}.
 *
 * @example
 * import type { InvalidatesInput } from "envoyou-edge";
 *
 * const written: InvalidatesInput = { tags: ["items", "item:{id}"], prefixes: ["/v1/items"] };
 */
export interface InvalidatesInput {
  /** Tags, compared in lower case: visible ASCII without spaces and commas, 1 to 1024 characters each; 16 at most. Default none. */
  tags?: string[] | undefined;
  /** Paths, each with any query and all that is below it, on every host: a `/` and up to 1023 visible ASCII characters; 16 at most. Default none. */
  prefixes?: string[] | undefined;
}

/**
 * What the edge does for the requests of a path: one element of `src/routes.ts` and of the variable `ROUTES`. Every key but `path` may be
 * left out. `npm run check`, `npm run deploy` and the Worker refuse a value that does not fit with a {@link ConfigError}, which names its
 * place (`routes[2].cache.ttl`), what stands there and the fix; so is a key that there is none of.
 *
 * @example
 * import type { RouteInput } from "envoyou-edge";
 *
 * const route: RouteInput = {
 *   path: "/v1/reports/*",
 *   methods: ["GET"],
 *   access: "identified",
 *   limits: [{ name: "reports", limit: 60, window: "1 m" }],
 *   tiers: { pro: [{ name: "reports", limit: 600, window: "1 m" }] },
 *   cache: { ttl: 60, scope: "shared" },
 * };
 */
export interface RouteInput {
  /** The paths of the route in Hono's syntax, as the API reads them: `/v1/user/:id`, `/v1/:id{[0-9]+}`, `/v1/*`. It begins with a `/`. */
  path: string;
  /** Its methods, in letters of either case; GET includes HEAD. Default every method. */
  methods?: string[] | undefined;
  /**
   * Who may call: anybody (`public`, the default), whoever has a verified API key, a JWT or a session (`identified`), whoever has a living
   * `session`, or whoever has a credential of a listed kind; an empty list is refused. Others get a 401.
   */
  access?: "public" | "identified" | "session" | ("key" | "jwt" | "session")[] | undefined;
  /** Limits, all of which must have room; else nothing is counted and the answer is a 429 (RFC 6585 §4). Default none. */
  limits?: LimitInput[] | undefined;
  /** The limits of callers of a tier, by its name, in place of `limits`. Default none. */
  tiers?: Record<string, LimitInput[]> | undefined;
  /** How answers to GET and HEAD are stored. Default: they are not. */
  cache?: CacheRuleInput | undefined;
  /** The stored answers that a successful write makes invalid, beside those of its own URL. Default none. */
  invalidates?: InvalidatesInput | undefined;
  /** `start` or `end`: the API's 2xx, 302 or 303 to a POST may start or end a session. Default neither. */
  session?: "start" | "end" | undefined;
  /**
   * Origins of other sites whose pages may send requests that change something with a visitor's cookie (RFC 6454 §7): scheme, host and
   * port only, `https://idp.example.com`, or `null`, which any page can send. Beside those of `CORS_ALLOWED_ORIGINS`. Default none.
   */
  crossSite?: string[] | undefined;
  /** Whether a session is honoured from its signature while the store is lost, for `SESSION_OFFLINE_GRACE_SECONDS`. Default `true`. */
  offline?: boolean | undefined;
  /** What limits do while the store is lost: `local` counts in the isolate, `open` admits, `closed` answers 503. Default `local`. */
  onStoreFailure?: "local" | "open" | "closed" | undefined;
  /**
   * `eager`: a GET or HEAD without a credential, a condition or a range is sent to the API at the same moment as to Redis, whose answer
   * decides whether the API's is used. Refused beside `access` other than `public`, `onStoreFailure: "closed"`, `cache.scope: "caller"`
   * and methods without GET. Default: after Redis.
   */
  originFetch?: "eager" | undefined;
  /** Whether an API key that the API accepts with `X-Edge-Caller` in a 2xx is verified for 300 s. Default `false`. */
  verifiesKeys?: boolean | undefined;
  /** Whether paths with `//`, `%2f` and `%5c` pass, which are a 400 otherwise. Default `false`. */
  rawPath?: boolean | undefined;
  /** Whether the route is also found under spellings that many servers forgive: case, `;x`, an end of slashes, dots or spaces. Default `true`. */
  forgiving?: boolean | undefined;
  /** Whether every limit of the route is counted and reported, and none enforced. Default `false`. */
  shadow?: boolean | undefined;
}
