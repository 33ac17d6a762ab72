/** One limit, as an answer states it. */
export interface RateLimit {
  /** The limit's name; null in `X-RateLimit-*`, which describe the limit nearest to denial. */
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
 * `X-RateLimit-*`; none where it has neither.
 *
 * @param headers The fields of a response.
 * @param now Milliseconds since the epoch: `X-RateLimit-Reset` is a time. Default the clock's.
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
  const remaining = wholeNumber(headers.get("x-ratelimit-remaining"));
  if (remaining === null) return [];
  const reset = wholeNumber(headers.get("x-ratelimit-reset"));
  return [
    {
      name: null,
      limit: wholeNumber(headers.get("x-ratelimit-limit")),
      remaining,
      resetSeconds: reset === null ? null : Math.max(0, Math.ceil(reset - now / 1000)),
      windowSeconds: null,
    },
  ];
}

/**
 * How long a response asks to wait, of either form of `Retry-After` (RFC 9110 §10.2.3).
 *
 * @param headers The fields of a response.
 * @param now Milliseconds since the epoch, for a date. Default the clock's.
 * @returns whole seconds, 0 or more; null where the field is absent or malformed.
 * @example
 * import { retryAfterSeconds } from "envoyou-edge/client";
 *
 * const response = await fetch("https://api.example.com/v1/report");
 * if (response.status === 429) console.log(`Again in ${retryAfterSeconds(response.headers) ?? 1} s`);
 */
export function retryAfterSeconds(headers: Headers, now = Date.now()): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  const seconds = wholeNumber(text);
  if (seconds !== null) return seconds;
  const date = / GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now) / 1000));
}

/** The members of a list of Strings with parameters that are Integers (RFC 9651 §3.1). Others are left out. */
function members(field: string | null): [string, Record<string, number>][] {
  const list = /"((?:[^"\\]|\\["\\])*)"((?: *; *[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[^"\\]|\\.)*"|[^",; ]*))?)*)/g;
  return [...(field ?? "").matchAll(list)].map(([, name = "", parameters = ""]) => [
    name.replace(/\\(.)/g, "$1"),
    Object.fromEntries(
      [...parameters.matchAll(/; *([a-z*][a-z0-9_.*-]*)=(\d{1,15})(?= *(?:;|$))/g)].map(
        ([, key = "", value]) => [key, Number(value)],
      ),
    ),
  ]);
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^ *\d{1,15} *$/.test(text) ? Number(text) : null;
}
