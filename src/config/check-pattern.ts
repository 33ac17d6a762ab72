import { TrieRouter } from "hono/router/trie-router";
import { splitSegments } from "./path-pattern.ts";

/**
 * What is wrong with a route's path, as a sentence that says the fix; null when nothing is. Hono takes many of these as
 * literal text, and a route that never matches leaves its paths without its rules.
 *
 * @param rawPath Whether the route takes paths with `//`.
 */
export function patternIssue(path: string, rawPath: boolean): string | null {
  if (!path.startsWith("/")) return "Must start with a /.";
  if (/\p{Cc}/u.test(path)) return "Remove the control characters.";
  const segments = splitSegments(path);
  if (!segments) return "Close each { with a }, around the pattern of a :name only.";
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    const issue = segment === "" ? emptyIssue(isLast, rawPath) : segmentIssue(segment, isLast);
    if (issue) return issue;
  }
  return routerIssue(path);
}

function emptyIssue(isLast: boolean, rawPath: boolean): string | null {
  if (isLast || rawPath) return null;
  return "Remove the empty segment: a path with // is a 400 unless the route says rawPath.";
}

function segmentIssue(segment: string, isLast: boolean): string | null {
  if (segment.startsWith(":")) return parameterIssue(segment, isLast);
  if (segment === "*") return null;
  if (/[{}]/.test(segment)) return "Write a pattern after a name: :id{[0-9]+}.";
  const star = segment.indexOf("*");
  if (star >= 0 && !(isLast && star === segment.length - 1)) {
    return "Use * as a whole segment, or at the very end.";
  }
  if (segment === "." || segment === "..") return "Remove the dot segment: no request has one.";
  if (/[?#]/.test(segment))
    return "Write the path alone, without ? and #; ? may only follow a :name at the end.";
  if (/%[0-9a-f]{2}/i.test(segment)) return "Write the characters themselves: paths are matched decoded.";
  if (OTHER_SYNTAX.test(segment) || (isLast && segment.endsWith("$"))) {
    return "Write :id for a parameter, and :kind{a|b} for a choice: elsewhere Hono takes this as literal text.";
  }
  return null;
}

/**
 * How other routers write a parameter, a group or a pattern: `[id]` (Next.js), `<id>` (Flask), `(a|b)`, `.*`, `user-:id` (Express).
 * A `:` behind a letter is literal in APIs too: `items/abc:cancel`; so are `Products(1)` and `$metadata`.
 */
const OTHER_SYNTAX = /[<>[\]|\\^]|^\(|[^\p{L}\p{N}]:\w|^\.[*+]$/u;

function parameterIssue(segment: string, isLast: boolean): string | null {
  const parts = /^:([^{}?]*)(?:\{(.*)\})?(\??)$/s.exec(segment);
  if (!parts) return "Write a parameter as :name, :name{pattern} or :name?, and nothing after it.";
  const [, name = "", pattern, optional] = parts;
  if (!/^\w(?:[\w-]*\w)?$/.test(name))
    return "Name the parameter with letters, digits, - and _: one :name a segment.";
  if (optional && !isLast) return "Only the last segment can be optional.";
  if (pattern === undefined) return null;
  if (pattern === "") return "Write a pattern between the braces, or remove them.";
  try {
    new RegExp(`^${pattern}$`);
    return null;
  } catch {
    return "Write a regular expression between the braces: :id{[0-9]+}.";
  }
}

/** The router itself has the last word. */
function routerIssue(path: string): string | null {
  try {
    const router = new TrieRouter<null>();
    router.add("GET", path, null);
    router.match("GET", "/");
    return null;
  } catch {
    return "Write it in Hono's path syntax: /v1/user/:id, /v1/:id{[0-9]+}, /v1/*.";
  }
}
