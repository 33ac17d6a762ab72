import { type Context, Hono } from "hono";
import { describe, expect, it, vi } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { createEdge } from "../../../src/create-edge.ts";
import { createLimits } from "../../../src/create-limits.ts";
import { isolateOf } from "../../../src/edge/full-isolate.ts";
import { limitsIsolateOf } from "../../../src/edge/limits-alone.ts";
import { MAX_ISOLATES, openIsolates } from "../../../src/edge/open-isolates.ts";
import { Store } from "../../../src/store/store.ts";
import { printedLines } from "../../support/printed.ts";

/** What requests make anew is bounded (law 5): the least recently used ends, and leaves nothing behind. */

printedLines();

const routes = (limit: number, more: Partial<RouteInput> = {}): RouteInput[] => [
  { path: "/*", limits: [{ name: "a", limit, window: "1 d" }], ...more },
];
const newEnv = () => ({ UPSTASH_REDIS_REST_URL: "https://x.upstash.io", UPSTASH_REDIS_REST_TOKEN: "t" });

describe("isolates of an environment", () => {
  it("are bounded, however many lists of routes come", () => {
    const env = newEnv();
    for (let n = 1; n <= 2000; n += 1) limitsIsolateOf(env, routes(n));
    expect(openIsolates(env)).toBe(MAX_ISOLATES);
  });

  it("count together whatever takes part in them, and apart from another environment's", () => {
    const env = newEnv();
    const other = newEnv();
    limitsIsolateOf(other, routes(1));
    for (let n = 1; n <= MAX_ISOLATES; n += 1) (n % 2 ? isolateOf : limitsIsolateOf)(env, routes(n));
    limitsIsolateOf(env, routes(0.5 * MAX_ISOLATES, { onStoreFailure: "open" }));
    expect([openIsolates(env), openIsolates(other)]).toEqual([MAX_ISOLATES, 1]);
  });

  it("that are used stay, and the least recently used is opened anew", () => {
    const env = newEnv();
    const used = routes(1);
    const unused = routes(2);
    const [first, second] = [isolateOf(env, used), isolateOf(env, unused)];
    for (let n = 3; n < MAX_ISOLATES + 10; n += 1) {
      limitsIsolateOf(env, routes(n));
      expect(isolateOf(env, used)).toBe(first);
    }
    const again = isolateOf(env, unused);
    expect(again).not.toBe(second);
    expect([again.limitState, again.store], "what is the environment's").toEqual([
      first.limitState,
      first.store,
    ]);
    expect(isolateOf(env, unused)).toBe(again);
  });

  it("leave nothing in the store when they end", () => {
    const registered = new Set<unknown>();
    const opened = vi.spyOn(Store.prototype, "recoveriesOf").mockImplementation(function <Made>(
      this: Store,
      make: () => Made,
    ) {
      const made = make();
      registered.add(made);
      return [made, () => void registered.delete(made)];
    });
    const env = newEnv();
    for (let n = 1; n <= MAX_ISOLATES * 2; n += 1) isolateOf(env, routes(n));
    expect(opened).toHaveBeenCalledTimes(MAX_ISOLATES * 2);
    expect(registered.size).toBe(MAX_ISOLATES);
  });
});

describe("a middleware that is made anew for each request", () => {
  const limits = (c: Context) => [
    { name: "plan", limit: 20_000 + Number(c.req.query("n")), window: "1 d" } as const,
  ];
  const { edge, rateLimit } = createEdge({ logLevel: "error" });
  const alone = createLimits({ logLevel: "error" }).rateLimit;

  it.each([
    ["rateLimit()", 400, (c: Context) => rateLimit(limits(c))],
    ["edge() with a cache", 300, (c: Context) => edge({ limits: limits(c), cache: { ttl: 60 } })],
    ["limits alone", 1000, (c: Context) => alone(limits(c))],
  ] as const)("%s of another value each time goes on counting", async (_what, requests, made) => {
    const app = new Hono();
    app.use((c, next) => made(c)(c as never, next));
    app.get("*", (c) => c.text("fine"));
    const remaining = async (n: number) => {
      const answer = await app.request(`/?n=${n}`, { headers: { "cf-connecting-ip": "192.0.2.9" } });
      return (
        Number(answer.headers.get("x-ratelimit-limit")) - Number(answer.headers.get("x-ratelimit-remaining"))
      );
    };
    const first = await remaining(0);
    for (let n = 1; n < requests; n += 1) await remaining(n);
    expect(await remaining(0)).toBe(first + requests);
  });
});
