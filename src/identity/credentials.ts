import { Problem } from "../http/problem.ts";
import type { Credentials } from "./caller.ts";

/** What every token of ours starts with: nothing else is taken for a session. */
export const SESSION_TOKEN_PREFIX = "es1.";
/** The cookie over https; without the prefix on http loopback only, where `Secure` cookies cannot be set. */
export const SESSION_COOKIES = ["__Host-session", "session"] as const;

/** Headers by which a request says who sends it: those that the edge reads, and those that only an origin can. */
const READ_HEADERS = ["authorization", "cookie", "x-api-key"] as const;
const UNREAD_HEADERS = ["apikey", "x-auth-token"] as const;

/** Longer ones are nobody's: they are refused before anything is hashed. */
const MAX_CREDENTIAL_LENGTH = 4096;

/**
 * Reads what the request carries.
 *
 * @throws Problem 400 where two different API keys are sent, or one is longer than 4096 characters.
 */
export function readCredentials(headers: Headers, url: URL, jwtConfigured: boolean): Credentials {
  const [authorization, cookies, headerKey] = READ_HEADERS.map((name) => headers.get(name));
  const bearer = /^bearer +(\S+)\s*$/i.exec(authorization ?? "")?.[1] ?? null;
  const cookie = sessionCookie(cookies ?? null);
  // A name may be written with escapes; without either there is nothing to parse.
  const mayHoldKey = url.search.includes("api_key") || url.search.includes("%");
  const queryKeys = mayHoldKey ? url.searchParams.getAll("api_key").filter(Boolean) : [];
  const isSession = bearer?.startsWith(SESSION_TOKEN_PREFIX) ?? false;
  const isJwt = !isSession && jwtConfigured && bearer !== null && bearer.split(".").length === 3;
  const bearerKey = bearer !== null && !isSession && !isJwt ? bearer : null;

  const keys = new Set([bearerKey, headerKey?.trim() || null, ...queryKeys].filter((key) => key !== null));
  const [apiKey = null] = keys;
  if (keys.size > 1) {
    throw new Problem({
      status: 400,
      code: "AMBIGUOUS_CREDENTIALS",
      title: "Ambiguous credentials",
      message: "The request carries two different API keys. Send one.",
    });
  }
  if ([bearer, apiKey, cookie].some((text) => (text?.length ?? 0) > MAX_CREDENTIAL_LENGTH)) {
    throw new Problem({
      status: 400,
      code: "CREDENTIAL_TOO_LONG",
      title: "Credential too long",
      message: `A credential of more than ${MAX_CREDENTIAL_LENGTH} characters is not accepted.`,
    });
  }

  const fromCookie = cookie === null ? null : ({ raw: cookie, tokenSource: "cookie" } as const);
  return {
    sessionToken: isSession && bearer !== null ? { raw: bearer, tokenSource: "bearer" } : fromCookie,
    jwt: isJwt ? bearer : null,
    apiKey,
    sessionCookie: cookie !== null,
    any:
      queryKeys.length > 0 ||
      [authorization, cookies, headerKey].some((value) => value !== null) ||
      UNREAD_HEADERS.some((name) => headers.has(name)),
  };
}

/** The session cookie's value: the prefixed name wins, and of several the first (RFC 6265 §5.4 sends the longest path first). */
function sessionCookie(header: string | null): string | null {
  if (!header) return null;
  const pairs = header.split(";").map((pair) => pair.trim());
  for (const name of SESSION_COOKIES) {
    const pair = pairs.find((each) => each.startsWith(`${name}=`));
    if (pair) return pair.slice(name.length + 1).replace(/^"(.*)"$/, "$1");
  }
  return null;
}
