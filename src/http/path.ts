/**
 * The path as routes see it: percent-decoded, as the origin will read it.
 *
 * @returns null when an escape is broken or does not decode to UTF-8: such a path has no one meaning.
 */
export function decodedPath(pathname: string): string | null {
  if (!pathname.includes("%")) return pathname;
  try {
    return decodeURIComponent(pathname);
  } catch {
    return null;
  }
}

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

/** What each of {@link NEVER}, {@link AMBIGUOUS} and {@link hiddenAmbiguity} needs: most paths have none of it. */
const MAY_BE_AMBIGUOUS = /[%;\\]|\/[./]|^\./;

/** What a path holds that {@link decodedPath} cannot read. */
export const BROKEN_ESCAPE = "a broken escape";

/**
 * What is wrong with a path that the edge and an origin could read differently, or null.
 *
 * @param pathname as `URL` gives it: not decoded, dot segments resolved as far as they are plain.
 * @param rawPath The route wants such paths: only NUL, the ends of lines and dot segments, in any reading, are then
 *   refused.
 */
export function ambiguityOf(pathname: string, rawPath: boolean): string | null {
  if (!MAY_BE_AMBIGUOUS.test(pathname)) return null;
  const strict = rawPath ? NEVER : [...NEVER, ...AMBIGUOUS];
  return strict.find(([, pattern]) => pattern.test(pathname))?.[0] ?? hiddenAmbiguity(pathname, rawPath);
}

/** A dot, slash or backslash that is percent-encoded twice or more often: `%252e`. */
const ENCODED_AGAIN = /%(?:25)*(2e|2f|5c)/gi;

/**
 * What only another reading shows: once it is decoded, with `\` for a slash (Windows), without the `;parameters` that
 * servlet containers cut from every segment before they look at dots (RFC 3986 §3.3); and decoded again, as by a proxy
 * in front of the origin and then by the origin.
 */
function hiddenAmbiguity(pathname: string, rawPath: boolean): string | null {
  if (!/[%;]/.test(pathname)) return null;
  const path = decodedPath(pathname);
  if (path === null) return BROKEN_ESCAPE;
  const again = path.replace(ENCODED_AGAIN, (_text, hex: string) => decodeURIComponent(`%${hex}`));
  if (again !== path && again.split(/[/\\]/).some(isDotSegment)) return "a dot segment";
  for (const segment of path.split(/[/\\]/)) {
    const name = withoutParameters(segment);
    if (isDotSegment(segment)) return "a dot segment";
    if (!rawPath && name !== segment && name.trim() === "") return "a segment of nothing but parameters";
  }
  return null;
}

function isDotSegment(segment: string): boolean {
  return /^\.{1,2}[\s\p{Cc}]*$/u.test(withoutParameters(segment));
}

function withoutParameters(segment: string): string {
  return segment.split(";", 1)[0] ?? "";
}

/** Something in it to forgive, or perhaps: anything but small ASCII, a `;`, a `%`, an end of a segment that Windows drops. */
const FORGIVABLE = /[^!-$&-:<-@[-~]|[./]$|\.\//;

/** What can be decoded beside an escape that is broken. */
const ENCODED_ASCII = /%[2-7][0-9a-f]/gi;

/**
 * A decoded path in the plain spelling that origins forgive others for: one case, no `;parameters` of a segment, no dots
 * and spaces at a segment's end, no trailing slashes, nothing that is percent-encoded twice.
 */
export function forgive(path: string): string {
  if (!FORGIVABLE.test(path)) return path;
  const again = decodedAgain(path);
  // Slashes of its own are told apart by a route that wants raw paths.
  const segments = (again === path ? path : oneSlash(again)).split("/");
  return withoutTail(segments.map(forgiveSegment).join("/"));
}

/** A path as it was sent in its plain spelling, with `\` and several slashes read as one slash. */
export function plainPath(pathname: string): string {
  return forgive(oneSlash(decodedPath(pathname) ?? pathname));
}

/** {@link forgive} for a route's path, whose `:parameters` keep their names. */
export function forgivePattern(path: string): string {
  const segments = path
    .split("/")
    .map((part) => (part.startsWith(":") ? part : forgiveSegment(decodedAgain(part))));
  return withoutTail(segments.join("/"));
}

/** A path as it was sent without what {@link forgive} takes from the ends of its segments: its letters stay as they are. */
export function withoutEnds(pathname: string): string {
  return FORGIVABLE.test(pathname) ? withoutTail(pathname.split("/").map(segmentName).join("/")) : pathname;
}

function forgiveSegment(segment: string): string {
  return oneCase(segmentName(segment));
}

function oneSlash(path: string): string {
  return /\\|\/\//.test(path) ? path.replace(/[\\/]+/g, "/") : path;
}

/** A decoded path as it is read where a proxy decodes it, and then the origin: `%65`, `%2565`. */
function decodedAgain(path: string): string {
  const once = path.replace(/%(?:25)+/g, "%");
  return decodedPath(once) ?? once.replace(ENCODED_ASCII, (text) => decodeURIComponent(text));
}

function segmentName(segment: string): string {
  const name = withoutParameters(segment);
  const end = endWithout(name, DROPPED);
  // What is nothing but dots in the middle of a path is a name of its own.
  return end > 0 ? name.slice(0, end) : name;
}

/** The text without the differences that origins without regard to case overlook. By way of the capitals: some small letters have the same one (`ſ` and `s`), and origins that compare so. */
const oneCase = (text: string) => text.toUpperCase().toLowerCase();

const DROPPED = /[.\s\p{Cc}]/u;

function withoutTail(path: string): string {
  return path.slice(0, endWithout(path, /[/.\s\p{Cc}]/u)) || "/";
}

/** Where the text ends without these characters. By hand: a pattern for it would try again from each of them. */
function endWithout(text: string, dropped: RegExp): number {
  let end = text.length;
  while (end > 0 && dropped.test(text.charAt(end - 1))) end -= 1;
  return end;
}
