import { serialize } from "hono/utils/cookie";
import { type CookiePair, cookiePairs, cookieValue } from "../http/cookies.ts";
import { isNamedBy } from "../http/name-pattern.ts";
import { SESSION_TOKEN_PREFIX } from "../http/session-token.ts";

/** The name on https. The prefix binds the cookie to one host (RFC 6265bis §4.1.3.2). */
const SECURE_NAME = "__Host-session";
/** The name on http loopback, where browsers drop the `Secure` cookies that the prefix requires. */
const LOOPBACK_NAME = "session";

/** Both names. */
const SESSION_COOKIE_NAMES: readonly string[] = [SECURE_NAME, LOOPBACK_NAME];

/** Session cookies of one request that are looked at: each costs a signature. A browser sends one. */
const MAX_COOKIES = 16;

/** 400 days in seconds: the maximum of browsers (RFC 6265bis §5.5) and of hono. */
const MAX_AGE_CEILING = 34_560_000;

/** The session cookie's name for requests to `url`. */
export function sessionCookieName(url: URL): string {
  return isLoopback(url) ? LOOPBACK_NAME : SECURE_NAME;
}

/**
 * The session tokens in a `Cookie` field, in the field's order and each once: what stands under the one name that the edge
 * gives its cookie at `url`, and begins with `es1.`. Any other name can be set by a sibling host (RFC 6265bis §4.1.3.2),
 * and any other value is an application's.
 */
export function sessionTokens(header: string | null, url: URL): string[] {
  if (header === null) return [];
  const name = sessionCookieName(url);
  const own = cookiePairs(header).filter((pair) => pair.name === name && pair.text.includes("="));
  const tokens = own.map(cookieValue).filter((value) => value.startsWith(SESSION_TOKEN_PREFIX));
  return [...new Set(tokens)].slice(0, MAX_COOKIES);
}

/**
 * A session cookie in a `Cookie` field that came in several lines, which the runtime joins with commas. It is not read: a
 * sibling host may put a comma into a cookie of its own. But the token must not reach the origin.
 */
const JOINED_TOKEN = new RegExp(
  `,[ \\t]*(?:${SESSION_COOKIE_NAMES.join("|")})[ \\t]*=[ \\t]*"?${SESSION_TOKEN_PREFIX.replace(".", "\\.")}[^,]*`,
  "g",
);

/**
 * The pairs of a `Cookie` field, as they were sent, that hold no session token under either name: an origin's.
 *
 * @param ignored Names and patterns (`_ga*`) of further cookies to leave out. Default none.
 * @param withToken The session's token is for the origin too. Default false.
 */
export function cookiesForOrigin(
  header: string,
  ignored: readonly string[] = [],
  withToken = false,
): string[] {
  const others = cookiePairs(header).filter((pair) =>
    holdsSessionToken(pair) ? withToken : !isNamedBy(pair.name, ignored),
  );
  const texts = others.map(({ text }) => text);
  return withToken ? texts : texts.map((text) => text.replace(JOINED_TOKEN, ""));
}

function holdsSessionToken(pair: CookiePair): boolean {
  return SESSION_COOKIE_NAMES.includes(pair.name) && cookieValue(pair).startsWith(SESSION_TOKEN_PREFIX);
}

/**
 * The `Set-Cookie` value that gives a session's token to the client (ASVS 3.3.1–3.3.4).
 *
 * @param expiresAt The session's absolute end, milliseconds since the epoch.
 * @param now Milliseconds since the epoch.
 */
export function sessionCookie(url: URL, token: string, expiresAt: number, now: number): string {
  const seconds = Math.floor((expiresAt - now) / 1000);
  return cookie(url, token, Math.min(Math.max(0, seconds), MAX_AGE_CEILING));
}

/** The `Set-Cookie` value that deletes the cookie in the browser. */
export function clearedCookie(url: URL): string {
  return cookie(url, "", 0);
}

function cookie(url: URL, value: string, maxAge: number): string {
  const shared = { path: "/", maxAge, httpOnly: true, sameSite: "Lax" } as const;
  return isLoopback(url)
    ? serialize(LOOPBACK_NAME, value, shared)
    : serialize(SECURE_NAME, value, { ...shared, secure: true });
}

/** Whether the URL is http on this machine. Only there the cookie lacks `Secure` and `__Host-`. */
function isLoopback(url: URL): boolean {
  return url.protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
}
