/** What stands in a path and is read in two ways, so that a route's rule could be walked around. */
const AMBIGUOUS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["//", /\/\//],
  ["an encoded slash (%2f)", /%2f/i],
  ["a backslash", /\\|%5c/i],
  // A pattern's `$` matches before a last newline too (Python's `re`, PCRE): `login%0a` is served as `login`.
  ["an encoded control character", /%(?:[01][0-9a-f]|7f)/i],
];

/** What no route can want. */
const NEVER: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["an encoded NUL, CR or LF", /%0[0ad]/i],
  // Windows drops the spaces at a segment's end.
  ["an encoded dot segment (%2e)", /(^|\/)(\.|%2e){1,2}(%20)*(\/|$)/i],
];

/**
 * What is wrong with a path that the edge and an origin could read differently, or null.
 *
 * @param rawPath The route wants such paths: only NUL, the ends of lines and dot segments are then refused.
 */
export function ambiguityOf(pathname: string, rawPath: boolean): string | null {
  const strict = rawPath ? NEVER : [...NEVER, ...AMBIGUOUS];
  return strict.find(([, pattern]) => pattern.test(pathname))?.[0] ?? null;
}
