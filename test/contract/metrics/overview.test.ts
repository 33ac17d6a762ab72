import { describe, expect, it, test } from "vitest";
import { freshPrefix } from "../../support/limits.ts";
import { ADMIN_TOKEN, METRICS_TOKEN, meteredEdge } from "../../support/metered-edge.ts";

const MINUTE_MS = 60_000;
/** A moment at the beginning of an hour. */
const HOUR = Math.floor(Date.now() / 3_600_000) * 3_600_000;
type Edge = ReturnType<typeof meteredEdge>;

interface Overview {
  complete: boolean;
  isolates: number | null;
  since: number | null;
  metrics: string;
  totals: {
    requests: number;
    by_status: Record<string, number>;
    limits: { denied: number };
    cache: { hit: number };
  };
  routes: { route: string; requests: number; denied: number; hit: number }[];
  policies: { route: string; denied: number; source: Record<string, number> }[];
  denied_callers: { caller: string; denied: number; approximate: true }[];
  series: { minute: number[]; requests: number[]; denied: number[]; errors: number[]; hit: number[] } | null;
}

async function overview(edge: Edge, query = ""): Promise<Overview> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const response = await edge.ask(`/edge/overview${query}`, { headers });
  expect(response.status, await response.clone().text()).toBe(200);
  expect(response.headers.get("cache-control")).toBe("no-store");
  return response.json();
}

const ofRoute = ({ routes }: Overview, route: string) => routes.find((each) => each.route === route);

describe("the overview", () => {
  it("has what two isolates have counted once both have written, whichever answers, by one call for it", async () => {
    const prefix = freshPrefix();
    const [one, other] = [meteredEdge({ prefix, now: HOUR }), meteredEdge({ prefix, now: HOUR })];
    await one.times(7, "/limited");
    await other.times(3, "/cached");
    for (const edge of [one, other]) {
      edge.platform.advance(10_000);
      await edge.ask("/x");
    }
    for (const edge of [one, other]) {
      const before = edge.wire.calls.length;
      const told = await overview(edge);
      expect(edge.wire.calls[before]).toEqual(["hgetall", "zrange", ...Array(9).fill("hgetall")]);
      expect(told).toMatchObject({ complete: true, isolates: 2, since: null, metrics: "on" });
      expect(ofRoute(told, "/limited")).toMatchObject({ requests: 7, denied: 2 });
      expect(ofRoute(told, "/cached")).toMatchObject({ requests: 3, hit: 2 });
      expect(told.totals).toMatchObject({ limits: { denied: 2 }, cache: { hit: 2 } });
      expect(told.policies[0]).toMatchObject({
        route: "/limited",
        denied: 2,
        source: { redis: 6, block: 1 },
      });
      expect(told.denied_callers).toEqual([
        { caller: expect.stringMatching(/^hash:[0-9a-f]{32}$/), denied: 2, approximate: true },
      ]);
      expect(told.series?.minute).toHaveLength(60);
      expect(told.series?.minute.at(-1)).toBe(HOUR);
      expect(told.series?.requests.at(-1)).toBe(12);
      expect(told.series?.denied.at(-1)).toBe(2);
      expect(told.series?.hit.at(-1)).toBe(2);
    }
  });

  it("its series is what was sent in each minute, over three hours and whoever asks", async () => {
    const prefix = freshPrefix();
    const isolates = [meteredEdge({ prefix, now: HOUR }), meteredEdge({ prefix, now: HOUR })];
    const sent: number[] = [];
    for (let minute = 0; minute < 180; minute += 1) {
      // Busy, quiet for a while, and isolates that come and go.
      const busy = minute % 30 < 22 ? (minute % 5) + 1 : 0;
      if (minute % 50 === 49) isolates.push(meteredEdge({ prefix, now: HOUR + minute * MINUTE_MS }));
      if (minute % 50 === 25) isolates.shift();
      for (const [index, edge] of isolates.entries()) {
        for (let each = 0; each < busy; each += 1) await edge.ask("/x");
        edge.platform.advance(11_000);
        // What was counted is written with the next request after ten seconds.
        if (busy > 0) await edge.ask("/x");
        edge.platform.advance(MINUTE_MS - 11_000);
        sent[minute] = (sent[minute] ?? 0) + (busy > 0 ? busy + 1 : 0);
        if (index > 4) throw new Error("too many isolates");
      }
    }
    const fresh = meteredEdge({ prefix, now: HOUR + 180 * MINUTE_MS });
    const { series, complete } = await overview(fresh, "?minutes=120");
    expect(complete).toBe(true);
    // The last minute is the one that begins.
    expect(series?.requests.slice(0, -1)).toEqual(sent.slice(-119));
    expect((await overview(fresh, "?minutes=7")).series?.requests.slice(0, -1)).toEqual(sent.slice(-6));
  }, 120_000);

  it("counts from the last snapshot before the time that is asked for, also after a silence", async () => {
    const edge = meteredEdge({ now: HOUR });
    const sentAt: number[] = [];
    const minute = async (count: number) => {
      for (let each = 0; each < count; each += 1) {
        sentAt.push(edge.platform.now());
        await edge.ask("/x");
      }
      edge.platform.advance(30_000);
      sentAt.push(edge.platform.now());
      await edge.ask("/x");
      edge.platform.advance(30_000);
    };
    const hold = async (minutes: number) => {
      const told = await overview(edge, `?minutes=${minutes}`);
      const { since } = told;
      const from = since ?? 0;
      const requests = ofRoute(told, "/*")?.requests ?? 0;
      // Of those of that very moment some came before it.
      expect(requests, `${minutes} minutes`).toBeLessThanOrEqual(sentAt.filter((at) => at >= from).length);
      expect(requests, `${minutes} minutes`).toBeGreaterThanOrEqual(sentAt.filter((at) => at > from).length);
      return since === null ? null : (edge.platform.now() - since) / MINUTE_MS;
    };
    for (let each = 0; each < 45; each += 1) await minute(2);
    for (const minutes of [1, 10, 30]) {
      const age = (await hold(minutes)) ?? 0;
      expect(age).toBeGreaterThanOrEqual(minutes);
      expect(age).toBeLessThan(minutes + 12);
    }
    expect(await hold(60), "it began later").toBe(null);
    edge.platform.advance(200 * MINUTE_MS);
    await minute(3);
    const since = await hold(60);
    expect(since).toBeGreaterThan(200);
    expect(since).toBeLessThan(215);
    for (let each = 0; each < 130; each += 1) await minute(1);
    for (const minutes of [1, 60, 120]) expect(await hold(minutes)).toBeLessThan(minutes + 12);
  }, 120_000);

  it("while Redis is away has the isolate's own counts, says so and has no series; then all again", async () => {
    const prefix = freshPrefix();
    const [one, other] = [meteredEdge({ prefix, now: HOUR }), meteredEdge({ prefix, now: HOUR })];
    await one.times(3, "/x");
    await other.times(4, "/x");
    one.wire.cut = true;
    const lost = await overview(one);
    expect(lost).toMatchObject({ complete: false, isolates: null, since: null, series: null });
    expect(ofRoute(lost, "/*")?.requests).toBe(3);
    one.wire.cut = false;
    for (const edge of [one, other]) {
      edge.platform.advance(61_000);
      await edge.times(1, "/x");
    }
    const again = await overview(other);
    expect(again).toMatchObject({ complete: true });
    expect(ofRoute(again, "/*")?.requests).toBe(9);
  });

  it.each<[what: string, env: Record<string, unknown>, metrics: string]>([
    ["METRICS_TOKEN alone", { METRICS_TOKEN }, "on"],
    ["CONSOLE_HOST alone", { METRICS_TOKEN: "", CONSOLE_HOST: "console.example" }, "on"],
    ["neither", { METRICS_TOKEN: "" }, "off"],
  ])("with %s metrics are %s", async (_what, env, metrics) => {
    const edge = meteredEdge({ env, now: HOUR });
    await edge.times(2, "/x");
    const told = await overview(edge);
    expect(told.metrics).toBe(metrics);
    if (metrics === "on") expect(told.totals.requests).toBeGreaterThan(0);
    else expect(told).toMatchObject({ totals: null, routes: [], series: null, complete: false });
  });
});

test.each([
  ["?minutes=0", "minutes"],
  ["?minutes=121", "minutes"],
  ["?minutes=-1", "minutes"],
  ["?minutes=", "minutes"],
  ["?minutes=60.0", "minutes"],
  ["?minutes=6e1", "minutes"],
  ["?minutes=%206", "minutes"],
  ["?minutes=06", "minutes"],
  ["?minutes=1&minutes=2", "minutes"],
  ["?minutes=NaN", "minutes"],
  ["?Minutes=5", "Minutes"],
  ["?minutes=5&x", "x"],
  [`?${"y".repeat(300)}=1`, "y".repeat(100)],
])("%s is a 400 that names the parameter", async (query, field) => {
  const edge = meteredEdge({ now: HOUR });
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const response = await edge.ask(`/edge/overview${query}`, { headers });
  expect(response.status).toBe(400);
  const problem = await response.json();
  expect(problem).toMatchObject({ code: "BAD_QUERY", errors: [{ in: "query", field }] });
});

test.each(["/edge/overview", "/edge/overview?minutes=0"])("%s needs an ADMIN_TOKEN", async (path) => {
  const edge = meteredEdge({ now: HOUR });
  expect((await edge.ask(path)).status).toBe(401);
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  expect((await edge.ask(path, { headers })).status).toBe(401);
});
