import { TrieRouter } from "hono/router/trie-router";
import { forgive, forgivePattern } from "../http/path.ts";
import { splitSegments } from "./path-pattern.ts";

/** The names of the parameters in a route's path: `id` in `/v1/items/:id{[0-9]+}`. */
export function parameterNames(pattern: string): string[] {
  const segments = splitSegments(pattern) ?? [];
  return segments.flatMap((segment) => /^:([^{}?]+)/.exec(segment)?.[1] ?? []);
}

/**
 * What a route's parameters stand for in a path that the route matches, in its own spelling or in a forgiven one.
 *
 * @returns an empty record where the path does not match, or the route has no parameters.
 */
export function parametersIn(pattern: string, path: string): Readonly<Record<string, string>> {
  return matched(pattern, path) ?? matched(forgivePattern(pattern), forgive(path)) ?? {};
}

/** Whether a route's path has a path, whatever the method: as it is written, or in a spelling that the route forgives. */
export function matchesPath(
  { path: pattern, forgiving }: { path: string; forgiving: boolean },
  path: string,
): "written" | "plain" | null {
  if (matched(pattern, path)) return "written";
  return forgiving && matched(forgivePattern(pattern), forgive(path)) ? "plain" : null;
}

function matched(pattern: string, path: string): Record<string, string> | undefined {
  const router = new TrieRouter<true>();
  router.add("ALL", pattern, true);
  return router.match("ALL", path)[0][0]?.[1] as Record<string, string> | undefined;
}

/** A text with places for parameters (`item:{id}`), filled with what they stand for. */
export interface Filled {
  text: string;
  /** What comes before the first place: what all texts of this template begin with. Null where there is no place. */
  family: string | null;
}

const PLACE = /\{([^{}]*)\}/g;

/** The names in a template's places. */
export function placesIn(template: string): string[] {
  return [...template.matchAll(PLACE)].map(([, name = ""]) => name);
}

/** Fills a template. Where a parameter stands for nothing (`/items/:id?`), the text is the family. */
export function fill(template: string, parameters: Readonly<Record<string, string>>): Filled {
  const names = placesIn(template);
  if (names.length === 0) return { text: template, family: null };
  const family = template.slice(0, template.indexOf("{"));
  if (names.some((name) => !parameters[name])) return { text: family, family };
  return { text: template.replace(PLACE, (_, name: string) => parameters[name] ?? ""), family };
}
