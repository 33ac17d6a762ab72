import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { clock, freshPrefix, openIsolate, releaseClock, routeOf } from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";

/** Faults that people have reported of other limiters, tried here. Each test names the report. */

type Limit = NonNullable<RouteInput["limits"]>[number];

const DAY_START = Date.UTC(2026, 0, 15, 12, 0, 0);
const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
let platform: TestPlatform;
beforeEach(() => {
  platform = clock(DAY_START);
});
afterEach(releaseClock);

const WINDOWS: Limit[] = [
  { name: "w", limit: 10, window: "1 m" },
  { name: "w", limit: 10, window: "1 m", algorithm: "fixed-window" },
  { name: "w", limit: 10, window: "1 m", algorithm: "sliding-log" },
  { name: "w", capacity: 10, refill: 10, window: "1 m", algorithm: "token-bucket" },
];
const places: [string, typeof connection | null][] = [
  ["in Redis", connection],
  ["in the isolate", null],
];
const everywhere = places.flatMap(([where, store]) => WINDOWS.map((limit) => ({ where, store, limit })));

const open = (store: typeof connection | null, prefix = freshPrefix()) =>
  openIsolate({ platform, connection: store, prefix, isolateMaxAgeMs: 0 });
type Isolate = ReturnType<typeof open>;

async function kinds(isolate: Isolate, limit: Limit, costs: number[]): Promise<string> {
  let told = "";
  for (const cost of costs) {
    // Two routes of one counter: a shared limit may cost something else on each.
    const route = routeOf({ limits: [{ ...limit, shared: true, cost }] });
    told += (await isolate.ask(route, "alice")).verdict.kind === "allowed" ? "+" : "-";
  }
  return told;
}

describe.each(everywhere)("$where, $limit.algorithm", ({ store, limit }) => {
  it("a request that is refused takes nothing (upstash/ratelimit-js 156 and 161)", async () => {
    const isolate = open(store);
    expect(await kinds(isolate, limit, [8, 5, 5, 5, 1, 1, 1]), "2 of 10 are left after 8").toBe("+---++-");
  });

  it("a large cost does not lock a caller out for longer than a window (upstash/ratelimit-js 156)", async () => {
    const isolate = open(store);
    expect(await kinds(isolate, limit, [9, ...Array<number>(20).fill(10)])).toBe(`+${"-".repeat(20)}`);
    platform.advance(120_000);
    expect(await kinds(isolate, limit, [10])).toBe("+");
  });

  it.each([0, 1, 12_345, 29_999, 59_999])(
    "whoever waits as long as Retry-After says is let in: %d ms into a window (flask-limiter 62, fastify-rate-limit 301)",
    async (elapsed) => {
      const isolate = open(store);
      platform.advance(elapsed);
      await kinds(isolate, limit, Array<number>(5).fill(2));
      platform.advance(3_210);
      const route = routeOf({ limits: [{ ...limit, shared: true }] });
      for (let waits = 0; waits < 8; waits += 1) {
        const { verdict } = await isolate.ask(route, "alice");
        if (verdict.kind === "allowed") continue;
        const seconds = Number(verdict.headers["Retry-After"]);
        expect(Number.isInteger(seconds) && seconds >= 1 && seconds <= 120, `${seconds} s`).toBe(true);
        platform.advance(seconds * 1000);
        expect((await isolate.ask(route, "alice")).verdict.kind, `after ${seconds} s`).toBe("allowed");
      }
    },
  );
});

it.each(places)(
  "a sliding window tells the wait, not the end of its window (symfony 40289): %s",
  async (_, store) => {
    const isolate = open(store);
    const route = routeOf({ limits: [{ name: "w", limit: 60, window: "1 m" }] });
    for (let each = 0; each < 60; each += 1) await isolate.ask(route, "alice");
    platform.advance(72_000);
    for (let each = 0; each < 12; each += 1) await isolate.ask(route, "alice");
    const { verdict } = await isolate.ask(route, "alice");
    expect(verdict).toMatchObject({ kind: "denied", retryAfterSeconds: 1 });
  },
);

it("a full limit is no outage: the isolate's own counters let nobody in (rate-limiter-flexible 337)", async () => {
  const isolate = open(connection);
  const route = routeOf({ limits: [{ name: "w", limit: 2, window: "1 m" }] });
  const told: string[] = [];
  for (let each = 0; each < 5; each += 1) {
    const { verdict } = await isolate.ask(route, "alice");
    told.push(`${verdict.kind} by ${verdict.source}`);
  }
  expect(told).toEqual(["allowed by redis", "allowed by redis", ...Array<string>(3).fill("denied by redis")]);
  expect(isolate.limiter.sizes.counters).toBe(0);
});

it.each(WINDOWS)("no counter lapses before its window does (Kong 4076): $algorithm", async (limit) => {
  const prefix = freshPrefix();
  const route = routeOf({ limits: [limit] });
  // The first unit comes at the very end of a window.
  platform.advance(59_990);
  const one = open(connection, prefix);
  for (let each = 0; each < 3; each += 1) await one.ask(route, "alice");
  const wanted =
    limit.algorithm === "token-bucket" ? 59_000 : limit.algorithm === "sliding-log" ? 60_000 : 120_000;
  const command = async (words: string[]) => {
    const headers = { authorization: `Bearer ${inject("ownerToken")}` };
    const reply = await fetch(inject("ownerUrl"), { method: "POST", headers, body: JSON.stringify(words) });
    return ((await reply.json()) as { result: unknown }).result;
  };
  const names = (await command(["KEYS", `${prefix}*`])) as string[];
  expect(names).toHaveLength(1);
  expect(Number(await command(["PTTL", names[0] ?? ""]))).toBeGreaterThanOrEqual(wanted - 500);
});

it("an unreachable store is no 500 and lets nobody take more than the limit (Kong 2382)", async () => {
  const isolate = open({ url: "http://127.0.0.1:1", token: "none" });
  isolate.wire.cut = true;
  const route = routeOf({ limits: [{ name: "w", limit: 3, window: "1 m" }] });
  const told: string[] = [];
  for (let each = 0; each < 5; each += 1) told.push((await isolate.ask(route, "alice")).verdict.kind);
  expect(told).toEqual(["allowed", "allowed", "allowed", "denied", "denied"]);
});

it.each(everywhere)(
  "a limit that is lowered holds at once: $where, $limit.algorithm",
  async ({ store, limit }) => {
    const isolate = open(store);
    const of = (units: number): Limit =>
      "capacity" in limit ? { ...limit, capacity: units, refill: 1 } : { ...limit, limit: units };
    const ask = async (units: number) =>
      (await isolate.ask(routeOf({ limits: [of(units)] }), "alice")).verdict;
    await ask(10);
    let passed = 0;
    for (let each = 0; each < 10; each += 1) {
      const { kind, headers } = await ask(3);
      passed += kind === "allowed" ? 1 : 0;
      expect(headers).toMatchObject({
        "X-RateLimit-Limit": "3",
        "X-RateLimit-Remaining": `${left(limit, passed)}`,
      });
    }
    expect(passed).toBe(left(limit, 0));
  },
);

/** Units of a limit of 3 after one was taken before, under a higher one. What a bucket of 10 has left fills one of 3. */
function left({ algorithm }: Limit, passed: number): number {
  return (algorithm === "token-bucket" ? 3 : 2) - passed;
}

it.each(places)(
  "a limit that is lowered leaves nothing negative (rate-limiter-flexible 172): %s",
  async (_, store) => {
    const isolate = open(store);
    const before = routeOf({ limits: [{ name: "w", limit: 10, window: "1 m" }] });
    for (let each = 0; each < 8; each += 1) await isolate.ask(before, "alice");
    const after = routeOf({ limits: [{ name: "w", limit: 5, window: "1 m" }] });
    const { verdict } = await isolate.ask(after, "alice");
    expect(verdict.kind).toBe("denied");
    expect(verdict.headers).toMatchObject({ "X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0" });
  },
);
