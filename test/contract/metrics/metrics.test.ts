import { describe, expect, it } from "vitest";
import { freshPrefix } from "../../support/limits.ts";
import { meteredEdge, total } from "../../support/metered-edge.ts";

const MINUTE_MS = 60_000;
/** A moment at the beginning of an hour: a test whose clock goes on for a minute stays within it. */
const HOUR = Math.floor(Date.now() / 3_600_000) * 3_600_000;
const REQUESTS = "http_server_request_duration_seconds_count";
const OF_API = { http_route: "/*" };

/** Isolates of one deployment, whose clocks go together. */
function deployment(count: number) {
  const prefix = freshPrefix();
  const isolates = Array.from({ length: count }, () => meteredEdge({ prefix, now: HOUR }));
  const advance = (ms: number) => {
    for (const { platform } of isolates) platform.advance(ms);
  };
  return {
    prefix,
    isolates,
    advance,
    open: () => meteredEdge({ prefix, now: isolates[0]?.platform.now() ?? HOUR }),
  };
}

describe("two isolates", () => {
  it("are in one scrape, with all that was sent once both have written, whichever answers it", async () => {
    const { isolates, advance } = deployment(2);
    const [one, other] = isolates;
    if (!one || !other) throw new Error("two isolates");
    await one.times(7, "/limited");
    await other.times(3, "/x");
    await other.times(3, "/cached");
    await one.times(2, "/shadow");
    advance(10_000);
    await one.ask("/x");
    await other.ask("/x");
    for (const samples of [await one.samples(), await other.samples()]) {
      expect(total(samples, REQUESTS, OF_API)).toBe(5);
      expect(total(samples, REQUESTS, { http_route: "/limited", http_response_status_code: "200" })).toBe(5);
      expect(total(samples, REQUESTS, { http_route: "/limited", http_response_status_code: "429" })).toBe(2);
      expect(total(samples, "envoyou_edge_verdicts_total", { verdict: "rate_limit_exceeded" })).toBe(2);
      expect(total(samples, "envoyou_edge_cache_requests_total", { result: "miss" })).toBe(1);
      expect(total(samples, "envoyou_edge_cache_requests_total", { result: "hit" })).toBe(2);
      expect(total(samples, "envoyou_edge_cache_saved_bytes_total")).toBe(8);
      expect(total(samples, "http_client_request_duration_seconds_count")).toBe(5 + 5 + 1 + 2);
      const limits = "ratelimit_service_rate_limit_";
      const few = { http_route: "/limited", policy: "few" };
      expect(total(samples, `${limits}total_hits`, few)).toBe(7);
      expect(total(samples, `${limits}within_limit`, few)).toBe(5);
      expect(total(samples, `${limits}near_limit`, few)).toBe(1);
      expect(total(samples, `${limits}over_limit`, { ...few, source: "redis" })).toBe(1);
      expect(total(samples, `${limits}over_limit`, { ...few, source: "block" })).toBe(1);
      expect(total(samples, `${limits}shadow_mode`, { policy: "none" })).toBe(1);
      expect(total(samples, "envoyou_edge_denied_caller_requests_approx")).toBe(2);
      expect(total(samples, "envoyou_edge_metrics_complete")).toBe(1);
      expect(total(samples, "envoyou_edge_metrics_isolates")).toBe(2);
    }
  });

  it("are so after an outage that they survive, of any length", async () => {
    for (const outageMs of [15_000, 5 * MINUTE_MS, 100 * MINUTE_MS, 5 * 60 * MINUTE_MS]) {
      const { isolates, advance } = deployment(2);
      const [one, other] = isolates;
      if (!one || !other) throw new Error("two isolates");
      await one.times(2, "/x");
      await other.times(2, "/x");
      for (const { wire } of isolates) wire.cut = true;
      for (let passed = 0; passed < outageMs; passed += outageMs / 5) {
        advance(outageMs / 5);
        await one.times(4, "/x");
        await other.times(4, "/x");
      }
      for (const { wire } of isolates) wire.cut = false;
      for (let step = 0; step < 6; step += 1) {
        advance(31_000);
        await one.ask("/x");
        await other.ask("/x");
      }
      expect(total(await one.samples(), REQUESTS, OF_API), `${outageMs} ms`).toBe(2 * (2 + 20 + 6));
    }
  });
});

describe("a write whose reply is lost", () => {
  it.each([20_000, 3 * MINUTE_MS, 10 * MINUTE_MS, 100 * MINUTE_MS])(
    "counts once, whether it has arrived or not, and is found out after %i ms and more",
    async (silenceMs) => {
      for (const how of ["deaf", "cut"] as const) {
        const { isolates, advance } = deployment(2);
        const [one, other] = isolates;
        if (!one || !other) throw new Error("two isolates");
        await one.times(3, "/x");
        advance(10_000);
        one.wire[how] = true;
        await one.times(2, "/x");
        one.wire[how] = false;
        // The other one goes on, and counts the first as gone.
        const others = 20;
        for (let step = 0; step < others; step += 1) {
          advance(silenceMs / others);
          await other.ask("/x");
        }
        advance(10_000);
        await other.ask("/x");
        await one.times(1, "/x");
        advance(11_000);
        await one.times(1, "/x");
        expect(total(await other.samples(), REQUESTS, OF_API), how).toBe(3 + 2 + 1 + 1 + others + 1);
      }
    },
  );
});

describe("totals", () => {
  it("never fall, while isolates come, go, are quiet and come back, for six hours", async () => {
    const { isolates, advance, open } = deployment(1);
    let last = 0;
    let sent = 0;
    const send = async (isolate: (typeof isolates)[number] | undefined) => {
      await isolate?.ask("/x");
      sent += 1;
    };
    for (let step = 0; step < 120; step += 1) {
      advance(3 * MINUTE_MS);
      if (step % 4 === 0) isolates.push(open());
      if (step % 9 === 5) isolates.shift();
      if (isolates.length === 0) isolates.push(open());
      const who = isolates[step % isolates.length];
      await send(who);
      const samples = await (step % 2 ? open() : who)?.samples();
      const now = total(samples ?? new Map(), REQUESTS, OF_API);
      expect(now, `step ${step}`).toBeGreaterThanOrEqual(last);
      // Each writes with its first request after ten seconds.
      expect(now).toBe(sent);
      last = now;
    }
  });

  it("are the same however many isolates fold at once, and where a fold is cut off", async () => {
    const { isolates, advance, open } = deployment(3);
    for (const isolate of isolates) await isolate.times(1, "/x");
    advance(10 * MINUTE_MS);
    const [cutOff] = isolates;
    if (!cutOff) throw new Error("an isolate");
    cutOff.wire.deaf = true;
    await cutOff.scrape();
    const scraping = Array.from({ length: 6 }, open);
    await Promise.all(scraping.map((each) => each.scrape()));
    for (const each of [...scraping, open()]) expect(total(await each.samples(), REQUESTS, OF_API)).toBe(3);
    advance(10 * MINUTE_MS);
    expect(total(await open().samples(), REQUESTS, OF_API)).toBe(3);
  });

  it("are found after a day of silence, with one more call, once", async () => {
    const { isolates, advance, open } = deployment(2);
    for (let step = 0; step < 20; step += 1) {
      for (const isolate of isolates) await isolate.ask("/x");
      advance(30_000);
    }
    advance(24 * 60 * MINUTE_MS);
    const next = open();
    expect(total(await next.samples(), REQUESTS, OF_API)).toBe(40);
    // What was written last before the silence; the rest is its own write, and adding up.
    expect(next.wire.calls.slice(0, 2).map(([name]) => name)).toEqual(["hgetall", "hgetall"]);
    const after = open();
    after.platform.advance(MINUTE_MS);
    expect(total(await after.samples(), REQUESTS, OF_API)).toBe(40);
  });
});

describe("totals never fall either", () => {
  it("after a silence of three days, while isolates come and go", async () => {
    const { isolates, advance, open } = deployment(1);
    for (let step = 0; step < 5; step += 1) {
      await isolates[0]?.times(20, "/x");
      advance(30_000);
    }
    await isolates[0]?.ask("/x");
    advance(3 * 24 * 60 * MINUTE_MS);
    const reader = open();
    let sent = 101;
    for (let minute = 0; minute < 11; minute += 1) {
      await meteredEdge({ prefix: reader.prefix, now: reader.platform.now() }).ask("/x");
      sent += 1;
      expect(total(await reader.samples(), REQUESTS, OF_API), `minute ${minute}`).toBe(sent);
      reader.platform.advance(MINUTE_MS);
    }
  });

  it("of a route that one isolate goes on to count, when others fill the room for labels", async () => {
    const path = (index: number) => `/${String(index).padStart(3, "0")}${"x".repeat(1500)}`;
    const routes = Array.from({ length: 30 }, (_, index) => ({ path: path(index) }));
    const prefix = freshPrefix();
    const live = meteredEdge({ prefix, routes, now: HOUR });
    let sent = 0;
    for (let minute = 0; minute < 9; minute += 1) {
      const other = meteredEdge({ prefix, routes, now: live.platform.now() });
      for (let index = 1; index <= 3; index += 1) await other.ask(path(3 * minute + index));
      other.platform.advance(10_000);
      await other.ask(path(3 * minute + 1));
      for (let third = 0; third < 3; third += 1) {
        await live.ask(path(0));
        live.platform.advance(20_000);
        sent += 1;
      }
      const samples = await live.samples();
      const own = total(samples, REQUESTS, { http_route: path(0) });
      expect(own, `minute ${minute}`).toBeGreaterThanOrEqual(sent - 1);
    }
    const labels = [...(await live.samples()).keys()].join();
    // What those that are gone have counted first had to go.
    expect(labels, "the room was filled").not.toContain(path(1));
    expect(labels).not.toContain('http_route="other"');
  });

  it("of what goes on, when all other routes are renamed 20 times; the current ones are always counted", async () => {
    const prefix = freshPrefix();
    const redis = meteredEdge({ prefix, now: HOUR }).platform;
    for (let version = 1; version <= 20; version += 1) {
      const names = Array.from({ length: 4 }, (_, index) => `/v${version}/${index}/${"x".repeat(400)}`);
      const routes = [...names, "/stays"].map((path) => ({ path }));
      const deployed = () => meteredEdge({ prefix, routes, now: redis.now() });
      const one = deployed();
      for (const name of [...names, "/stays"]) await one.ask(name);
      const other = deployed();
      const check = async (what: string) => {
        const samples = await other.samples();
        const counted = names.map((name) => total(samples, REQUESTS, { http_route: name }));
        expect(counted, `${what} version ${version}`).toEqual([1, 1, 1, 1]);
        expect(total(samples, REQUESTS, { http_route: "/stays" })).toBe(version);
        expect(total(samples, REQUESTS, { http_route: "other" })).toBe(0);
      };
      one.platform.advance(10_000);
      await one.scrape();
      await check("while it counts,");
      redis.advance(5 * MINUTE_MS);
      other.platform.advance(5 * MINUTE_MS);
      await check("when it is gone,");
    }
  });

  it.each([-1000, -30_000, -60_000, -90_000, -2 * MINUTE_MS])(
    "and nothing waits when the clock is set back by %i ms",
    async (backMs) => {
      const { prefix, isolates, advance } = deployment(1);
      const [one] = isolates;
      await one?.times(3, "/x");
      advance(11_000);
      await one?.times(2, "/x");
      one?.platform.advance(backMs);
      await one?.times(1, "/x");
      one?.platform.advance(11_000);
      await one?.times(2, "/x");
      one?.platform.advance(11_000);
      await one?.times(1, "/x");
      const samples = await meteredEdge({ prefix, now: HOUR + 34_000 }).samples();
      expect(total(samples, REQUESTS, OF_API)).toBe(9);
    },
  );
});

describe("calls", () => {
  it("a request makes none for it; a write is two commands in the batch that goes anyway", async () => {
    const { platform, wire, ask } = meteredEdge({ now: HOUR });
    await ask("/x");
    // By a script, which a Redis that has just started does not know.
    const scripts = wire.calls.filter(([name]) => name !== "eval").map(([name]) => name);
    expect(scripts, "it enters the minute, and it is its turn to add up").toEqual([
      "evalsha",
      "hgetall",
      "evalsha",
    ]);
    wire.calls.length = 0;
    for (let sent = 0; sent < 20; sent += 1) await ask("/x");
    expect(wire.calls, "nothing within ten seconds").toEqual([]);
    platform.advance(10_000);
    await ask("/x");
    expect(wire.calls).toEqual([["hset", "pexpire"]]);
    wire.calls.length = 0;
    platform.advance(10_000);
    await ask("/cached");
    await ask("/cached");
    // One before the answer, one for the entry and none but the two commands for the counts.
    expect(wire.calls.flat().filter((name) => name === "hset" || name === "pexpire")).toEqual([
      "hset",
      "pexpire",
    ]);
    wire.calls.length = 0;
    platform.advance(10_000);
    expect(wire.calls, "nobody asks, nothing is written").toEqual([]);
  });

  it("one isolate a minute adds up what others have left, beside the first write of a minute", async () => {
    const { isolates, advance } = deployment(3);
    for (const isolate of isolates) await isolate.ask("/x");
    advance(MINUTE_MS);
    for (const { wire } of isolates) wire.calls.length = 0;
    for (const isolate of isolates) await isolate.ask("/x");
    // A script that Redis does not know any more is sent once more, as its text.
    const calls = isolates.map(({ wire }) => wire.calls.filter(([name]) => name !== "eval"));
    expect(calls).toEqual([
      [["evalsha"], ["hgetall", ...Array(9).fill("hgetall")], ["evalsha"]],
      [["evalsha"]],
      [["evalsha"]],
    ]);
  });

  it("64 isolates write in one minute; others do when they find room, and lose nothing", async () => {
    const { isolates, advance } = deployment(70);
    for (const isolate of isolates) await isolate.ask("/x");
    const [scraping] = isolates;
    const first = (await scraping?.samples()) ?? new Map();
    expect(total(first, REQUESTS, OF_API)).toBe(64);
    expect(total(first, "envoyou_edge_metrics_isolates")).toBe(64);
    advance(MINUTE_MS);
    for (const isolate of isolates.slice(64)) await isolate.ask("/x");
    expect(total((await scraping?.samples()) ?? new Map(), REQUESTS, OF_API)).toBe(64 + 12);
  });

  it("a scrape is one", async () => {
    const { isolates, advance, open } = deployment(2);
    for (let step = 0; step < 12; step += 1) {
      for (const isolate of isolates) await isolate.times(1, "/x");
      advance(30_000);
    }
    const scraping = open();
    await scraping.scrape();
    advance(9000);
    scraping.platform.advance(9000);
    scraping.wire.calls.length = 0;
    await scraping.scrape();
    expect(scraping.wire.calls).toEqual([["hgetall", ...Array(9).fill("hgetall")]]);
  });

  it("there are none, and no key, without METRICS_TOKEN", async () => {
    const { platform, wire, ask, scrape } = meteredEdge({ env: { METRICS_TOKEN: "" } });
    for (let step = 0; step < 5; step += 1) {
      await ask("/x");
      platform.advance(60_000);
    }
    expect(wire.calls).toEqual([]);
    expect((await scrape()).status).toBe(404);
  });
});
