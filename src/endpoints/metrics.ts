import type { MiddlewareHandler } from "hono";
import { Hono } from "hono/tiny";
import { problem } from "../http/problem.ts";
import { CONTENT_TYPES, exposition, formatFor, type Gauge } from "../metrics/exposition.ts";
import type { Metrics, Scraped } from "../metrics/metrics.ts";
import type { Store } from "../store/store.ts";
import type { EndpointEnv } from "./env.ts";

export interface MetricsRouteOptions {
  /** Refuses requests without a `METRICS_TOKEN`. */
  gate: MiddlewareHandler;
  /** Null without a `METRICS_TOKEN`: the gate lets nobody pass. */
  metrics: Metrics | null;
  store: Pick<Store, "configured" | "reachable" | "steady">;
}

/** Callers that a scrape names. */
const TOP_CALLERS = 50;

/**
 * `GET /edge/metrics`: what all isolates have counted, in OpenMetrics text or, where it is preferred, Prometheus'. It is always
 * 200: while the store is lost it has what this isolate has counted, and says so.
 */
export function metricsRoute({ gate, metrics, store }: MetricsRouteOptions) {
  return new Hono<EndpointEnv>().all("/metrics", gate, async (c) => {
    if (c.req.method !== "GET" && c.req.method !== "HEAD")
      throw problem("METHOD_NOT_ALLOWED", { headers: { allow: "GET, HEAD" } });
    if (!metrics) throw problem("NOT_FOUND");
    const format = formatFor(c.req.header("accept") ?? null);
    const scraped = await metrics.scrape(c.env.received.waitUntil);
    const always = scraped.isolates === null ? { partial: "true" } : {};
    const text = exposition({ counts: scraped.counts, gauges: gaugesOf(scraped, store), always }, format);
    return c.body(text, 200, {
      "content-type": CONTENT_TYPES[format],
      "cache-control": "no-store",
      vary: "Accept",
    });
  });
}

function gaugesOf({ counts, isolates }: Scraped, store: MetricsRouteOptions["store"]): Gauge[] {
  const closed = store.steady;
  const states = { closed, half_open: store.reachable && !closed, open: !store.reachable };
  return [
    {
      name: "envoyou_edge_metrics_complete",
      help: "1: the counts are those of all isolates. 0: the store did not answer, they are those of the isolate that answered.",
      samples: [[{}, isolates === null ? 0 : 1]],
    },
    {
      name: "envoyou_edge_metrics_isolates",
      help: "Isolates that have counted in the last minutes.",
      samples: [[{}, isolates ?? 1]],
    },
    {
      name: "envoyou_edge_store_breaker_state",
      help: "1 for the state of the store's circuit breaker in the isolate that answered.",
      samples: store.configured
        ? Object.entries(states).map(([state, is]) => [{ state }, is ? 1 : 0] as const)
        : [],
    },
    {
      name: "envoyou_edge_denied_caller_requests_approx",
      help: "Approximate: how often the callers denied most were denied, halved each hour; by hash, 50 at most.",
      samples: counts.denied.top(TOP_CALLERS).map(([caller, [denied]]) => [{ caller }, denied] as const),
    },
  ];
}
