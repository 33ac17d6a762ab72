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

/** The operators' endpoints under `/edge`. */
export function adminRoutes({ gate, warm, overview, lookup, users, ...rest }: AdminRoutesOptions) {
  return (
    new Hono<EndpointEnv>()
      .use("*", gate)
      .route("/", overviewRoute(overview))
      .route("/", routeLookupRoute(lookup))
      .route("/", purgeRoutes(rest))
      .route("/", warmRoutes(warm))
      .route("/", limitRoutes({ ...rest, ...users }))
      .route("/", keyRoutes(rest))
      .route("/", userRoutes({ ...rest, ...users }))
      // No path under `/edge` reaches the origin.
      .all("*", () => {
        throw problem("NOT_FOUND");
      })
  );
}
