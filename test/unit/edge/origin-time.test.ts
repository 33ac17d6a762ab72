import { expect, test } from "vitest";
import { OriginTime } from "../../../src/edge/origin-time.ts";
import type { OriginFetch } from "../../../src/request/origin-reply.ts";
import { testPlatform } from "../../support/platform.ts";

function timed(change: Partial<OriginFetch> = {}, takes = 40) {
  const platform = testPlatform();
  const reply = async () => {
    platform.advance(takes);
    return { kind: "response", response: new Response("x") } as const;
  };
  const failures: unknown[] = [];
  const origin: OriginFetch = {
    repeatable: true,
    fetch: reply,
    failed: (failure) => void failures.push(failure),
    eager: { sentAt: 7, adopt: reply, giveUp: () => {} },
    ...change,
  };
  const time = new OriginTime(platform);
  return { time, origin: time.timed(origin), failures };
}

test("an origin that is not asked takes no time", () => {
  expect(timed().time.waitedMs).toBeNull();
});

test("each wait counts, also for a request that was sent before", async () => {
  const { time, origin } = timed();
  await origin.eager?.adopt();
  expect(time.waitedMs).toBe(40);
  await origin.fetch(new Headers());
  expect(time.waitedMs).toBe(80);
});

test("so does one that fails", async () => {
  const { time, origin } = timed({
    fetch: async () => {
      throw new Error("gone");
    },
  });
  await expect(origin.fetch(new Headers())).rejects.toThrow("gone");
  expect(time.waitedMs).toBe(0);
});

test("the origin is otherwise as it was", () => {
  const { origin, failures } = timed({ repeatable: false });
  expect([origin.repeatable, origin.eager?.sentAt]).toEqual([false, 7]);
  origin.failed?.({ kind: "failed", status: 502, code: "ORIGIN_UNREACHABLE" });
  expect(failures).toHaveLength(1);
  expect(timed({ eager: undefined }).origin.eager).toBeUndefined();
});
