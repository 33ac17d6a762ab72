import { Hono } from "hono/tiny";
import type { Health, HealthFacts } from "../edge/health.ts";
import type { Platform } from "../runtime/platform.ts";

export interface HealthRoutesOptions {
  health: Health;
  platform: Platform;
  /** Whether an origin is configured. */
  ready: boolean;
  version: string;
}

/**
 * `GET /`, `/live` and `/ready` below the health path.
 *
 * `/` always answers 200: an edge without Redis still serves, and a monitor that gets a 503 would remove it. The facts stand
 * twice, at top level and under `data`, because existing clients read either.
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
  return { ...facts, data: { ...facts, timestamp, version } };
}
