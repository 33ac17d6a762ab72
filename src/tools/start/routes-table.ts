import type { Access } from "../../config/access.ts";
import type { RouteInput } from "../../config/route.ts";
import { loadConfig } from "../../edge/load-config.ts";

/** A route as the page shows it. */
export interface RouteRow {
  path: string;
  /** Empty: every method. */
  methods: string[];
  access: string;
  limits: string[];
  cache: string;
  session: string;
}

/** Every route, as the Worker compiles it. The Worker's own code reads the variables and the list. */
export function routeRows(
  vars: Readonly<Record<string, unknown>>,
  routes: readonly RouteInput[],
): RouteRow[] {
  return loadConfig(vars, routes).routes.map((route) => ({
    path: route.path,
    methods: route.methods,
    access: accessText(route.access),
    limits: [
      ...route.limits.map(({ limit, window, name }) => `${name}: ${limit} per ${window}`),
      ...[...route.tiers].flatMap(([tier, limits]) =>
        limits.map(({ limit, window, name }) => `${tier} ${name}: ${limit} per ${window}`),
      ),
    ],
    cache: route.cache
      ? `${route.cache.scope}${route.cache.ttl === undefined ? "" : `, ${route.cache.ttl} s`}`
      : "",
    session: route.session ?? "",
  }));
}

function accessText(access: Access): string {
  return typeof access === "string" ? access : JSON.stringify(access);
}
