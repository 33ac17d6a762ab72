import { decodeProtectedHeader } from "jose";
import { bearerToken } from "../http/bearer.ts";
import { withoutBlanks } from "../http/blanks.ts";
import { cookiePairs, cookieValue } from "../http/cookies.ts";
import {
  API_KEY_FIELD,
  API_KEY_PARAMETER,
  CALLER_FIELDS,
  type CredentialNames,
  DEFAULT_CREDENTIALS,
} from "../http/credential-fields.ts";
import { problem } from "../http/problem.ts";
import { SESSION_TOKEN_PREFIX } from "../http/session-token.ts";
import type { Credentials } from "./caller.ts";
import { sessionTokens } from "./session-cookie.ts";

/** Longer credentials are the origin's, characters: none of them is hashed or verified. */
export const MAX_CREDENTIAL_LENGTH = 16 * 1024;

/** JWTs in cookies of one request that are looked at: each costs a signature. A browser sends one. */
const MAX_JWT_COOKIES = 8;

export interface ReadOptions {
  /** Whether JWT is configured. Without it a JWT is an API key. */
  jwt: boolean;
  /** `JWT_COOKIE`: the cookie that may hold a JWT, or null. */
  jwtCookie?: string | null;
  names?: CredentialNames;
  /** Whether a text is a key of `API_KEYS`, which may look like a JWT. */
  isConfiguredKey?(text: string): boolean;
  /** Whether the origin verifies keys on the route: then what only looks like a JWT may be one. Default false. */
  keysMayHaveDots?: boolean;
  /** Whether the route asks who calls. Where it does not, keys and JWTs are the origin's. Default true. */
  used?: boolean;
}

/**
 * Reads the credentials of a request. What is longer than 16 KiB, or of no use on the route, is left unread for the origin.
 *
 * @throws Problem 400 where two different API keys are sent to a route that asks who calls.
 */
export function readCredentials(headers: Headers, url: URL, options: ReadOptions): Credentials {
  const { names = DEFAULT_CREDENTIALS, used = true } = options;
  const authorization = headers.get("authorization");
  const cookies = headers.get("cookie");
  const headerKey = headers.get(API_KEY_FIELD);
  const sent = bearerToken(authorization);
  const bearer = isShort(sent) ? sent : null;
  const cookieTokens = sessionTokens(cookies, url);
  const cookie = cookieTokens[0] ?? null;
  // A name may be written with escapes; without either there is nothing to parse.
  const { search } = url;
  const mayHoldKey = search.includes(API_KEY_PARAMETER) || search.includes("%");
  const queryKeys = mayHoldKey ? url.searchParams.getAll(API_KEY_PARAMETER) : [];
  const isSession = bearer?.startsWith(SESSION_TOKEN_PREFIX) ?? false;
  const isJwt = bearer !== null && looksLikeJwt(bearer, options);
  const bearerKey = bearer !== null && !isSession && !isJwt ? bearer : null;
  const cookieJwts = jwtsIn(cookies, options);
  const cookieJwt = isJwt ? null : (cookieJwts[0] ?? null);
  const hidden = isJwt ? cookieJwts : cookieJwts.slice(1);

  const presented = [bearerKey, headerKey && withoutBlanks(headerKey), ...queryKeys].filter(isText);
  const keys = presented.length > 0 ? [...new Set(presented.filter(isShort))] : presented;
  if (keys.length > 1 && used) throw problem("AMBIGUOUS_CREDENTIALS");
  const apiKey = (used ? keys[0] : null) ?? null;
  const jwt = used ? (isJwt ? bearer : cookieJwt) : null;
  const passed = !used && (keys.length > 0 || isJwt || cookieJwt !== null);
  const tooLong = !(isShort(sent) && presented.every(isShort));

  const fromCookie =
    cookie === null ? null : ({ raw: cookie, others: cookieTokens.slice(1), tokenSource: "cookie" } as const);
  return {
    sessionToken: isSession && bearer !== null ? { raw: bearer, tokenSource: "bearer" } : fromCookie,
    jwt,
    ...(jwt !== null && !isJwt && { jwtCookie: true }),
    ...(used && hidden.length > 0 && { otherJwts: hidden }),
    apiKey,
    sessionCookie: cookie !== null,
    ...((passed || tooLong) && { unread: true }),
    any:
      authorization !== null ||
      cookies !== null ||
      headerKey !== null ||
      queryKeys.length > 0 ||
      names.hasUnread(headers, url),
  };
}

/** Whether a request has any credential, be it empty or one that the edge does not read. */
export function carriesCredential(headers: Headers, url: URL, names: CredentialNames): boolean {
  return (
    CALLER_FIELDS.some((name) => headers.has(name)) ||
    (url.search !== "" && url.searchParams.has(API_KEY_PARAMETER)) ||
    names.hasUnread(headers, url)
  );
}

function isText(text: string | null): text is string {
  return text !== null && text !== "";
}

function isShort(text: string | null): boolean {
  return (text?.length ?? 0) <= MAX_CREDENTIAL_LENGTH;
}

/** Three parts with dots between (RFC 7515 §7.1); no session token, and no key of `API_KEYS`. */
function looksLikeJwt(text: string, options: ReadOptions): boolean {
  const isJwt = options.jwt && text.split(".", 4).length === 3 && !text.startsWith(SESSION_TOKEN_PREFIX);
  if (!isJwt || options.isConfiguredKey?.(text)) return false;
  return !options.keysMayHaveDots || hasJwtHeader(text);
}

function hasJwtHeader(text: string): boolean {
  try {
    return typeof decodeProtectedHeader(text).alg === "string";
  } catch {
    return false;
  }
}

/** The JWTs in cookies of this name, in their order and each once. An origin may read the last. */
function jwtsIn(cookies: string | null, options: ReadOptions): string[] {
  const { jwtCookie } = options;
  if (!options.jwt || !jwtCookie || cookies === null) return [];
  const values = cookiePairs(cookies).flatMap((pair) => (pair.name === jwtCookie ? [cookieValue(pair)] : []));
  const found = [...new Set(values.filter((value) => isShort(value) && looksLikeJwt(value, options)))];
  return found.length > MAX_JWT_COOKIES
    ? [...found.slice(0, MAX_JWT_COOKIES - 1), ...found.slice(-1)]
    : found;
}
