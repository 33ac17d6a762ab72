import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { clock, freshPrefix, hashOf, openIsolate, releaseClock, routeOf } from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";
import { until } from "../../support/until.ts";

type Limit = NonNullable<RouteInput["limits"]>[number];

describe("a reply that comes after its request has given it up", () => {
  const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
  let platform: TestPlatform;
  let prefix: string;
  beforeEach(() => {
    platform = clock();
    prefix = freshPrefix();
  });
  afterEach(releaseClock);

  const open = () => openIsolate({ platform, connection, prefix });

  for (const limit of [
    { name: "w", limit: 2, window: "1 h" },
    { name: "w", limit: 2, window: "1 h", algorithm: "fixed-window" },
    { name: "w", limit: 2, window: "1 h", algorithm: "sliding-log" },
    { name: "w", capacity: 2, refill: 1, window: "1 h", algorithm: "token-bucket" },
  ] satisfies Limit[]) {
    const route = routeOf({ limits: [limit] });
    const name = limit.algorithm ?? "sliding-window";

    /** Asks, gives up after 400 ms, and gets the reply 500 ms later. */
    const askLate = async (one: ReturnType<typeof open>) => {
      one.wire.lateMs = 900;
      one.wire.held = 0;
      const asked = one.ask(route, "alice");
      await until(() => one.wire.held === 1, "the reply is on its way");
      platform.advance(400);
      const answer = await asked;
      platform.advance(500);
      one.wire.lateMs = 0;
      // The reply's body is read by then.
      await until(() => one.store.heardAt === platform.now(), "the reply has come");
      return answer;
    };
    /** An isolate whose cold start is over. */
    const warm = async () => {
      const one = open();
      await one.ask(route, "somebody else");
      platform.advance(1300);
      return one;
    };

    it(`blocks a caller whom it denies: ${name}`, async () => {
      const one = await warm();
      const two = open();
      for (let each = 0; each < 2; each += 1) await two.ask(route, "alice");
      expect((await askLate(one)).verdict, "the store is not waited for").toMatchObject({
        kind: "allowed",
        source: "memory",
      });
      const next = await one.ask(route, "alice");
      expect(next.verdict).toMatchObject({ kind: "denied", source: "isolate" });
      expect(next.calls).toBe(0);
      expect(one.store.reachable, "a store that is far is not lost").toBe(true);
    });

    it(`blocks nobody whom a later charge has admitted meanwhile: ${name}`, async () => {
      const one = await warm();
      const two = open();
      for (let each = 0; each < 2; each += 1) await two.ask(route, "alice");
      one.wire.lateMs = 900;
      one.wire.held = 0;
      const denied = one.ask(route, "alice");
      await until(() => one.wire.held === 1, "the reply is on its way");
      platform.advance(400);
      await denied;
      one.wire.lateMs = 0;
      const batch = two.store.batch();
      const reset = two.limiter.reset(hashOf("alice"), route.limits, batch);
      await batch.send();
      await reset;
      expect((await one.ask(route, "alice")).verdict).toMatchObject({ kind: "allowed", source: "redis" });
      platform.advance(500);
      await until(() => one.store.heardAt === platform.now(), "the reply has come");
      // Whoever waits for what it says has read it by the next turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
      expect((await one.ask(route, "alice")).verdict).toMatchObject({ kind: "allowed", source: "redis" });
      expect((await one.ask(route, "alice")).verdict.kind, "the limit holds").toBe("denied");
    });

    it(`is charged once, and not again when writes are made up for: ${name}`, async () => {
      const one = await warm();
      await askLate(one);
      await one.store.maintenance();
      const two = open();
      const kinds = [
        (await two.ask(route, "alice")).verdict.kind,
        (await two.ask(route, "alice")).verdict.kind,
      ];
      expect(kinds).toEqual(["allowed", "denied"]);
    });
  }
});
