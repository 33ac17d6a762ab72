import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, kinds, startHarness } from "../../../support/upstash-local.ts";

/** 3 of 3, and windows so long that none ends during a test. */
const algorithms = [
  ["fixedWindow", Ratelimit.fixedWindow(3, "365 d")],
  ["slidingWindow", Ratelimit.slidingWindow(3, "365 d")],
  ["tokenBucket", Ratelimit.tokenBucket(1, "365 d", 3)],
  ["cachedFixedWindow", Ratelimit.cachedFixedWindow(3, "365 d")],
] as const;

describe.each(kinds)("@upstash/ratelimit, unmodified, over the SDK's defaults (redis: %s)", (kind) => {
  let harness: Harness;
  let redis: Redis;
  beforeAll(async () => {
    harness = await startHarness(kind);
    redis = new Redis({ url: harness.url, token: harness.token });
  });
  afterAll(() => harness.stop());

  const commandNames = () =>
    harness.calls.map(({ commands }) => commands.map(([name]) => name?.toLowerCase()));

  describe.each(algorithms)("%s", (name, limiter) => {
    const open = (prefix: string) => new Ratelimit({ redis, limiter, prefix: `${prefix}:${name}` });

    it("lets three of five through", async () => {
      const ratelimit = open("verdicts");
      const verdicts: boolean[] = [];
      for (let i = 0; i < 5; i += 1) verdicts.push((await ratelimit.limit("alice")).success);
      expect(verdicts).toEqual([true, true, true, false, false]);
      expect((await ratelimit.limit("bob")).success, "another caller").toBe(true);
    });

    it("lets exactly three of twenty at once through", async () => {
      const ratelimit = open("at-once");
      const verdicts = await Promise.all(Array.from({ length: 20 }, () => ratelimit.limit("alice")));
      expect(verdicts.filter(({ success }) => success)).toHaveLength(3);
    });

    it("says what remains, and gives it back", async () => {
      const ratelimit = open("remaining");
      await ratelimit.limit("alice");
      expect((await ratelimit.getRemaining("alice")).remaining).toBe(2);
      await ratelimit.resetUsedTokens("alice");
      expect((await ratelimit.getRemaining("alice")).remaining).toBe(3);
      expect((await ratelimit.limit("alice")).success).toBe(true);
    });

    it("is one EVALSHA a call once Redis knows the script, and never EVAL", async () => {
      const ratelimit = open("calls");
      await redis.scriptFlush();
      harness.resetCalls();
      await ratelimit.limit("alice");
      expect(commandNames(), "the first").toEqual([["evalsha"], ["eval"]]);
      harness.resetCalls();
      const second = await ratelimit.limit("bob");
      await second.pending;
      expect(commandNames(), "the second").toEqual([["evalsha"]]);
    });
  });
});
