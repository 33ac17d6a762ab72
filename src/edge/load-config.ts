import type { Config } from "../config/config.ts";
import { loadConfigWith } from "../config/load.ts";
import type { RouteInput } from "../config/route.ts";
import { algorithms } from "../ratelimit/algorithms/algorithms.ts";

/**
 * Reads the environment and the routes. The Worker, `npm run check` and `npm run deploy` all use it, so that they agree.
 *
 * @param routes The list of `src/routes.ts`; a variable `ROUTES` (array or JSON text) takes its place.
 * @throws ConfigError that names every issue, what was found and the fix.
 */
export function loadConfig(env: Readonly<Record<string, unknown>>, routes: readonly RouteInput[]): Config {
  return loadConfigWith(algorithms, env, routes);
}
