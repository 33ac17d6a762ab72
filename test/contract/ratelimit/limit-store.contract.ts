import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { available } from "../../../src/ratelimit/algorithms/algorithms.ts";
import type { Charge } from "../../../src/ratelimit/charge.ts";
import type { LimitStore } from "../../../src/ratelimit/limit-store.ts";
import type { Batch } from "../../../src/store/batch.ts";
import type { Store } from "../../../src/store/store.ts";
import { clock, hashOf, releaseClock, routeOf } from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";

type Limit = NonNullable<RouteInput["limits"]>[number];

export interface OpenLimitStore {
  limitStore: LimitStore;
  /** Where its batches go. */
  store: Store;
}

/** What every limit store does, wherever it keeps its counts. */
export function limitStoreContract(name: string, open: (platform: TestPlatform) => OpenLimitStore): void {
  describe(name, () => {
    let platform: TestPlatform;
    let opened: OpenLimitStore;
    beforeEach(() => {
      platform = clock(Date.UTC(2026, 0, 15, 12, 0, 30));
      opened = open(platform);
    });
    afterEach(releaseClock);

    function chargeOf(limit: Limit, over: Partial<Charge> & { who?: string } = {}): Charge {
      const [policy] = routeOf({ limits: [limit] }).limits;
      if (!policy) throw new Error("no policy");
      const { who = "alice", ...rest } = over;
      const cost = over.cost ?? policy.cost;
      return { policy, caller: hashOf(who), most: cost, enforced: true, ...rest, cost };
    }
    async function withBatch<Result>(ask: (batch: Batch) => Result | Promise<Result>): Promise<Result> {
      const batch = opened.store.batch();
      const pending = ask(batch);
      await batch.send();
      return pending;
    }
    const charge = (...charges: Charge[]) => withBatch((batch) => opened.limitStore.charge(charges, batch));
    async function left(of: Charge): Promise<number> {
      const counts = await withBatch((batch) => opened.limitStore.peek(of, batch));
      return available(of.policy, counts, platform.now());
    }

    for (const limit of [
      { name: "w", limit: 5, window: "1 m" },
      { name: "w", limit: 5, window: "1 m", algorithm: "fixed-window" },
      { name: "w", limit: 5, window: "1 m", algorithm: "sliding-log" },
      { name: "w", capacity: 5, refill: 5, window: "1 m", algorithm: "token-bucket" },
    ] satisfies Limit[]) {
      describe(limit.algorithm ?? "sliding-window", () => {
        it("takes the cost and tells the counts after it", async () => {
          for (const remaining of [4, 3, 2, 1, 0]) {
            const one = chargeOf(limit);
            const { admitted, entries, at } = await charge(one);
            expect(admitted).toBe(true);
            expect(at).toBe(platform.now());
            expect(entries).toMatchObject([{ taken: 1, short: false }]);
            expect(available(one.policy, entries[0]?.counts ?? {}, at)).toBe(remaining);
          }
          expect(await charge(chargeOf(limit))).toMatchObject({
            admitted: false,
            entries: [{ taken: 0, short: true }],
          });
        });

        it("takes more than the cost where it is left, up to what is asked for", async () => {
          expect((await charge(chargeOf(limit, { most: 3 }))).entries[0]?.taken).toBe(3);
          expect((await charge(chargeOf(limit, { most: 4 }))).entries[0]?.taken).toBe(2);
          expect((await charge(chargeOf(limit, { most: 4 }))).admitted).toBe(false);
        });

        it("moves no count when there is no room for the cost", async () => {
          await charge(chargeOf(limit, { cost: 3 }));
          expect(await charge(chargeOf(limit, { cost: 3 }))).toMatchObject({
            admitted: false,
            entries: [{ taken: 0, short: true }],
          });
          expect(await left(chargeOf(limit))).toBe(2);
        });

        it("admits what is in shadow, and takes nothing of it without room", async () => {
          const shadow = chargeOf(limit, { cost: 3, enforced: false });
          await charge(shadow);
          expect(await charge(shadow)).toMatchObject({
            admitted: true,
            entries: [{ taken: 0, short: true }],
          });
          expect(await left(shadow)).toBe(2);
        });

        it("peeks without taking, also at a counter that does not exist", async () => {
          expect(await left(chargeOf(limit))).toBe(5);
          expect(await left(chargeOf(limit))).toBe(5);
          await charge(chargeOf(limit));
          expect(await left(chargeOf(limit))).toBe(4);
          expect(await left(chargeOf(limit))).toBe(4);
        });

        it("forgets what has lapsed", async () => {
          await charge(chargeOf(limit, { cost: 5 }));
          platform.advance(120_000);
          expect(await left(chargeOf(limit))).toBe(5);
          expect((await charge(chargeOf(limit, { cost: 5 }))).admitted).toBe(true);
        });

        it("resets exactly the counters it is told to", async () => {
          const bob = chargeOf(limit, { who: "bob" });
          await charge(chargeOf(limit, { cost: 5 }));
          await charge(bob);
          await withBatch((batch) => opened.limitStore.reset([chargeOf(limit)], batch));
          expect(await left(chargeOf(limit))).toBe(5);
          expect(await left(bob)).toBe(4);
        });
      });
    }

    it("charges windows of every algorithm all or none, in the order of the charges", async () => {
      const charges = [
        chargeOf({ name: "slide", limit: 9, window: "1 m" }),
        chargeOf({ name: "log", limit: 2, window: "1 m", algorithm: "sliding-log" }),
        chargeOf({ name: "fix", limit: 9, window: "1 m", algorithm: "fixed-window" }),
        chargeOf({ name: "bucket", capacity: 9, refill: 1, window: "1 m", algorithm: "token-bucket" }),
      ];
      const outcomes = [];
      for (let each = 0; each < 3; each += 1) outcomes.push(await charge(...charges));
      expect(outcomes.map(({ admitted }) => admitted)).toEqual([true, true, false]);
      expect(outcomes[2]?.entries.map(({ short }) => short)).toEqual([false, true, false, false]);
      expect(await Promise.all(charges.map(left))).toEqual([7, 0, 7, 7]);
    });

    it("charges one counter for callers and policies apart", async () => {
      const one = { name: "one", limit: 3, window: "1 m" } as const;
      const other = { name: "other", limit: 3, window: "1 m" } as const;
      await charge(chargeOf(one));
      expect(await left(chargeOf(one, { who: "bob" }))).toBe(3);
      expect(await left(chargeOf(other))).toBe(3);
    });

    it("resets nothing when it is told no counter", async () => {
      const one = chargeOf({ name: "w", limit: 3, window: "1 m" });
      await charge(one);
      await withBatch((batch) => opened.limitStore.reset([], batch));
      expect(await left(one)).toBe(2);
    });
  });
}
