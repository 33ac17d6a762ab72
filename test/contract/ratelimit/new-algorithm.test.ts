import { describe, expect, inject, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import type { Algorithm } from "../../../src/ratelimit/algorithms/algorithm.ts";
import { algorithms } from "../../../src/ratelimit/algorithms/algorithms.ts";
import type { WindowCounts } from "../../../src/ratelimit/algorithms/counter-windows.ts";
import { fixedWindow } from "../../../src/ratelimit/algorithms/fixed-window.ts";

/** Sentence 11.6: a new algorithm is one object, its Lua included, and one line of the registry. */

/** The one object: a window in which each unit weighs two. */
const heavyWindow: Algorithm<WindowCounts> = {
  ...fixedWindow,
  used: (_, { current }) => 2 * current,
  lua: {
    ...fixedWindow.lua,
    read: `
  l.current, l.previous = tonumber(l.values[1] or 0), 0
  l.room = l.limit - 2 * l.current`,
  },
};
/** The one line. */
Object.assign(algorithms, { "heavy-window": heavyWindow });

// What reads the registry when it is loaded comes after it.
const { freshPrefix, openIsolate, routeOf } = await import("../../support/limits.ts");
const { testPlatform } = await import("../../support/platform.ts");

const limit = (more: object = {}) =>
  ({ name: "w", algorithm: "heavy-window", limit: 6, window: "1 d", ...more }) as unknown as NonNullable<
    RouteInput["limits"]
  >[number];

describe("an algorithm that is added to the registry", () => {
  it.each([
    ["in the isolate", null],
    ["in Redis", { url: inject("upstashUrl"), token: inject("upstashToken") }],
  ])("limits %s, is reported, peeked at and reset", async (_where, connection) => {
    const platform = testPlatform({ now: Date.now(), fetch: (input, init) => fetch(input, init) });
    const one = openIsolate({ platform, connection, prefix: freshPrefix(), isolateMaxAgeMs: 0 });
    const route = routeOf({ limits: [limit(), { name: "roomy", limit: 100, window: "1 d" }] });
    const left: string[] = [];
    for (let each = 0; each < 5; each += 1) {
      const { verdict } = await one.ask(route, "alice");
      left.push(`${verdict.kind} ${verdict.headers["X-RateLimit-Remaining"]}`);
    }
    expect(left).toEqual(["allowed 4", "allowed 2", "allowed 0", "denied 0", "denied 0"]);
    const batch = one.store.batch();
    const reset = one.limiter.reset(one.hashOf("alice"), route.limits, batch);
    await batch.send();
    await reset;
    expect((await one.ask(route, "alice")).verdict.kind).toBe("allowed");
  });

  it("may be configured, leased like a fixed window, and is named among the choices", () => {
    expect(routeOf({ limits: [limit({ limit: 100, lease: 10 })] }).limits[0]).toMatchObject({
      algorithm: "heavy-window",
      lease: 10,
    });
    expect(() => routeOf({ limits: [limit({ capacity: 1, refill: 1 })] })).toThrow();
    expect(() => routeOf({ limits: [limit({ algorithm: "heavier" })] })).toThrow(
      "Must be one of sliding-window, fixed-window, sliding-log, heavy-window, token-bucket.",
    );
  });
});
