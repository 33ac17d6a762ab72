import { TrieRouter } from "hono/router/trie-router";
import { type Route, unmatchedRoute } from "./route.ts";

/** The first route that matches a method and path, else {@link unmatchedRoute}. */
export type RouteMatcher = (method: string, path: string) => Route;

/**
 * Hono's own router over the list. A HEAD is matched as a GET where no route names HEAD: whoever writes `methods: ["GET"]`
 * means both (RFC 9110 §9.3.2).
 */
export function routeMatcher(routes: readonly Route[]): RouteMatcher {
  const router = new TrieRouter<Route>();
  for (const route of routes) {
    if (route.methods.length === 0) router.add("ALL", route.path, route);
    for (const method of route.methods) router.add(method, route.path, route);
    if (route.methods.includes("GET") && !route.methods.includes("HEAD"))
      router.add("HEAD", route.path, route);
  }
  return (method, path) => router.match(method, path)[0][0]?.[0] ?? unmatchedRoute;
}
