import { Hono } from "hono/tiny";
import type { Health, HealthFacts } from "../edge/health.ts";
import type { Platform } from "../runtime/platform.ts";

export interface HealthRoutesOptions {
  health: Health;
  platform: Platform;
  /** The edge can do its work: it has an origin. */
  ready: boolean;
  version: string;
}

/**
 * `GET /`, `/live` and `/ready` below the health path.
 *
 * `/` is always 200: an edge on its memory still serves, and a monitor that read 503 there would take it down. The facts
 * stand twice, at top level and under `data`, because both forms are read out there.
 */
export function healthRoutes({ health, platform, ready, version }: HealthRoutesOptions) {
  const noStore = { "cache-control": "no-store" };
  return new Hono()
    .get("/", async (c) => {
      const facts = await health();
      return c.json(body(facts, new Date(platform.now()).toISOString(), version), 200, noStore);
    })
    .get("/live", (c) => c.json({ status: "alive" }, 200, noStore))
    .get("/ready", (c) =>
      ready
        ? c.json({ status: "ready" }, 200, noStore)
        : c.json({ status: "not_ready", reason: "No origin is configured" }, 503, noStore),
    );
}

function body(facts: HealthFacts, timestamp: string, version: string) {
  const { status, system, services } = facts;
  return {
    status: "success",
    system,
    services,
    data: { status, timestamp, version, system, services },
  };
}
