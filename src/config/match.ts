import { TrieRouter } from "hono/router/trie-router";
import { type Route, unmatchedRoute } from "./route.ts";

/** The first route that matches a method and path, else {@link unmatchedRoute}. */
export type RouteMatcher = (method: string, path: string) => Route;

/**
 * Hono's own router over the list. A HEAD is matched as a GET where no route names HEAD: whoever writes
 * `methods: ["GET"]` means both (RFC 9110 §9.3.2).
 *
 * Many origins serve `/Profile/`, `/profile;x=1` and (on Windows) `/profile.` as `/profile`: a rule must not be left
 * behind by a spelling that the origin forgives. So each path is also matched in its plain spelling, and the first
 * route of the list that matches either is used. Only a route that names the very path, without wildcards, comes before.
 */
export function routeMatcher(routes: readonly Route[]): RouteMatcher {
  const exact = routerOver(routes, (path) => path);
  const forgiving = routerOver(routes, forgivePattern);
  const allPlain = routes.every(({ path }) => forgivePattern(path) === path);
  return remembering((method, path) => {
    const asWritten = exact(method, path);
    if (asWritten?.path === path) return asWritten;
    const plain = forgive(path);
    const forgiven = plain === path && allPlain ? asWritten : forgiving(method, plain);
    if (!asWritten || !forgiven) return asWritten ?? forgiven ?? unmatchedRoute;
    return routes.indexOf(forgiven) < routes.indexOf(asWritten) ? forgiven : asWritten;
  });
}

const MAX_REMEMBERED = 1000;
const MAX_REMEMBERED_LENGTH = 256;

/** The same paths come again and again, and a look at the list costs more than one into a Map. */
function remembering(match: RouteMatcher): RouteMatcher {
  const known = new Map<string, Route>();
  return (method, path) => {
    if (path.length > MAX_REMEMBERED_LENGTH) return match(method, path);
    const name = `${method} ${path}`;
    const before = known.get(name);
    if (before) return before;
    const route = match(method, path);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(name, route);
    return route;
  };
}

function routerOver(routes: readonly Route[], spelling: (path: string) => string) {
  const router = new TrieRouter<Route>();
  for (const route of routes) {
    const path = spelling(route.path);
    if (route.methods.length === 0) router.add("ALL", path, route);
    for (const method of route.methods) router.add(method, path, route);
    if (route.methods.includes("GET") && !route.methods.includes("HEAD")) router.add("HEAD", path, route);
  }
  return (method: string, path: string): Route | undefined => router.match(method, path)[0][0]?.[0];
}

/** Something in it to forgive, or perhaps: anything but small ASCII, a `;`, an end of a segment that Windows drops. */
const FORGIVABLE = /[^!-:<-@[-~]|[./]$|\.\//;

/** One case, no `;parameters` of a segment, no dots and spaces at a segment's end, no trailing slashes. */
function forgive(path: string): string {
  return FORGIVABLE.test(path) ? withoutTail(path.split("/").map(forgiveSegment).join("/")) : path;
}

/** The same for a route's path, whose `:parameters` keep their names. */
function forgivePattern(path: string): string {
  const segments = path.split("/").map((part) => (part.startsWith(":") ? part : forgiveSegment(part)));
  return withoutTail(segments.join("/"));
}

function forgiveSegment(segment: string): string {
  const name = segment.replace(/;.*$/s, "");
  const end = endWithout(name, DROPPED);
  // What is nothing but dots in the middle of a path is a name of its own.
  return oneCase(end > 0 ? name.slice(0, end) : name);
}

/** By way of the capitals: some small letters have the same one (`ſ` and `s`), and origins that compare so. */
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

/**
 * The path as routes see it: percent-decoded, as the origin will read it.
 *
 * @returns null when an escape is broken or does not decode to UTF-8: such a path has no one meaning.
 */
export function decodedPath(pathname: string): string | null {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return null;
  }
}
