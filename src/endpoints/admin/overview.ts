import { Hono } from "hono/tiny";
import type { Config } from "../../config/config.ts";
import type { Health } from "../../edge/health.ts";
import type { Metrics, Recent } from "../../metrics/metrics.ts";
import { overviewOf } from "../../metrics/overview.ts";
import type { Platform } from "../../runtime/platform.ts";
import { version } from "../../runtime/version.ts";
import { badInput } from "../bad-input.ts";
import type { EndpointEnv } from "../env.ts";

export interface OverviewRouteOptions {
  health: Health;
  /** Null: nothing is counted. */
  metrics: Metrics | null;
  config: Pick<Config, "deployedVersion" | "apiHost">;
  platform: Pick<Platform, "now">;
}

const MINUTE_MS = 60_000;
/** Minutes of the series, at most; by default an hour. */
const MAX_MINUTES = 120;

/**
 * `GET /edge/overview?minutes=60`: how the edge is and what all isolates have counted in the last minutes. It is always 200: while the
 * store is lost it has what this isolate has counted, and says so, after one call's deadline at most.
 */
export function overviewRoute({ health, metrics, config, platform }: OverviewRouteOptions) {
  return new Hono<EndpointEnv>().get("/overview", async (c) => {
    const minutes = minutesIn(c.env.received.url);
    const now = platform.now();
    const recent = (await metrics?.recent(now - minutes * MINUTE_MS, c.env.received.waitUntil)) ?? null;
    const { status, mode, services, system } = await health(recent?.lost);
    const body = {
      // As it is answered: the store may have taken seconds.
      now: platform.now(),
      version,
      deployed: config.deployedVersion,
      mode,
      api_host: config.apiHost,
      health: {
        status,
        services,
        store: system.redis,
        ...(system.database && { database: system.database }),
      },
      metrics: metrics ? ("on" as const) : ("off" as const),
      complete: recent !== null && recent.isolates !== null,
      isolates: recent?.isolates ?? null,
      since: recent?.since ?? null,
      minutes,
      ...(recent
        ? overviewOf(recent.counts)
        : { totals: null, routes: [], policies: [], denied_callers: [] }),
      series: recent ? seriesOf(recent, now, minutes) : null,
    };
    return c.json(body, 200, { "cache-control": "no-store" });
  });
}

/** Each of the last minutes, the one that is not over yet included. */
function seriesOf({ minutes }: Recent, now: number, count: number) {
  if (!minutes) return null;
  const first = Math.floor(now / MINUTE_MS) - count + 1;
  const all = Array.from({ length: count }, (_, index) => minutes.get(first + index) ?? [0, 0, 0, 0]);
  const column = (index: number) => all.map((sums) => sums[index] ?? 0);
  return {
    minute: all.map((_, index) => (first + index) * MINUTE_MS),
    requests: column(0),
    denied: column(1),
    errors: column(2),
    hit: column(3),
  };
}

/** @throws Problem 400 for another parameter, and for a number of minutes that there is no series of. */
function minutesIn({ searchParams }: URL): number {
  for (const name of searchParams.keys())
    if (name !== "minutes") throw wrong(name, "is not a parameter that this knows");
  const [text = "60", ...more] = searchParams.getAll("minutes");
  const minutes = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0;
  if (more.length > 0 || minutes < 1 || minutes > MAX_MINUTES)
    throw wrong("minutes", `must be one whole number from 1 to ${MAX_MINUTES}`);
  return minutes;
}

function wrong(field: string, reason: string) {
  return badInput("BAD_QUERY", [{ in: "query", field: field.slice(0, 100), reason }]);
}
