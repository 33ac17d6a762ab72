import { bearerToken } from "../http/bearer.ts";
import { withoutBlanks } from "../http/blanks.ts";
import {
  API_KEY_FIELD,
  API_KEY_PARAMETER,
  type CredentialNames,
  DEFAULT_CREDENTIALS,
} from "../http/credential-fields.ts";
import { problem } from "../http/problem.ts";
import type { Credentials } from "./caller.ts";
import { sessionTokens } from "./session-cookie.ts";
import { SESSION_TOKEN_PREFIX } from "./session-token.ts";

/** Longer credentials are refused before any of them is hashed, characters. */
const MAX_CREDENTIAL_LENGTH = 4096;

/**
 * Reads the credentials of a request.
 *
 * @throws Problem 400 where two different API keys are sent, or one is longer than 4096 characters.
 */
export function readCredentials(
  headers: Headers,
  url: URL,
  jwtConfigured: boolean,
  names: CredentialNames = DEFAULT_CREDENTIALS,
): Credentials {
  const authorization = headers.get("authorization");
  const cookies = headers.get("cookie");
  const headerKey = headers.get(API_KEY_FIELD);
  const bearer = bearerToken(authorization);
  const [cookie = null, ...otherCookies] = sessionTokens(cookies, url);
  // A name may be written with escapes; without either there is nothing to parse.
  const mayHoldKey = url.search.includes(API_KEY_PARAMETER) || url.search.includes("%");
  const queryKeys = mayHoldKey ? url.searchParams.getAll(API_KEY_PARAMETER) : [];
  const isSession = bearer?.startsWith(SESSION_TOKEN_PREFIX) ?? false;
  const isJwt = !isSession && jwtConfigured && bearer !== null && bearer.split(".").length === 3;
  const bearerKey = bearer !== null && !isSession && !isJwt ? bearer : null;

  const keys = new Set(
    [
      bearerKey,
      headerKey === null ? null : withoutBlanks(headerKey) || null,
      ...queryKeys.filter(Boolean),
    ].filter((key) => key !== null),
  );
  const [apiKey = null] = keys;
  if (keys.size > 1) throw problem("AMBIGUOUS_CREDENTIALS");
  if ([bearer, apiKey].some((text) => (text?.length ?? 0) > MAX_CREDENTIAL_LENGTH))
    throw problem("CREDENTIAL_TOO_LONG", { values: { max: MAX_CREDENTIAL_LENGTH } });

  const fromCookie =
    cookie === null ? null : ({ raw: cookie, others: otherCookies, tokenSource: "cookie" } as const);
  return {
    sessionToken: isSession && bearer !== null ? { raw: bearer, tokenSource: "bearer" } : fromCookie,
    jwt: isJwt ? bearer : null,
    apiKey,
    sessionCookie: cookie !== null,
    any: carriesCredential(headers, url, names),
  };
}

/** Whether a request has any credential, be it empty or one that the edge does not read. */
export function carriesCredential(headers: Headers, url: URL, names: CredentialNames): boolean {
  const fields = ["authorization", "cookie", API_KEY_FIELD];
  return (
    fields.some((name) => headers.has(name)) ||
    (url.search !== "" && url.searchParams.has(API_KEY_PARAMETER)) ||
    names.hasUnread(headers, url)
  );
}
