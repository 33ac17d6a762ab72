import { afterEach, describe, expect, inject, it } from "vitest";
import type { LimitInput } from "../../../src/config/route.ts";
import { clock, openIsolate, releaseClock, routeOf } from "../../support/limits.ts";
import { storeOfOwner } from "../../support/store.ts";

const LIMITS: LimitInput[] = [
  { name: "window", limit: 5, window: "1 h", algorithm: "fixed-window" },
  { name: "sliding", limit: 5, window: "1 h", algorithm: "sliding-window" },
  { name: "bucket", capacity: 5, refill: 1, window: "1 h", algorithm: "token-bucket" },
  { name: "log", limit: 5, window: "1 h", algorithm: "sliding-log" },
];

/** What somebody else has written in the place of counts: a text, or in each field of a hash, or a member of a set. */
const TEXTS = ["", "null", "{}", "x", "NaN", "1e999", "Infinity", "-Infinity", "[1]", "7 x", "\u0000"];

async function overwrite(prefix: string, text: string): Promise<void> {
  const batch = storeOfOwner().store.batch();
  const done = batch.queue((pipeline) =>
    pipeline.eval(
      `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
        local kind = redis.call('TYPE', key).ok
        if kind == 'string' then redis.call('SET', key, ARGV[2])
        elseif kind == 'hash' then
          for _, field in ipairs(redis.call('HKEYS', key)) do redis.call('HSET', key, field, ARGV[2]) end
        else redis.call('ZADD', key, 'inf', ARGV[2]) end
      end`,
      [],
      [`${prefix}:r:*`, text],
    ),
  );
  await batch.send();
  await done;
}

afterEach(releaseClock);

describe.each(LIMITS)("what is left of the limit $name", (limit) => {
  it.each(TEXTS)("is a number, and a time, where %j stands in Redis", async (text) => {
    const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
    const { limiter, store, ask, prefix, hashOf } = openIsolate({
      platform: clock(),
      connection,
      isolateMaxAgeMs: 0,
    });
    const route = routeOf({ limits: [limit] });
    expect((await ask(route, "ada")).verdict?.kind).toBe("allowed");
    await overwrite(prefix, text);
    const batch = store.batch();
    const peeking = limiter.peek(hashOf("ada"), route.limits, batch);
    await batch.send();
    const [left] = await peeking;
    expect(left?.remaining).toBeGreaterThanOrEqual(0);
    expect(left?.remaining).toBeLessThanOrEqual(5);
    expect(Number.isFinite(left?.resetAt)).toBe(true);
  });
});
