/**
 * A field name as the most lenient origin reads it, in lower case. WSGI and CGI turn `X-User-Id` into `HTTP_X_USER_ID`,
 * and with it every other spelling of which the letters and digits agree: every other character is a `-`.
 */
export function laxName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9-]/g, "-");
}

/** RFC 9110 §5.1: a token. `Headers.delete` throws for anything else. */
export function isFieldName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name);
}
