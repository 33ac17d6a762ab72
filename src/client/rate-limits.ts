/** One limit, as an answer states it. */
export interface RateLimit {
  /** The limit's name; null in the forms without one, which describe the limit nearest to denial. */
  name: string | null;
  /** Units in a window; null where the answer does not say. */
  limit: number | null;
  /** Units that are left. */
  remaining: number;
  /** Seconds until more are left; null where the answer does not say. */
  resetSeconds: number | null;
  /** Seconds of the window; null where the answer does not say. */
  windowSeconds: number | null;
}

/**
 * The limits in a response: of `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11), else of
 * `X-RateLimit-*`, `RateLimit-*`, `X-Rate-Limit-*` or the `RateLimit` of draft -07, in which APIs state limits of their own; none where it
 * has none of them.
 *
 * @param headers The fields of a response. `X-RateLimit-Reset` is a time of the server's clock, as is `Date`, which is therefore what it
 *   is compared with: the clock here may be minutes off. Both are whole seconds, so `resetSeconds` may be a second too many.
 * @param now Milliseconds since the epoch, for a response without a `Date`. Default the clock's.
 * @returns the limits in the order of the fields.
 * @example
 * import { createClient, rateLimits } from "envoyou-edge/client";
 *
 * const api = createClient({ baseUrl: "https://api.example.com" });
 * const response = await api.fetch("/v1/report");
 * const [nearest] = rateLimits(response.headers).sort((one, other) => one.remaining - other.remaining);
 */
export function rateLimits(headers: Headers, now = Date.now()): RateLimit[] {
  const policies = new Map(members(headers.get("ratelimit-policy")));
  const limits = members(headers.get("ratelimit")).flatMap(([name, { r, t }]): RateLimit[] => {
    const { q = null, w = null } = policies.get(name) ?? {};
    if (r === undefined) return [];
    return [{ name, limit: q, remaining: r, resetSeconds: t ?? null, windowSeconds: w }];
  });
  if (limits.length > 0) return limits;
  const stated = statedIn(headers);
  const remaining = numberIn(stated("remaining"));
  if (remaining === null) return [];
  const text = stated("reset");
  // NaN, where it is no date either, is falsy.
  const reset = numberIn(text) ?? (timeIn(text) || null);
  return [
    {
      name: null,
      // Its windows may follow: `100, 100;w=60`.
      limit: numberIn(stated("limit")?.split(/[,;]/, 1)[0] ?? null),
      remaining,
      resetSeconds:
        // The edge writes seconds since the epoch. An API, whose own limits the edge passes on, may write milliseconds since then, a date, or
        // seconds from now: no time of a server is as large as the ones, or as small as the others, which are three years at most.
        reset &&
        (reset > 1e8 ? secondsUntil(reset > 1e11 ? reset : reset * 1000, headers, now) : Math.ceil(reset)),
      windowSeconds: null,
    },
  ];
}

/**
 * How long a response asks to wait, of either form of `Retry-After` (RFC 9110 §10.2.3).
 *
 * @param headers The fields of a response. A time is compared with the response's `Date`, as in {@link rateLimits}.
 * @param now Milliseconds since the epoch, for a time in a response without a `Date`. Default the clock's.
 * @returns whole seconds, 0 or more; null where the field is absent or malformed. A fraction, which some APIs write, is rounded up.
 * @example
 * import { retryAfterSeconds } from "envoyou-edge/client";
 *
 * const response = await fetch("https://api.example.com/v1/report");
 * if (response.status === 429) console.log(`Again in ${retryAfterSeconds(response.headers) ?? 1} s`);
 */
export function retryAfterSeconds(headers: Headers, now = Date.now()): number | null {
  const text = headers.get("retry-after");
  const seconds = numberIn(text) ?? secondsUntil(timeIn(text), headers, now);
  // NaN, where nothing can be read, is not.
  return seconds >= 0 ? Math.ceil(seconds) : null;
}

/** Names that APIs state one limit under, the edge's first: those of draft -06 and earlier ones among them. */
const PREFIXES = ["x-ratelimit-", "ratelimit-", "x-rate-limit-"];

/** What a response states of one limit by `limit`, `remaining` and `reset`: in a field for each, or in one, as draft -07 has it. */
function statedIn(headers: Headers): (name: string) => string | null {
  const prefix = PREFIXES.find((each) => headers.has(`${each}remaining`));
  if (prefix) return (name) => headers.get(prefix + name);
  const all = new Map(
    [...(headers.get("ratelimit") ?? "").matchAll(/(?<![^ ,])([a-z]+)=(\d+)/g)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
  return (name) => all.get(name) ?? null;
}

/** From the server's present, which is its `Date` and the response's age since (RFC 9110 §6.6.1, RFC 9111 §4.2.3), else from `now`. */
function secondsUntil(time: number, headers: Headers, now: number): number {
  const present = timeIn(headers.get("date")) + Number(numberIn(headers.get("age"))) * 1000;
  return Math.max(0, Math.ceil((time - (present || now)) / 1000));
}

/** Ms since the epoch (RFC 9110 §5.6.7, or RFC 3339, as some APIs write it); NaN: it is none. */
function timeIn(text: string | null): number {
  return Date.parse(/^(.* GMT|\d{4}-.*(Z|[+-]..:..))$/.exec(text ?? "")?.[0] ?? "");
}

/** A String with its parameters. One that is never closed takes the rest: else each further quote would be followed to the end. */
const MEMBER =
  /"((?:[^"\\]|\\.)*)(?:"|\\?$)((?: *; *[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[^"\\]|\\.)*"|[^",; ]*))?)*)/g;

/** The members of a list of Strings with parameters that are Integers (RFC 9651 §3.1). Others are left out. */
function members(field: string | null): [string, Record<string, number>][] {
  return [...(field ?? "").matchAll(MEMBER)].map(([, name = "", parameters = ""]) => [
    name.replace(/\\(.)/g, "$1"),
    Object.fromEntries(
      [...parameters.matchAll(/; *([a-z*][a-z0-9_.*-]*)=(\d{1,15})(?= *(?:;|$))/g)].map(
        ([, key = "", value]) => [key, Number(value)],
      ),
    ),
  ]);
}

/** Seconds, or units; some APIs write fractions: `598.0`. */
function numberIn(text: string | null): number | null {
  return /^ *\d{1,15}(\.\d+)? *$/.test(text ?? "") ? Number(text) : null;
}
