import type { MiddlewareHandler } from "hono";
import { Hono } from "hono/tiny";
import type { ConfiguredKey } from "../../config/config.ts";
import { problem } from "../../http/problem.ts";
import type { EndpointEnv } from "../env.ts";
import { type KeyRoutesOptions, keyRoutes } from "./keys.ts";
import { type LimitRoutesOptions, limitRoutes } from "./limits.ts";
import { type OverviewRouteOptions, overviewRoute } from "./overview.ts";
import { type PurgeRoutesOptions, purgeRoutes } from "./purge.ts";
import { type RouteLookupOptions, routeLookupRoute } from "./route-lookup.ts";
import { type UserRoutesOptions, userRoutes } from "./users.ts";
import { type WarmRoutesOptions, warmRoutes } from "./warm.ts";

export interface AdminRoutesOptions
  extends Omit<LimitRoutesOptions, keyof KeyRoutesOptions | "sessions" | "hasSessions">,
    KeyRoutesOptions,
    PurgeRoutesOptions {
  apiKeys: readonly Pick<ConfiguredKey, "key" | "name" | "tier">[];
  users: Pick<UserRoutesOptions, "sessions" | "shared" | "hasSessions">;
  platform: LimitRoutesOptions["platform"];
  /** Refuses requests without an `ADMIN_TOKEN`. */
  gate: MiddlewareHandler;
  warm: WarmRoutesOptions;
  overview: OverviewRouteOptions;
  lookup: RouteLookupOptions;
}

/** All that the endpoints here take; HEAD is answered as GET. */
const METHODS = ["GET", "POST", "DELETE"];

/** The operators' endpoints under `/edge`. */
export function adminRoutes({ gate, warm, overview, lookup, users, ...rest }: AdminRoutesOptions) {
  const app = new Hono<EndpointEnv>()
    .use("*", gate)
    .route("/", overviewRoute(overview))
    .route("/", routeLookupRoute(lookup))
    .route("/", purgeRoutes(rest))
    .route("/", warmRoutes(warm))
    .route("/", limitRoutes({ ...rest, ...users }))
    .route("/", keyRoutes(rest))
    .route("/", userRoutes({ ...rest, ...users }));
  // No path under `/edge` reaches the origin.
  return app.all("*", (c) => {
    const path = c.req.path.slice("/edge".length);
    const allowed = METHODS.filter((method) =>
      app.router.match(method, path)[0].some(([[, route]]) => route.method === method),
    );
    if (allowed.length === 0) throw problem("NOT_FOUND");
    if (allowed[0] === "GET") allowed.push("HEAD");
    throw problem("METHOD_NOT_ALLOWED", { headers: { allow: allowed.join(", ") } });
  });
}
