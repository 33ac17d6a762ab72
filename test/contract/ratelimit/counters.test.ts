import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis/cloudflare";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { clock, freshPrefix, hashOf, openIsolate, releaseClock, routeOf } from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";

type Limit = NonNullable<RouteInput["limits"]>[number];

/** The counters in Redis, next to the library that invented them. */
describe("counters in Redis", () => {
  const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
  const owner = { url: inject("ownerUrl"), token: inject("ownerToken") };
  const redis = new Redis({ ...owner, automaticDeserialization: false, enableTelemetry: false });
  let platform: TestPlatform;
  let prefix: string;

  beforeEach(() => {
    platform = clock();
    prefix = freshPrefix();
  });
  afterEach(releaseClock);

  const isolate = (isolateMaxAgeMs = 0) => openIsolate({ platform, connection, prefix, isolateMaxAgeMs });
  const route = (...limits: Limit[]) => routeOf({ limits });
  /** A second window that is never full: makes the script decide. */
  const roomy = { name: "roomy", limit: 100_000, window: "1 w" } as const;
  /** The same numbers in [0, 1) in every run. */
  const seeded = (seed: number) => {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
  };
  const libraryOf = (limit: Limit) => {
    if (limit.algorithm === "token-bucket")
      return Ratelimit.tokenBucket(limit.refill, limit.window, limit.capacity);
    return limit.algorithm === "fixed-window"
      ? Ratelimit.fixedWindow(limit.limit, limit.window)
      : Ratelimit.slidingWindow(limit.limit, limit.window);
  };

  it("of a plain sliding window are the library's, of several windows the script's: one call either way", async () => {
    const one = isolate();
    const plain = route({ name: "w", limit: 10, window: "1 m" });
    await one.ask(plain, "warm-up");
    one.wire.commands.length = 0;
    expect((await one.ask(plain, "alice")).calls).toBe(1);
    expect(one.wire.commands.map(([command]) => command)).toEqual(["mget", "evalsha"]);
    const several = route({ name: "w", limit: 10, window: "1 m" }, roomy);
    await one.ask(several, "warm-up");
    one.wire.commands.length = 0;
    expect((await one.ask(several, "alice")).calls).toBe(1);
    expect(one.wire.commands.map(([command]) => command)).toEqual(["evalsha"]);
  });

  for (const limit of [
    { name: "w", limit: 7, window: "10 s" },
    { name: "w", limit: 7, window: "10 s", algorithm: "fixed-window" },
    { name: "w", capacity: 7, refill: 3, window: "10 s", algorithm: "token-bucket" },
  ] satisfies Limit[]) {
    const algorithm = limit.algorithm ?? "sliding-window";

    it(`of a ${algorithm} give the script's verdicts and the library's, request by request`, async () => {
      const one = isolate();
      const scripted = route(limit, roomy);
      const library = libraryOf(limit);
      const oracle = new Ratelimit({
        redis,
        limiter: library,
        prefix: `${prefix}:oracle`,
        ephemeralCache: false,
        timeout: 0,
      });
      const random = seeded(7);
      let ours = "";
      let theirs = "";
      for (let each = 0; each < 120; each += 1) {
        ours += (await one.ask(scripted, "alice")).verdict.kind === "allowed" ? "a" : "d";
        theirs += (await oracle.limit("alice")).success ? "a" : "d";
        platform.advance(Math.floor(random() * random() * 4000));
      }
      expect(ours).toBe(theirs);
      expect(ours).toContain("a");
      expect(ours).toContain("d");
    });

    it(`of a ${algorithm} may be charged by the library and by the script in turn`, async () => {
      const one = isolate();
      const scripted = route(limit, roomy);
      const [policy] = scripted.limits;
      const id = policy?.id ?? "";
      const key =
        "capacity" in limit
          ? one.keys.tokenBucket(id, hashOf("alice"))
          : one.keys.windowCounter(id, hashOf("alice"));
      const library = libraryOf(limit);
      const context = { redis, prefix: "" } as unknown as Parameters<ReturnType<typeof library>["limit"]>[0];
      let admitted = 0;
      for (let each = 0; each < 10; each += 1) {
        const allowed =
          each % 2 === 0
            ? (await one.ask(scripted, "alice")).verdict.kind === "allowed"
            : (await library().limit(context, key)).success;
        if (allowed) admitted += 1;
      }
      expect(admitted).toBe(7);
    });
  }

  it("all have a TTL no longer than two windows and a second", async () => {
    const one = isolate();
    const all = route(
      { name: "slide", limit: 9, window: "1 m" },
      { name: "fix", limit: 9, window: "1 m", algorithm: "fixed-window" },
      { name: "log", limit: 9, window: "1 m", algorithm: "sliding-log" },
      { name: "bucket", capacity: 9, refill: 9, window: "1 m", algorithm: "token-bucket" },
    );
    await one.ask(all, "alice");
    await one.ask(route({ name: "plain", limit: 9, window: "1 m" }), "alice");
    const names = await redis.keys(`${prefix}:*`);
    expect(names).toHaveLength(5);
    for (const name of names) {
      const ttl = await redis.pttl(name);
      expect(ttl, name).toBeGreaterThan(0);
      expect(ttl, name).toBeLessThanOrEqual(121_000);
      expect(name).toContain(hashOf("alice"));
    }
  });

  it("admit exactly the limit of 200 parallel requests through four isolates, by an exact log", async () => {
    const isolates = Array.from({ length: 4 }, () => isolate());
    const exact = route({ name: "w", limit: 50, window: "1 m", algorithm: "sliding-log" });
    const verdicts = await Promise.all(
      Array.from({ length: 200 }, (_, each) => isolates[each % 4]?.ask(exact, "alice")),
    );
    expect(verdicts.filter((answer) => answer?.verdict.kind === "allowed")).toHaveLength(50);
  });

  it("never deny one of 200 parallel mixed requests while every window has room", async () => {
    const isolates = Array.from({ length: 4 }, () => isolate());
    const costs = [1, 2, 3, 4];
    const routes = costs.map((cost) =>
      route(
        { name: "units", limit: 500, window: "1 m", cost },
        { name: "log", limit: 200, window: "1 m", algorithm: "sliding-log" },
        { name: "bucket", capacity: 200, refill: 1, window: "1 h", algorithm: "token-bucket" },
      ),
    );
    const ask = (each: number) => isolates[each % 4]?.ask(routes[Math.floor(each / 50)] ?? route(), "alice");
    const verdicts = await Promise.all(Array.from({ length: 200 }, (_, each) => ask(each)));
    expect(verdicts.filter((answer) => answer?.verdict.kind !== "allowed")).toHaveLength(0);
    expect((await ask(0))?.verdict, "50 × (1 + 2 + 3 + 4) units, 200 entries").toMatchObject({
      kind: "denied",
      violated: ["units", "log", "bucket"],
    });
  });

  it("of a log hold one member per unit, and those that lapsed are trimmed at the next use", async () => {
    const one = isolate();
    const exact = route({ name: "w", limit: 500, window: "10 s", algorithm: "sliding-log", cost: 250 });
    const key = one.keys.exactLog(exact.limits[0]?.id ?? "", hashOf("alice"));
    await one.ask(exact, "alice");
    await one.ask(exact, "alice");
    expect(await redis.zcard(key)).toBe(500);
    expect((await one.ask(exact, "alice")).verdict.kind).toBe("denied");
    platform.advance(10_000);
    await one.ask(exact, "alice");
    expect(await redis.zcard(key)).toBe(250);
  });

  it("tell the three full sliding windows apart that the library cannot", async () => {
    const one = isolate();
    const plain = route({ name: "w", limit: 10, window: "1 m" });
    const counter = one.keys.windowCounter(plain.limits[0]?.id ?? "", hashOf("alice"));
    const number = Math.floor(platform.now() / 60_000);
    const waits: unknown[] = [];
    for (const [previous, current] of [
      [10, 5],
      [0, 10],
      [9, 6],
    ]) {
      await redis.set(`${counter}:${number - 1}`, String(previous), { px: 10_000 });
      await redis.set(`${counter}:${number}`, String(current), { px: 10_000 });
      const { verdict } = await one.ask(plain, "alice");
      waits.push(verdict.nearest && verdict.nearest.resetAt - platform.now());
      expect(verdict.headers["Retry-After"]).toBe(
        String(Math.ceil(((verdict.nearest?.resetAt ?? 0) - platform.now()) / 1000)),
      );
    }
    expect(waits).toEqual([1, 30_001, 3_334]);
  });
});
