import { forgive, forgivePattern } from "../http/path.ts";
import { withHead } from "./check-routes.ts";
import { matchesPath } from "./path-parameters.ts";
import { splitSegments } from "./path-pattern.ts";
import type { Route } from "./route.ts";

/** Why a route is the one of a request, in one sentence, and why others are not. */
export interface Explanation {
  because: string;
  /** Those before it in the list, and those after it that have the path; in the list's order. */
  not: { route: string; pattern: string; reason: string }[];
}

/** Routes that are told why not, at most. */
const MAX_OTHERS = 100;

/**
 * Explains what the matcher has said.
 *
 * @param matched The route of `routes` that it returned; null where none matches.
 * @param path Decoded.
 */
export function explainMatch(
  routes: readonly Route[],
  matched: Route | null,
  { method, path }: { method: string; path: string },
): Explanation {
  const place = matched ? routes.indexOf(matched) : routes.length;
  const not = routes.flatMap((route, index) => {
    if (route === matched) return [];
    const reason = reasonAgainst(route, { method, path }, index > place);
    return reason === null ? [] : [{ route: route.name, pattern: route.path, reason }];
  });
  return { because: matched ? reasonFor(matched, method, path) : NONE, not: not.slice(0, MAX_OTHERS) };
}

const NONE = "No route has this path and method: the request passes to your API without limits or cache.";

function reasonFor(route: Route, method: string, path: string): string {
  const asked =
    method === "HEAD" && route.methods.length > 0 && !route.methods.includes("HEAD")
      ? " HEAD is matched as GET."
      : "";
  if (route.path === path) return `It names this very path, which comes before patterns.${asked}`;
  if (matchesPath(route, path) === "written")
    return `It is the first route of the list that has this path and method.${asked}`;
  return `It is the first route of the list that has this path in its plain spelling, ${forgive(path)}, and this method: some servers read both as one path. What is not written so is not stored by it.${asked}`;
}

/** Null where nothing needs to be said: a route after the one that matches, with another path. */
function reasonAgainst(
  route: Route,
  { method, path }: { method: string; path: string },
  isLater: boolean,
): string | null {
  const { methods } = route;
  if (matchesPath(route, path) === null) return isLater ? null : otherPath(route, path);
  if (methods.length > 0 && !withHead(methods).includes(method))
    return `It is for ${methods.join(", ")}, not ${method}.`;
  if (isLater) return "It has this path and method too, and a route before it has them.";
  return "It has this path in its plain spelling alone, and the route that matches names it as it is.";
}

/** The first segment that differs. */
function otherPath({ path: pattern, forgiving }: Route, path: string): string {
  const plain = (text: string) => (forgiving ? forgive(text) : text);
  const wanted = splitSegments(forgiving ? forgivePattern(pattern) : pattern) ?? [];
  const given = plain(path).split("/").slice(1);
  const at = wanted.findIndex((segment, index) => isOther(segment, given[index]));
  const [want = "", has] = at < 0 ? [] : [wanted[at], given[at]];
  if (at >= 0 && has !== undefined) return `Its path has ${want} where this one has ${has || "nothing"}.`;
  if (at >= 0) return `Its path goes on with ${want}, where this one ends.`;
  return given.length > wanted.length ? "Its path is shorter." : "Its path is another.";
}

function isOther(segment: string, given: string | undefined): boolean {
  if (segment.startsWith(":")) return given === undefined && !segment.endsWith("?");
  return segment.endsWith("*") ? given?.startsWith(segment.slice(0, -1)) === false : segment !== given;
}
