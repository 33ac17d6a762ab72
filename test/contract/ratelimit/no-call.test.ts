import { Redis } from "@upstash/redis/cloudflare";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { Route, RouteInput } from "../../../src/config/route.ts";
import { clock, freshPrefix, hashOf, openIsolate, releaseClock, routeOf } from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";

type Limit = NonNullable<RouteInput["limits"]>[number];
type Isolate = ReturnType<typeof openIsolate>;

const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
const redis = new Redis({ ...connection, automaticDeserialization: false, enableTelemetry: false });
let platform: TestPlatform;
let prefix: string;

beforeEach(async () => {
  platform = clock();
  prefix = freshPrefix();
  // A server that has not seen the scripts yet takes one more call, once.
  await open().ask(route({ name: "plain", limit: 1, window: "1 m" }), "warm-up");
  await open().ask(route({ name: "log", limit: 1, window: "1 m", algorithm: "sliding-log" }), "warm-up");
});
afterEach(releaseClock);

const open = () => openIsolate({ platform, connection, prefix });
const route = (...limits: Limit[]) => routeOf({ limits });
const kindsOf = async (one: Isolate, on: Route, count: number, who = "alice") => {
  const kinds: string[] = [];
  let calls = 0;
  for (let each = 0; each < count; each += 1) {
    const answer = await one.ask(on, who);
    kinds.push(answer.verdict.kind === "allowed" ? "a" : "d");
    calls += answer.calls;
  }
  return { kinds: kinds.join(""), calls };
};
/** What stands in Redis for the current window of a route's first limit. */
const counted = (one: Isolate, { limits: [policy] }: Route, who = "alice") => {
  const number = Math.floor(platform.now() / (policy?.windowMs ?? 1));
  return redis.get<string>(`${one.keys.windowCounter(policy?.id ?? "", hashOf(who))}:${number}`);
};

describe("a lease", () => {
  const leased = { name: "w", limit: 200, window: "1 m", lease: 20 } as const;

  for (const algorithm of ["sliding-window", "fixed-window"] as const) {
    it(`of a ${algorithm} serves 20 requests with one batch, and the headers count each of them`, async () => {
      const one = open();
      const on = route({ ...leased, algorithm });
      const left: (string | undefined)[] = [];
      let calls = 0;
      for (let each = 0; each < 20; each += 1) {
        const answer = await one.ask(on, "alice");
        calls += answer.calls;
        left.push(answer.verdict.headers["X-RateLimit-Remaining"]);
      }
      expect(calls).toBe(1);
      expect(left).toEqual(Array.from({ length: 20 }, (_, each) => String(199 - each)));
      expect(await counted(one, on)).toBe("20");
      expect((await one.ask(on, "alice")).calls).toBe(1);
      expect(await counted(one, on)).toBe("40");
    });
  }

  it("never admits more than the limit, over four isolates and two windows", async () => {
    const isolates = [open(), open(), open(), open()];
    const on = route({ ...leased, algorithm: "fixed-window" });
    for (const window of [1, 2]) {
      let admitted = 0;
      for (let each = 0; each < 260; each += 1) {
        const answer = await isolates[each % 4]?.ask(on, "alice");
        if (answer?.verdict.kind === "allowed") admitted += 1;
      }
      expect(admitted, `window ${window}`).toBe(200);
      platform.advance(60_000);
    }
  });

  it("takes what is left, if that is less", async () => {
    const one = open();
    const on = route({ ...leased, algorithm: "fixed-window" });
    await kindsOf(one, on, 180);
    await kindsOf(open(), route({ name: "w", limit: 200, window: "1 m", algorithm: "fixed-window" }), 13);
    expect(await kindsOf(one, on, 10)).toEqual({ kinds: "aaaaaaaddd", calls: 2 });
    expect(await counted(one, on)).toBe("200");
  });

  it("lapses with its window", async () => {
    const one = open();
    const on = route({ ...leased, algorithm: "fixed-window" });
    await one.ask(on, "alice");
    platform.advance(30_000);
    expect((await one.ask(on, "alice")).calls).toBe(1);
    expect(await counted(one, on)).toBe("20");
  });

  it("is confirmed by a batch after the isolate's age, which keeps what is left of it", async () => {
    const one = open();
    const on = route(leased);
    await kindsOf(one, on, 5);
    platform.advance(4999);
    expect((await one.ask(on, "alice")).calls).toBe(0);
    platform.advance(1);
    expect((await one.ask(on, "alice")).calls).toBe(1);
    expect(await counted(one, on), "14 were left: 6 make it full").toBe("26");
    expect((await one.ask(on, "alice")).verdict.headers["X-RateLimit-Remaining"]).toBe("192");
  });

  it("is void once another isolate has reset the counter", async () => {
    const one = open();
    const on = route(leased);
    await one.ask(on, "alice");
    const other = open();
    const batch = other.store.batch();
    const reset = other.limiter.reset(hashOf("alice"), on.limits, batch);
    await batch.send();
    await reset;
    platform.advance(5000);
    await one.ask(on, "alice");
    expect(await counted(one, on), "only what it took after the reset").toBe("1");
    expect((await one.ask(on, "alice")).calls, "the 19 it held are gone").toBe(1);
  });

  it("is fetched by one of many requests that begin together; a denied one spends what another fetched", async () => {
    const one = open();
    const on = route(leased);
    await Promise.all(Array.from({ length: 10 }, () => one.ask(on, "alice")));
    expect(await counted(one, on)).toBe("29");
    const tight = route({ name: "tight", limit: 10, window: "1 m", lease: 1, cost: 1 });
    const answers = await Promise.all(Array.from({ length: 30 }, () => one.ask(tight, "alice")));
    expect(answers.filter(({ verdict }) => verdict.kind === "allowed")).toHaveLength(10);
  });

  it.each(["sliding-window", "fixed-window"] as const)(
    "takes nothing in advance where nothing may be spent without a batch (ISOLATE_MAX_AGE_MS = 0): %s",
    async (algorithm) => {
      const isolates = Array.from({ length: 8 }, () =>
        openIsolate({ platform, connection, prefix, isolateMaxAgeMs: 0 }),
      );
      const on = route({ name: "w", limit: 40, window: "1 m", lease: 4, algorithm });
      let kinds = "";
      for (let round = 0; round < 6; round += 1)
        for (const one of isolates) kinds += (await kindsOf(one, on, 1)).kinds;
      expect(kinds, "all of the limit, whatever the number of isolates").toBe("a".repeat(40) + "d".repeat(8));
    },
  );

  it.each(["sliding-window", "fixed-window"] as const)(
    "is spent also where a %s in shadow is full, which is told all the same",
    async (algorithm) => {
      const isolates = Array.from({ length: 8 }, open);
      const trial = { name: "trial", limit: 10, window: "1 m", lease: 1, shadow: true, algorithm } as const;
      const on = route({ name: "w", limit: 80, window: "1 m", lease: 8, algorithm }, trial);
      const verdicts = [];
      for (let round = 0; round < 10; round += 1)
        for (const one of isolates) verdicts.push((await one.ask(on, "alice")).verdict);
      const allowed = verdicts.filter(({ kind }) => kind === "allowed");
      expect(allowed.length, "all but what isolates hold in the end").toBeGreaterThan(80 - 8 * 2);
      const told = allowed.slice(10).map(({ shadowViolated }) => shadowViolated);
      expect(told).toEqual(told.map(() => ["trial"]));
    },
  );

  it("of limits in shadow alone costs a batch each once they are full", async () => {
    const one = open();
    const on = route({ name: "trial", limit: 20, window: "1 m", lease: 2, shadow: true });
    await kindsOf(one, on, 20);
    expect(await kindsOf(one, on, 3)).toEqual({ kinds: "aaa", calls: 3 });
  });

  it("needs every window of the request to be leased", async () => {
    const one = open();
    const mixed = route(leased, { name: "plain", limit: 100, window: "1 h" });
    expect(await kindsOf(one, mixed, 3)).toEqual({ kinds: "aaa", calls: 3 });
    expect(await counted(one, mixed)).toBe("3");
    const both = route(leased, { name: "hour", limit: 1000, window: "1 h", lease: 10 });
    expect(await kindsOf(one, both, 10, "bob")).toEqual({ kinds: "aaaaaaaaaa", calls: 1 });
  });

  it("is spent in an outage, however old, before the local limit store is used", async () => {
    const one = open();
    const on = route(leased);
    await one.ask(on, "alice");
    platform.advance(6000);
    one.wire.cut = true;
    expect((await one.ask(on, "alice")).verdict.source).toBe("isolate");
    expect(one.limiter.sizes.counters).toBe(0);
  });
});

describe("a blocked caller", () => {
  for (const limit of [
    { name: "w", limit: 2, window: "1 m" },
    { name: "w", limit: 2, window: "1 m", algorithm: "sliding-log" },
    { name: "w", capacity: 2, refill: 1, window: "1 m", algorithm: "token-bucket" },
  ] satisfies Limit[]) {
    it(`is refused by a ${limit.algorithm ?? "sliding-window"} without a batch, with the true wait`, async () => {
      const one = open();
      const on = route(limit);
      await kindsOf(one, on, 2);
      const first = (await one.ask(on, "alice")).verdict;
      platform.advance(2000);
      const { verdict, calls } = await one.ask(on, "alice");
      expect(calls).toBe(0);
      expect(verdict).toMatchObject({ kind: "denied", source: "isolate", violated: ["w"] });
      expect(Number(verdict.headers["Retry-After"])).toBe(Number(first.headers["Retry-After"]) - 2);
    });
  }

  it("may come back at once with a cost that fits, and other callers are not delayed", async () => {
    const one = open();
    const limit = { name: "w", limit: 10, window: "1 m" } as const;
    await kindsOf(one, route(limit), 9);
    const five = route({ ...limit, cost: 5 });
    expect(await kindsOf(one, five, 2)).toEqual({ kinds: "dd", calls: 1 });
    expect(await kindsOf(one, route(limit), 1)).toEqual({ kinds: "a", calls: 1 });
    expect(await kindsOf(one, five, 1, "bob")).toEqual({ kinds: "a", calls: 1 });
  });

  it("is told to wait for another window, too, that requests of a smaller cost have filled meanwhile", async () => {
    const one = open();
    const costing = (cost: number) =>
      route(
        { name: "short", limit: 3, window: "7 s", algorithm: "fixed-window", shared: true, cost },
        { name: "long", limit: 4, window: "1 m", algorithm: "fixed-window", shared: true, cost },
      );
    expect(await kindsOf(one, costing(1), 1)).toEqual({ kinds: "a", calls: 1 });
    const { verdict: before } = await one.ask(costing(3), "alice");
    expect(before).toMatchObject({ kind: "denied", violated: ["short"] });
    expect(await kindsOf(one, costing(1), 1)).toEqual({ kinds: "a", calls: 1 });
    const { verdict, calls } = await one.ask(costing(3), "alice");
    expect(calls).toBe(0);
    expect(verdict).toMatchObject({ kind: "denied", violated: ["short", "long"] });
    platform.advance(Number(verdict.headers["Retry-After"]) * 1000);
    expect((await one.ask(costing(3), "alice")).verdict.kind).toBe("allowed");
  });

  it("is looked at again after the isolate's age, so that a reset or a raised limit is seen", async () => {
    const one = open();
    const on = route({ name: "w", limit: 1, window: "1 h" });
    await kindsOf(one, on, 2);
    await open().limiter.reset(hashOf("alice"), on.limits, redisBatch());
    expect((await one.ask(on, "alice")).verdict.kind).toBe("denied");
    platform.advance(5000);
    expect((await one.ask(on, "alice")).verdict.kind).toBe("allowed");
    const raised = route({ name: "w", limit: 2, window: "1 h" });
    await one.ask(on, "alice");
    expect((await one.ask(raised, "alice")).verdict.kind, "a tier with room").toBe("allowed");
  });

  /** A batch that is sent as soon as something is queued. */
  function redisBatch() {
    const batch = open().store.batch();
    queueMicrotask(() => void batch.send());
    return batch;
  }
});
