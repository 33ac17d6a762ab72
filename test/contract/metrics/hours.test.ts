import { describe, expect, inject, it } from "vitest";
import { Counts } from "../../../src/metrics/counts.ts";
import { exposition } from "../../../src/metrics/exposition.ts";
import { requests } from "../../../src/metrics/families.ts";
import { createKeys } from "../../../src/store/keys.ts";
import { meteredEdge, samplesOf, total } from "../../support/metered-edge.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const FIRST = Math.floor(Date.now() / HOUR_MS);
/** Ten minutes into an hour: its beginning is past when the first minute is added up. */
const BEGUN_MS = 10 * MINUTE_MS;
const START = FIRST * HOUR_MS + BEGUN_MS;
const REQUESTS = "http_server_request_duration_seconds_count";

/** A command as whoever owns the Redis. */
async function redis<Result>(...command: (string | number)[]): Promise<Result> {
  const response = await fetch(inject("ownerUrl"), {
    method: "POST",
    headers: { authorization: `Bearer ${inject("ownerToken")}` },
    body: JSON.stringify(command),
  });
  return (await response.json<{ result: Result }>()).result;
}

function world() {
  const edge = meteredEdge({ now: START });
  const { prefix } = edge;
  const keys = createKeys({ rateLimit: `{${prefix}r}`, session: `{${prefix}s}`, cache: `{${prefix}c}` });
  /** The requests that an hour's bucket has, null where there is no bucket. */
  async function counted(hour: number): Promise<number | null> {
    const text = await redis<string | null>("GET", keys.metricHour(hour));
    if (text === null) return null;
    const counts = new Counts(1_000_000, 100);
    counts.add(text);
    const exposed = exposition({ counts, gauges: [], always: {} }, "prometheus");
    return total(await samplesOf(new Response(exposed)), REQUESTS, { http_route: "/*" });
  }
  /** Hours that have a bucket, since the first. */
  async function hours(): Promise<number[]> {
    const names = await redis<string[]>("KEYS", `${keys.metricHour(0).slice(0, -1)}*`);
    return names.map((name) => Number(name.split(":").at(-1)) - FIRST).sort((a, b) => a - b);
  }
  return { ...edge, keys, counted, hours };
}

describe("hour buckets", () => {
  it("have what all had counted when the hour began, each hour's once, from the second on", async () => {
    const { ask, platform, counted, hours } = world();
    let sent = 0;
    const known = new Map<number, number>();
    // Every minute, with one gap of three hours in which nobody asks.
    for (let ms = BEGUN_MS; ms < 8 * HOUR_MS; ms += MINUTE_MS) {
      const quiet = ms >= 3.5 * HOUR_MS && ms < 6.5 * HOUR_MS;
      if (!quiet) await ask("/x");
      if (!quiet) sent += 1;
      if (ms % HOUR_MS === 0) known.set(ms / HOUR_MS, sent);
      platform.advance(MINUTE_MS);
    }
    // After a silence the next hour has one: the hours of the silence have nothing to tell.
    const found = await hours();
    expect(found).toEqual([1, 2, 3, 6, 7]);
    for (const hour of found) {
      const now = (await counted(FIRST + hour)) ?? 0;
      const then = hour === 6 ? 200 : (known.get(hour) ?? 0);
      // It is written with the first adding up of the hour, a few minutes into it.
      expect(now, `hour ${hour}`).toBeGreaterThanOrEqual(then - 1);
      expect(now, `hour ${hour}`).toBeLessThanOrEqual(then + 10);
    }
  });

  it("are none before an hour has changed, and one when it has, however many add up then", async () => {
    const { ask, platform, counted, hours, prefix } = world();
    for (let minute = 0; minute < 49; minute += 1) {
      await ask("/x");
      platform.advance(MINUTE_MS);
    }
    expect(await hours()).toEqual([]);
    platform.advance(5 * MINUTE_MS);
    const now = platform.now();
    const isolates = Array.from({ length: 4 }, () => meteredEdge({ prefix, now }));
    await Promise.all(isolates.map((isolate) => isolate.scrape()));
    expect(await hours()).toEqual([1]);
    expect(await counted(FIRST + 1)).toBe(49);
    const before = await counted(FIRST + 1);
    // It says what was counted then, and is not written again.
    for (let minute = 0; minute < 10; minute += 1) {
      await ask("/x");
      platform.advance(MINUTE_MS);
    }
    expect(await counted(FIRST + 1)).toBe(before);
  });

  it("live for eight days", async () => {
    const { ask, platform, keys } = world();
    await ask("/x");
    platform.advance(HOUR_MS + 5 * MINUTE_MS);
    await ask("/x");
    platform.advance(MINUTE_MS);
    await ask("/x");
    const left = await redis<number>("PTTL", keys.metricHour(FIRST + 1));
    expect(left).toBeLessThanOrEqual(8 * DAY_MS);
    expect(left).toBeGreaterThan(8 * DAY_MS - 10 * MINUTE_MS);
  });

  it("have at most 80 KB, whatever 64 isolates have counted", async () => {
    const { ask, platform, keys, scrape } = world();
    await ask("/x");
    const minute = Math.floor(platform.now() / MINUTE_MS);
    for (let isolate = 0; isolate < 64; isolate += 1) {
      const counts = new Counts(24_000, 100);
      for (let label = 0; label < 500; label += 1)
        counts.at(requests, `/route-${isolate}-${label}`, "GET", "200")[0] = 1_000_000 + label;
      for (let caller = 0; caller < 100; caller += 1)
        counts.denied.add(`${isolate}-${caller}`.padEnd(32, "0"));
      await redis("HSET", keys.metricMinute(minute), `isolate-${isolate}`, `1 ${counts.text}`);
    }
    platform.advance(HOUR_MS + 5 * MINUTE_MS);
    await scrape();
    const text = await redis<string>("GET", keys.metricHour(FIRST + 1));
    // A third of the room is for the families that have nothing here.
    expect(text.length).toBeGreaterThan(20_000);
    expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(80_000);
  });
});
