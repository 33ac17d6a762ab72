import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { clock, freshPrefix, hashOf, openIsolate, releaseClock, routeOf } from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";

type Limit = NonNullable<RouteInput["limits"]>[number];

describe.each([
  ["sliding-window", { name: "w", limit: 10, window: "1 m", localShare: 0.3 }],
  ["fixed-window", { name: "w", limit: 10, window: "1 m", localShare: 0.3, algorithm: "fixed-window" }],
  ["sliding-log", { name: "w", limit: 10, window: "1 m", localShare: 0.3, algorithm: "sliding-log" }],
  [
    "token-bucket",
    { name: "w", capacity: 10, refill: 1, window: "1 h", localShare: 0.3, algorithm: "token-bucket" },
  ],
] satisfies [string, Limit][])("localShare of a %s", (_, limit) => {
  const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
  let platform: TestPlatform;
  let prefix: string;

  beforeEach(() => {
    platform = clock();
    prefix = freshPrefix();
  });
  afterEach(releaseClock);

  const isolate = () => openIsolate({ platform, connection, prefix, isolateMaxAgeMs: 0 });
  const limits = routeOf({ limits: [limit] });

  it.each([
    { before: 0, outcome: "aaad" },
    { before: 2, outcome: "aaad" },
    { before: 5, outcome: "aaad" },
    { before: 8, outcome: "aadd" },
    { before: 10, outcome: "dddd" },
  ])(
    "is what the isolate admits after $before that Redis had counted: $outcome",
    async ({ before, outcome }) => {
      const one = isolate();
      for (let each = 0; each < before; each += 1) await one.ask(limits, "alice");
      one.wire.cut = true;
      let kinds = "";
      for (let each = 0; each < 4; each += 1) {
        const { verdict } = await one.ask(limits, "alice");
        kinds += verdict.kind[0];
        expect(verdict.headers["RateLimit-Policy"]?.split(",")).toHaveLength(1);
      }
      expect(kinds).toBe(outcome);
    },
  );

  it("is counted in Redis afterwards, once, and forgotten by a reset", async () => {
    const one = isolate();
    for (let each = 0; each < 5; each += 1) await one.ask(limits, "alice");
    one.wire.cut = true;
    for (let each = 0; each < 3; each += 1) await one.ask(limits, "nobody");
    expect(one.store.reachable, "so that what is admitted has certainly not reached Redis").toBe(false);
    for (let each = 0; each < 4; each += 1) await one.ask(limits, "alice");
    one.wire.cut = false;
    platform.advance(1000);
    await one.store.maintenance();
    expect((await one.ask(limits, "alice")).verdict.nearest, "5, 3 and this one").toMatchObject({
      limit: 10,
      remaining: 1,
    });
    const alone = openIsolate({ platform, connection: null, isolateMaxAgeMs: 0 });
    for (let each = 0; each < 4; each += 1) await alone.ask(limits, "alice");
    await alone.limiter.reset(hashOf("alice"), limits.limits, alone.store.batch());
    expect(alone.limiter.sizes.counters).toBe(0);
    expect((await alone.ask(limits, "alice")).verdict.kind).toBe("allowed");
  });
});
