import { Redis } from "@upstash/redis/cloudflare";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { clock, freshPrefix, hashOf, openIsolate, releaseClock, routeOf } from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";

type Limit = NonNullable<RouteInput["limits"]>[number];

describe("limits in an outage", () => {
  const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
  const redis = new Redis({ ...connection, automaticDeserialization: false, enableTelemetry: false });
  let platform: TestPlatform;
  let prefix: string;

  beforeEach(() => {
    platform = clock();
    prefix = freshPrefix();
  });
  afterEach(releaseClock);

  const isolate = () => openIsolate({ platform, connection, prefix, isolateMaxAgeMs: 0 });
  const route = (...limits: Limit[]) => routeOf({ limits });

  /** Loses the store and lets the breaker notice, with requests of a caller nobody else looks at. */
  async function lose(one: ReturnType<typeof isolate>) {
    one.wire.cut = true;
    const other = route({ name: "other", limit: 99, window: "1 m" });
    for (let each = 0; each < 3; each += 1) await one.ask(other, "nobody");
    expect(one.store.reachable).toBe(false);
  }

  async function find(one: ReturnType<typeof isolate>) {
    one.wire.cut = false;
    platform.advance(1000);
    await one.store.maintenance();
    expect(one.store.reachable).toBe(true);
  }

  it("being limited is not an outage: a denial never reaches the local limit store", async () => {
    const one = isolate();
    for (const limits of [
      route({ name: "plain", limit: 1, window: "1 m" }),
      route({ name: "log", limit: 1, window: "1 m", algorithm: "sliding-log" }),
    ]) {
      await one.ask(limits, "alice");
      for (let each = 0; each < 5; each += 1) {
        expect((await one.ask(limits, "alice")).verdict).toMatchObject({ kind: "denied", source: "redis" });
      }
    }
    expect(one.limiter.sizes.counters).toBe(0);
    expect(one.store.reachable).toBe(true);
  });

  for (const limit of [
    { name: "w", limit: 5, window: "1 m" },
    { name: "w", limit: 5, window: "1 m", algorithm: "fixed-window" },
    { name: "w", limit: 5, window: "1 m", algorithm: "sliding-log" },
    { name: "w", capacity: 5, refill: 1, window: "1 h", algorithm: "token-bucket" },
  ] satisfies Limit[]) {
    const algorithm = limit.algorithm ?? "sliding-window";

    it(`a ${algorithm} goes on from the last counts seen`, async () => {
      const one = isolate();
      const limits = route(limit);
      for (let each = 0; each < 3; each += 1) await one.ask(limits, "alice");
      one.wire.cut = true;
      const kinds: string[] = [];
      for (let each = 0; each < 3; each += 1) {
        const { verdict } = await one.ask(limits, "alice");
        kinds.push(`${verdict.kind} by ${verdict.source}`);
      }
      expect(kinds).toEqual(["allowed by memory", "allowed by memory", "denied by memory"]);
    });

    it(`a ${algorithm} is charged, once, for what passed while the breaker was open`, async () => {
      const one = isolate();
      const limits = route(limit);
      await one.ask(limits, "alice");
      await lose(one);
      for (let each = 0; each < 2; each += 1) await one.ask(limits, "alice");
      await find(one);
      const { verdict } = await isolate().ask(limits, "alice");
      expect(verdict, "1 before, 2 in the outage, and this one").toMatchObject({
        source: "redis",
        nearest: { remaining: 1 },
      });
      expect(one.limiter.sizes.pending).toBe(0);
      await lose(one);
      await find(one);
      expect((await isolate().ask(limits, "alice")).verdict.nearest?.remaining).toBe(0);
    });
  }

  it("a batch whose outcome is unknown is not charged again", async () => {
    const one = isolate();
    const limits = route({ name: "w", limit: 10, window: "1 m" });
    one.wire.cut = true;
    for (let each = 0; each < 3; each += 1) await one.ask(limits, "alice");
    expect(one.store.reachable).toBe(false);
    expect(one.limiter.sizes.pending).toBe(0);
    await one.ask(limits, "alice");
    expect(one.limiter.sizes.pending).toBe(1);
    await find(one);
    const { verdict } = await isolate().ask(limits, "alice");
    expect(verdict.nearest?.remaining, "one that surely was not counted, and this one").toBe(8);
  });

  it("what is pending of a window that has passed is not charged", async () => {
    const one = isolate();
    const limits = route({ name: "w", limit: 10, window: "1 m", algorithm: "fixed-window" });
    await lose(one);
    await one.ask(limits, "alice");
    platform.advance(60_000);
    await find(one);
    expect((await isolate().ask(limits, "alice")).verdict.nearest?.remaining).toBe(9);
  });

  it.each([
    "OOM command not allowed",
    "READONLY You can't write against a read only replica.",
    "MISCONF Redis is configured to save RDB snapshots",
    "NOREPLICAS Not enough good replicas to write.",
    "ERR DB capacity quota exceeded. Threshold: 268435456 bytes, Usage: 276006634 bytes",
  ])(
    "what Redis certainly did not count (%s) is counted once it takes writes, however often it refused",
    async (refusal) => {
      const one = isolate();
      const limits = route(
        { name: "w", limit: 10, window: "1 h" },
        { name: "log", limit: 10, window: "1 h", algorithm: "sliding-log" },
      );
      one.wire.refuses = refusal;
      for (let each = 0; each < 3; each += 1)
        expect((await one.ask(limits, "alice")).verdict.kind).toBe("allowed");
      for (let each = 0; each < 4; each += 1) {
        platform.advance(9000);
        await one.store.maintenance();
      }
      await one.ask(limits, "alice");
      expect(one.store.reachable, "all the while").toBe(true);
      expect(one.limiter.sizes.pending).toBe(2);
      one.wire.refuses = "";
      platform.advance(9000);
      await one.store.maintenance();
      expect(one.limiter.sizes.pending).toBe(0);
      const { verdict } = await isolate().ask(limits, "alice");
      expect(verdict.nearest?.remaining, "four, and this one").toBe(5);
    },
  );

  it("an error that says nothing of Redis may have been after the count: it is not counted again", async () => {
    const one = isolate();
    one.wire.refuses = "ERR injected";
    await one.ask(route({ name: "w", limit: 10, window: "1 m" }), "alice");
    expect(one.limiter.sizes.pending).toBe(0);
  });

  it("a block and a lease of a clock that was ahead are void when it is right again", async () => {
    const one = openIsolate({ platform, connection, prefix, isolateMaxAgeMs: 5000 });
    const blocked = route({ name: "b", limit: 1, window: "1 d", algorithm: "fixed-window" });
    platform.advance(3_600_000);
    for (let each = 0; each < 2; each += 1) await one.ask(blocked, "alice");
    expect((await one.ask(blocked, "alice")).calls, "blocked without a call").toBe(0);
    platform.advance(-3_600_000);
    expect((await one.ask(blocked, "alice")).calls, "it is asked again").toBe(1);

    const leased = route({ name: "l", limit: 100, window: "1 d", algorithm: "fixed-window", lease: 10 });
    platform.advance(3_600_000);
    await one.ask(leased, "alice");
    expect((await one.ask(leased, "alice")).calls, "leased: without a call").toBe(0);
    platform.advance(-3_600_000);
    expect((await one.ask(leased, "alice")).calls, "confirmed by a batch").toBe(1);
    expect((await one.ask(leased, "alice")).calls, "and fresh again").toBe(0);
  });

  it("who fetched a lease by a clock that was ahead, and failed, delays no other when it is right again", async () => {
    const one = openIsolate({ platform, connection, prefix, isolateMaxAgeMs: 5000 });
    const leased = route({ name: "l", limit: 100, window: "1 d", algorithm: "fixed-window", lease: 10 });
    platform.advance(3_600_000);
    one.wire.cut = true;
    await one.ask(leased, "alice");
    one.wire.cut = false;
    platform.advance(-3_600_000);
    expect((await one.ask(leased, "alice")).calls).toBe(1);
    expect((await one.ask(leased, "alice")).calls, "leased: without a call").toBe(0);
  });

  it("what is remembered of callers takes no more than its bytes", async () => {
    const bounds = { rememberedBytes: 2000 };
    const one = openIsolate({ platform, connection, prefix, isolateMaxAgeMs: 5000, bounds });
    const limits = route({ name: "w", limit: 1, window: "1 h", algorithm: "sliding-log" });
    for (let each = 0; each < 40; each += 1) await one.ask(limits, `caller ${each >> 1}`);
    const { seen, seenBytes, blocks, blockBytes } = one.limiter.sizes;
    for (const [entries, bytes] of [
      [seen, seenBytes],
      [blocks, blockBytes],
    ] as const) {
      expect(entries).toBeGreaterThan(1);
      expect(entries).toBeLessThan(20);
      expect(bytes).toBeGreaterThan(0);
      expect(bytes).toBeLessThanOrEqual(2000);
    }
  });

  it("what is pending loses no unit when its bytes are full: only the moments of them", async () => {
    const bounds = { pendingBytes: 600 };
    const one = openIsolate({ platform, connection, prefix, isolateMaxAgeMs: 0, bounds });
    const limits = route({ name: "w", limit: 100, window: "1 h", algorithm: "sliding-log" });
    one.wire.refuses = "OOM command not allowed";
    for (let each = 0; each < 30; each += 1) {
      await one.ask(limits, "alice");
      platform.advance(10);
      expect(one.limiter.sizes.pendingBytes).toBeLessThanOrEqual(600);
    }
    one.wire.refuses = "";
    platform.advance(9000);
    await one.store.maintenance();
    expect((await isolate().ask(limits, "alice")).verdict.nearest?.remaining).toBe(100 - 30 - 1);
  });

  it("a reply that says neither yes nor no is an outage, not a denial", async () => {
    const one = isolate();
    const limits = route({ name: "a", limit: 9, window: "1 m" }, { name: "b", limit: 9, window: "1 h" });
    const real = platform.fetch;
    const world = openIsolate({
      platform: {
        ...platform,
        async fetch(input, init) {
          const items = (await (await real(input, init)).json()) as { result: unknown }[];
          return Response.json(
            items.map(({ result }) => ({ result: Array.isArray(result) ? [7, ...result.slice(1)] : result })),
          );
        },
      },
      connection,
      prefix,
    });
    await one.ask(limits, "alice");
    expect((await world.ask(limits, "alice")).verdict).toMatchObject({ kind: "allowed", source: "memory" });
  });

  it("a replay that fails is not repeated", async () => {
    const one = isolate();
    const limits = route({ name: "w", limit: 10, window: "1 m" });
    await lose(one);
    await one.ask(limits, "alice");
    one.wire.cut = false;
    platform.advance(1000);
    const maintenance = one.store.maintenance();
    // The probe is on its way; what follows it is cut.
    while (one.wire.calls === 0) await Promise.resolve();
    one.wire.cut = true;
    await maintenance;
    // The breaker was half-open: it is open again, and the next probe due after 2 s.
    platform.advance(1000);
    await find(one);
    expect((await isolate().ask(limits, "alice")).verdict.nearest?.remaining).toBe(9);
  });

  it("localShare is the part of the limit one isolate may admit", async () => {
    const one = isolate();
    const limits = route({ name: "w", limit: 10, window: "1 m", localShare: 0.2 });
    one.wire.cut = true;
    const kinds: string[] = [];
    for (let each = 0; each < 3; each += 1) kinds.push((await one.ask(limits, "alice")).verdict.kind);
    expect(kinds).toEqual(["allowed", "allowed", "denied"]);
  });

  it("a route may stay open, or close with the time of the next attempt", async () => {
    const one = isolate();
    const limits: Limit[] = [{ name: "w", limit: 1, window: "1 m" }];
    await lose(one);
    const open = routeOf({ limits, onStoreFailure: "open" });
    for (let each = 0; each < 3; each += 1) {
      expect((await one.ask(open, "alice")).verdict).toMatchObject({ kind: "allowed", headers: {} });
    }
    const closed = routeOf({ limits, onStoreFailure: "closed" });
    expect((await one.ask(closed, "alice")).verdict).toMatchObject({
      kind: "unavailable",
      retryAfterSeconds: 1,
      headers: { "Retry-After": "1" },
    });
    const shadow = routeOf({ limits, onStoreFailure: "closed", shadow: true });
    expect((await one.ask(shadow, "alice")).verdict.kind, "shadow closes nothing").toBe("allowed");
  });

  it("a key of another type in the way is an error of that command, and limited locally", async () => {
    const one = isolate();
    const limits = route({ name: "w", limit: 2, window: "1 m", algorithm: "sliding-log" });
    await redis.set(one.keys.exactLog(limits.limits[0]?.id ?? "", hashOf("alice")), "text", { px: 10_000 });
    const kinds: string[] = [];
    for (let each = 0; each < 3; each += 1) {
      const { verdict } = await one.ask(limits, "alice");
      kinds.push(`${verdict.kind} by ${verdict.source}`);
    }
    expect(kinds).toEqual(["allowed by memory", "allowed by memory", "denied by memory"]);
  });

  it("a handler's limit falls back and recovers like a route's", async () => {
    const one = isolate();
    const options = { limit: 2, window: "1 m" } as const;
    await one.limiter.limit("alice", options);
    await lose(one);
    expect(await one.limiter.limit("alice", options)).toMatchObject({ success: true, source: "memory" });
    expect(await one.limiter.limit("alice", options)).toMatchObject({ success: false, source: "memory" });
    expect(await one.limiter.limit("alice", { ...options, onStoreFailure: "closed" })).toMatchObject({
      success: false,
    });
    await find(one);
    expect(await one.limiter.limit("alice", options)).toMatchObject({ success: false, source: "redis" });
  });
});
