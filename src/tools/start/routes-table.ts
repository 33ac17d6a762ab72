import { join } from "node:path";
import { Worker } from "node:worker_threads";
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

/** How long the thread may take: the list is code of the developer's. */
const WITHIN_MS = 10_000;

/**
 * Reads `src/routes.ts` as it is now, in a thread of its own, which has no module of before.
 *
 * @param vars The Worker's variables, `ROUTES` among them.
 * @throws Error with the words of what is wrong with the list.
 */
export function readRoutesTable(vars: Readonly<Record<string, unknown>>): Promise<RouteRow[]> {
  const thread = new Worker(join(import.meta.dirname, "routes-thread.ts"), {
    workerData: vars,
    stdout: true,
    stderr: true,
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("src/routes.ts takes too long to load")), WITHIN_MS);
    thread.once("message", resolve);
    thread.once("error", reject);
    thread.once("exit", () => {
      clearTimeout(timer);
      reject(new Error("src/routes.ts ends the thread that reads it"));
    });
  }).finally(() => thread.terminate()) as Promise<RouteRow[]>;
}
