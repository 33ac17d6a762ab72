import type { RouteInput } from "../config/route.ts";
import type { Sink } from "../events/sink.ts";
import { workerPlatform } from "../runtime/platform.ts";
import { type Isolate, openIsolateOf } from "./isolate.ts";
import type { Parts } from "./parts.ts";

/** What is open for an environment, of whatever parts, the least recently used first. */
const openFor = new WeakMap<object, Set<Isolate>>();

/**
 * So many are open for an environment: some 50 KB each without what it caches. An app has one for each call of a middleware that says
 * something else, and one that makes middlewares from what a request says has one for each thing said: beyond the bound the least
 * recently used ends.
 */
export const MAX_ISOLATES = 256;

/** How many are open for an environment. */
export function openIsolates(env: object): number {
  return openFor.get(env)?.size ?? 0;
}

/** See {@link isolatesOf}. */
export type IsolateOf = (env: object, routes: readonly RouteInput[], sinks?: readonly Sink[]) => Isolate;

/**
 * The isolates of some parts, by environment and list of routes. The first call for these creates one. What an ended one has cached and
 * not yet written is gone with it, as when the platform ends the process; counts are the environment's, and stay.
 *
 * @returns a function that throws ConfigError, which names every issue of the environment and the routes. Its `sinks` are used
 *   by the first call only.
 */
export function isolatesOf(parts: Parts): IsolateOf {
  const isolates = new WeakMap<object, WeakMap<readonly RouteInput[], Isolate>>();
  return (env, routes, sinks = []) => {
    const byRoutes = isolates.get(env) ?? new WeakMap<readonly RouteInput[], Isolate>();
    const open = openFor.get(env) ?? new Set<Isolate>();
    const known = byRoutes.get(routes);
    if (known && open.has(known)) {
      // Each request comes here, and mostly there is one.
      if (open.size > 1) {
        open.delete(known);
        open.add(known);
      }
      return known;
    }
    isolates.set(env, byRoutes);
    openFor.set(env, open);
    const variables = env as Record<string, unknown>;
    const isolate = openIsolateOf(parts, variables, routes, workerPlatform, sinks, [...open]);
    const [oldest] = open;
    if (oldest && open.size >= MAX_ISOLATES) {
      open.delete(oldest);
      oldest.end();
    }
    open.add(isolate);
    byRoutes.set(routes, isolate);
    return isolate;
  };
}
