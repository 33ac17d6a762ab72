import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { clock, type openIsolate, releaseClock, routeOf } from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";

type Limit = NonNullable<RouteInput["limits"]>[number];
type Isolate = ReturnType<typeof openIsolate>;

/** Runs what every implementation of the limiter must do, whoever keeps the counts. */
export function limiterContract(name: string, open: (platform: TestPlatform) => Isolate) {
  describe(name, () => {
    let platform: TestPlatform;
    let isolate: Isolate;
    const HALF_PAST = Date.UTC(2026, 0, 15, 12, 0, 30);

    beforeEach(() => {
      platform = clock(HALF_PAST);
      isolate = open(platform);
    });
    afterEach(releaseClock);

    const route = (...limits: Limit[]) => routeOf({ limits });
    /** Kinds of `count` verdicts in a row, as a/d. */
    async function run(count: number, on: ReturnType<typeof route>, who = "alice"): Promise<string> {
      let verdicts = "";
      for (let each = 0; each < count; each += 1) verdicts += (await isolate.ask(on, who)).verdict.kind[0];
      return verdicts;
    }
    async function waitOf(on: ReturnType<typeof route>, who = "alice"): Promise<number> {
      const { verdict } = await isolate.ask(on, who);
      return verdict.kind === "denied" && !verdict.listed ? Number(verdict.retryAfterSeconds) : 0;
    }

    for (const limit of [
      { name: "w", limit: 5, window: "1 m" },
      { name: "w", limit: 5, window: "1 m", algorithm: "fixed-window" },
      { name: "w", limit: 5, window: "1 m", algorithm: "sliding-log" },
      { name: "w", capacity: 5, refill: 5, window: "1 m", algorithm: "token-bucket" },
    ] satisfies Limit[]) {
      describe(limit.algorithm ?? "sliding-window", () => {
        it("admits up to the limit and then denies", async () => {
          expect(await run(8, route(limit))).toBe("aaaaaddd");
        });

        it("counts callers apart", async () => {
          await run(5, route(limit), "alice");
          expect(await run(1, route(limit), "bob")).toBe("a");
        });

        it("names a wait after which the request passes, and not a second earlier", async () => {
          await run(5, route(limit));
          const seconds = await waitOf(route(limit));
          expect(seconds).toBeGreaterThan(1);
          platform.advance((seconds - 1) * 1000 - 1);
          expect(await run(1, route(limit))).toBe("d");
          platform.advance(1001);
          expect(await run(1, route(limit))).toBe("a");
        });

        it("denies a cost for which there is no room without charging it", async () => {
          const one = route(limit);
          const three = route({ ...limit, cost: 3 });
          expect(await run(3, one)).toBe("aaa");
          expect(await run(1, three)).toBe("d");
          expect(await run(3, one)).toBe("aad");
        });

        it("shows what is left, counting down to 0", async () => {
          const left: string[] = [];
          for (let each = 0; each < 6; each += 1) {
            const { verdict } = await isolate.ask(route(limit), "alice");
            left.push(verdict.headers["X-RateLimit-Remaining"] ?? "none");
          }
          expect(left).toEqual(["4", "3", "2", "1", "0", "0"]);
        });

        it("in shadow is counted, reported and never enforced", async () => {
          const shadow = route({ ...limit, shadow: true });
          expect(await run(6, shadow)).toBe("aaaaaa");
          const { verdict } = await isolate.ask(shadow, "alice");
          expect(verdict).toMatchObject({
            kind: "allowed",
            violated: [],
            shadowViolated: ["w"],
            headers: {},
          });
          expect(await run(1, route(limit)), "the counter was full all along").toBe("d");
        });
      });
    }

    it("charges several windows all or none", async () => {
      const both = route(
        { name: "burst", limit: 10, window: "1 m" },
        { name: "day", limit: 3, window: "1 d" },
      );
      expect(await run(5, both)).toBe("aaadd");
      const { verdict } = await isolate.ask(route({ name: "burst", limit: 10, window: "1 m" }), "alice");
      expect(verdict.nearest?.remaining, "three charged, the two denied not, this one").toBe(6);
    });

    it("mixes algorithms in one request and names the window that refused", async () => {
      const mixed = route(
        { name: "slide", limit: 9, window: "1 m" },
        { name: "fix", limit: 9, window: "1 m", algorithm: "fixed-window" },
        { name: "log", limit: 3, window: "1 m", algorithm: "sliding-log" },
        { name: "bucket", capacity: 9, refill: 1, window: "1 m", algorithm: "token-bucket" },
      );
      expect(await run(4, mixed)).toBe("aaad");
      const { verdict } = await isolate.ask(mixed, "alice");
      expect(verdict).toMatchObject({ kind: "denied", violated: ["log"], nearest: { name: "log" } });
    });

    it("lets a shadow window refuse no request, and charges it nothing for what is denied", async () => {
      const both = route(
        { name: "hard", limit: 3, window: "1 m" },
        { name: "soft", limit: 2, window: "1 m", shadow: true },
      );
      expect(await run(5, both)).toBe("aaadd");
    });

    it("waits longer for a sliding window that is full of its own than for one full of the last", async () => {
      const limit = { name: "w", limit: 10, window: "1 m" } as const;
      const withShadow = route(limit, { name: "other", limit: 99, window: "1 m", shadow: true });
      await run(10, withShadow, "last");
      platform.advance(60_000);
      await run(10, withShadow, "own");
      expect(await run(6, withShadow, "last"), "half of the last window still counts").toBe("aaaaad");
      expect(await waitOf(withShadow, "last")).toBe(1);
      expect(await waitOf(withShadow, "own"), "30 001 ms").toBe(31);
    });

    it("never exceeds an exact log in any trailing window", async () => {
      const exact = route({ name: "w", limit: 5, window: "10 s", algorithm: "sliding-log" });
      const admitted: number[] = [];
      for (let each = 0; each < 120; each += 1) {
        if ((await isolate.ask(exact, "alice")).verdict.kind === "allowed") admitted.push(platform.now());
        platform.advance(373);
      }
      const most = Math.max(
        ...admitted.map((at) => admitted.filter((other) => other > at - 10_000 && other <= at).length),
      );
      expect(most).toBe(5);
      expect(admitted.length).toBeGreaterThanOrEqual(20);
    });

    it("names a cost's own wait, from an exact log whose units came one by one", async () => {
      const limit = { name: "w", limit: 4, window: "1 m", algorithm: "sliding-log" } as const;
      for (let each = 0; each < 4; each += 1) {
        await run(1, route(limit));
        platform.advance(10_000);
      }
      expect(await waitOf(route(limit)), "the first lapses after 60 s").toBe(20);
      expect(await waitOf(route({ ...limit, cost: 3 })), "the third after 80 s").toBe(40);
      platform.advance(39_999);
      expect(await run(1, route({ ...limit, cost: 3 }))).toBe("d");
      platform.advance(1);
      expect(await run(1, route({ ...limit, cost: 3 }))).toBe("a");
    });

    it("admits exactly the limit of many requests at one moment", async () => {
      const exact = route({ name: "w", limit: 7, window: "1 m", algorithm: "sliding-log" });
      const verdicts = await Promise.all(Array.from({ length: 40 }, () => isolate.ask(exact, "alice")));
      expect(verdicts.filter(({ verdict }) => verdict.kind === "allowed")).toHaveLength(7);
    });

    it("refills a bucket by whole windows, never above its capacity", async () => {
      const bucket = route({ name: "w", capacity: 6, refill: 2, window: "10 s", algorithm: "token-bucket" });
      expect(await run(7, bucket)).toBe("aaaaaad");
      platform.advance(10_000);
      expect(await run(3, bucket)).toBe("aad");
      platform.advance(600_000);
      expect(await run(7, bucket)).toBe("aaaaaad");
    });

    it("counts with the handler's own identity and options", async () => {
      const options = { limit: 2, window: "60 s", name: "mail" } as const;
      const results = [];
      for (let each = 0; each < 3; each += 1) results.push(await isolate.limiter.limit("alice", options));
      expect(results.map(({ success, remaining }) => [success, remaining])).toEqual([
        [true, 1],
        [true, 0],
        [false, 0],
      ]);
      expect(results[2]?.retryAfterSeconds).toBe(31);
      expect((await isolate.limiter.limit("bob", options)).success).toBe(true);
    });

    it.each<[what: string, options: object]>([
      ["a sliding window", {}],
      ["a fixed window", { algorithm: "fixed-window" }],
      ["an exact log", { algorithm: "sliding-log" }],
      ["a bucket", { algorithm: "token-bucket", refill: 1 }],
    ])("refuses a handler's cost above %s for ever, and counts nothing", async (_what, options) => {
      const limit = (cost: number) =>
        isolate.limiter.limit("alice", { limit: 5, window: "1 m", ...options, cost });
      await limit(2);
      for (const cost of [6, 7, 6, 1_000_000, Number.MAX_SAFE_INTEGER]) {
        const result = await limit(cost);
        expect(result, `${cost}`).toMatchObject({ success: false, remaining: 3, retryAfterSeconds: null });
        expect(result.headers).toMatchObject({ "X-RateLimit-Remaining": "3" });
        expect(Object.keys(result.headers), `${cost}`).not.toContain("Retry-After");
      }
      expect(await limit(3), "all that was left").toMatchObject({ success: true, retryAfterSeconds: 0 });
      expect((await limit(5)).retryAfterSeconds, "the whole limit passes later").toBeGreaterThan(0);
      expect((await limit(6)).retryAfterSeconds).toBeNull();
    });

    it("refuses options that make no limit, before anything is counted", async () => {
      const good = { limit: 5, window: "1 m" } as const;
      for (const bad of [
        { cost: -1 },
        { cost: 0 },
        { cost: 1.5 },
        { cost: Number.NaN },
        { limit: 0 },
        { window: "0 s" as const },
        { name: "a b" },
        { refill: 1 },
        { algorithm: "token-bucket" as const },
      ]) {
        await expect(
          isolate.limiter.limit("alice", { ...good, ...bad }),
          JSON.stringify(bad),
        ).rejects.toThrow(RangeError);
      }
      // Such a text is what a template makes of a missing value: all who have none would share its count.
      for (const nobody of ["", " ", "undefined", "null", "NaN", `${{}}`, undefined, null, Number.NaN, {}])
        await expect(isolate.limiter.limit(nobody as string, good), JSON.stringify(nobody)).rejects.toThrow(
          RangeError,
        );
      expect((await isolate.limiter.limit("alice", good)).remaining).toBe(4);
    });

    it("peeks without taking, and resets exactly one caller", async () => {
      const limits = route(
        { name: "slide", limit: 3, window: "1 m" },
        { name: "log", limit: 5, window: "1 m", algorithm: "sliding-log" },
        { name: "bucket", capacity: 5, refill: 1, window: "1 m", algorithm: "token-bucket" },
      );
      await run(4, limits, "alice");
      await run(3, limits, "bob");
      const peek = async (who: string) => {
        const batch = isolate.store.batch();
        const pending = isolate.limiter.peek(isolate.hashOf(who), limits.limits, batch);
        await batch.send();
        return (await pending).map(({ remaining }) => remaining);
      };
      expect(await peek("alice")).toEqual([0, 2, 2]);
      expect(await peek("alice")).toEqual([0, 2, 2]);
      expect(await peek("carol")).toEqual([3, 5, 5]);

      const batch = isolate.store.batch();
      const reset = isolate.limiter.reset(isolate.hashOf("alice"), limits.limits, batch);
      await batch.send();
      await reset;
      expect(await peek("alice")).toEqual([3, 5, 5]);
      expect(await peek("bob")).toEqual([0, 2, 2]);
      expect(await run(4, limits, "alice")).toBe("aaad");
    });

    it("takes a hash for a caller and nothing else", async () => {
      const batch = isolate.store.batch();
      const { limits } = route({ name: "w", limit: 3, window: "1 m" });
      for (const glob of ["*", "", "user:alice", `${"0".repeat(31)}*`]) {
        expect(() => isolate.limiter.peek(glob, limits, batch)).toThrow(RangeError);
        await expect(isolate.limiter.reset(glob, limits, batch)).rejects.toThrow(RangeError);
      }
    });
  });
}
