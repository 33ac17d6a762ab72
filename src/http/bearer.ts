/** RFC 6750 §2.1: the scheme in any case (RFC 9110 §11.1), spaces, the token, and perhaps something after it. */
const BEARER = /^bearer +(\S+)(.*)$/is;

/** What a 401 says of how to sign in (RFC 6750 §3). */
export const BEARER_CHALLENGE = "Bearer";
/** The same where a token was sent that is not valid (RFC 6750 §3.1). */
export const INVALID_TOKEN_CHALLENGE = 'Bearer error="invalid_token"';
/** The same where the token was valid until it expired. */
export const EXPIRED_TOKEN_CHALLENGE = `${INVALID_TOKEN_CHALLENGE}, error_description="The token has expired"`;

/**
 * The token of an `Authorization` field, or null where the field is absent, names another scheme, or carries more than
 * one word after the scheme: such a field has no one meaning, and nobody is known by it.
 */
export function bearerToken(authorization: string | null | undefined): string | null {
  const [, token = null, rest = ""] = BEARER.exec(authorization ?? "") ?? [];
  return /^[ \t]*$/.test(rest) ? token : null;
}

/** Each bearer of a field, also behind a tab, and in one that came in several lines, which are one with commas. */
const BEARERS = /(?:^|,)[ \t]*bearer[ \t]+([^\s,]+)/gi;

/**
 * Whether a bearer in the field begins with `prefix`, whatever stands around it. An origin may read what
 * {@link bearerToken} does not: what must not reach it is told by this.
 */
export function bearerBegins(authorization: string | null, prefix: string): boolean {
  // Nearly every field has it where it is looked for, or not at all.
  if (!authorization?.includes(prefix)) return false;
  if (authorization.startsWith(bearerField(prefix))) return true;
  return [...authorization.matchAll(BEARERS)].some(([, token = ""]) => token.startsWith(prefix));
}

/** An `Authorization` field with a token. */
export function bearerField(token: string): string {
  return `Bearer ${token}`;
}
