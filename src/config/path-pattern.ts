/** Route paths in Hono's syntax (`hono/router/trie-router`), as data that can be checked and compared. */

export type Segment =
  | { kind: "literal"; text: string }
  /** `*` before the end, or `:name`: any one segment that is not empty (`*` takes an empty one too). */
  | { kind: "any"; named: boolean }
  /** `:name{pattern}`: what the pattern matches, which may contain `/`. */
  | { kind: "pattern"; source: string }
  /** `/*` at the end: whatever follows, nothing included. */
  | { kind: "rest" }
  /** `name*` at the end: a segment that begins so, and whatever follows. */
  | { kind: "prefix"; text: string };

/** A path of two spellings where its end is optional (`/a/:b?`): both are in the list. */
export type PathPattern = readonly (readonly Segment[])[];

/** Splits at `/`, but not inside braces. Null when the braces are not balanced. */
export function splitSegments(path: string): string[] | null {
  const segments = [""];
  let depth = 0;
  for (const character of path.slice(1)) {
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    if (depth < 0) return null;
    if (character === "/" && depth === 0) segments.push("");
    else segments[segments.length - 1] += character;
  }
  return depth === 0 ? segments : null;
}

/** Reads a path that {@link patternIssue} finds nothing wrong with. */
export function readPattern(path: string): PathPattern {
  const optional = path.endsWith("?");
  const texts = splitSegments(optional ? path.slice(0, -1) : path) ?? [];
  const segments = texts.map((text, index) => readSegment(text, index === texts.length - 1));
  return optional ? [segments, segments.slice(0, -1)] : [segments];
}

function readSegment(text: string, isLast: boolean): Segment {
  if (text === "*") return isLast ? { kind: "rest" } : { kind: "any", named: false };
  if (isLast && text.endsWith("*")) return { kind: "prefix", text: text.slice(0, -1) };
  const parameter = /^:[^{}]+(?:\{(.+)\})?$/s.exec(text);
  if (!parameter) return { kind: "literal", text };
  return parameter[1] === undefined
    ? { kind: "any", named: true }
    : { kind: "pattern", source: parameter[1] };
}

/** Whether every path that `narrow` matches is matched by `wide` too. Says no where it cannot tell. */
export function covers(wide: PathPattern, narrow: PathPattern): boolean {
  return narrow.every((each) => wide.some((candidate) => coversSegments(candidate, each)));
}

function coversSegments(wide: readonly Segment[], narrow: readonly Segment[]): boolean {
  const [first, ...others] = wide;
  const [other, ...rest] = narrow;
  if (!first) return !other;
  // `/a/*` matches `/a` too.
  if (first.kind === "rest") return true;
  if (!other) return false;
  if (first.kind === "prefix") {
    return (other.kind === "literal" || other.kind === "prefix") && other.text.startsWith(first.text);
  }
  return coversSegment(first, other) && coversSegments(others, rest);
}

function coversSegment(wide: Segment, narrow: Segment): boolean {
  switch (wide.kind) {
    case "literal":
      return narrow.kind === "literal" && narrow.text === wide.text;
    case "any":
      if (narrow.kind === "any") return narrow.named || !wide.named;
      if (narrow.kind === "literal") return narrow.text !== "" || !wide.named;
      return narrow.kind === "pattern" && !mayMatchSlashOrNothing(narrow.source);
    case "pattern":
      if (narrow.kind === "pattern") return narrow.source === wide.source;
      return narrow.kind === "literal" && new RegExp(`^(?:${wide.source})$`).test(narrow.text);
    default:
      return false;
  }
}

/** Only `[0-9a-z_-]+`, `\d+`, `\w+` and words are known to match no slash and something. */
function mayMatchSlashOrNothing(source: string): boolean {
  return !/^(?:(?:\[[\w-]+\]|\\[dw])\+?|\w|\|(?=\w))+$/.test(source);
}
