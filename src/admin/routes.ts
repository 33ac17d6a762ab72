import { Hono, type MiddlewareHandler } from "hono";
import type { ResponseCache } from "../cache/index.ts";
import { notFound } from "./gate.ts";
import { type LimitRoutesOptions, limitRoutes } from "./limits.ts";
import { purgeRoutes } from "./purge.ts";

export interface AdminRoutesOptions extends LimitRoutesOptions {
  /** Lets only operators pass. */
  gate: MiddlewareHandler;
  cache: ResponseCache;
}

/** What stands under `/edge`. */
export function adminRoutes({ gate, cache, ...limits }: AdminRoutesOptions) {
  return (
    new Hono()
      .use("*", gate)
      .route("/", purgeRoutes({ cache }))
      .route("/", limitRoutes(limits))
      // Nothing under this path is the origin's.
      .all("*", () => {
        throw notFound();
      })
  );
}
