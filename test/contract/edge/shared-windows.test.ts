import { Hono } from "hono";
import { every } from "hono/combine";
import { describe, expect, inject, it } from "vitest";
import type { LimitInput, RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { type EdgeEnv, edge, rateLimit } from "../../../src/middleware.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { freshPrefix } from "../../support/limits.ts";
import { printedLines } from "../../support/printed.ts";

/** Which counts are one and which are not, with Redis and in the isolate. */

const stores: [string, Record<string, string>][] = [
  ["in the isolate", {}],
  [
    "in Redis",
    {
      UPSTASH_REDIS_REST_URL: inject("upstashUrl"),
      UPSTASH_REDIS_REST_TOKEN: inject("upstashToken"),
      STORE_DEADLINE_MS: "5000",
    },
  ],
];
const context = { waitUntil() {}, passThroughOnException() {}, props: {} } as unknown as ExecutionContext;
const from = { "cf-connecting-ip": "192.0.2.7" };

printedLines();

const window = { name: "w", limit: 4, window: "1 d" } as const;
const SHARED: LimitInput[] = [
  { ...window, shared: true },
  { ...window, shared: true, algorithm: "fixed-window" },
  { ...window, shared: true, algorithm: "sliding-log" },
  { ...window, shared: true, by: "address" },
  { name: "w", shared: true, algorithm: "token-bucket", capacity: 4, refill: 1, window: "1 d" },
  { ...window, shared: true, limit: 40, cost: 10, lease: 4 },
];

describe.each(stores)("%s", (_where, store) => {
  const vars = () => ({
    ...store,
    IDENTITY_SECRET: "i".repeat(32),
    REDIS_RATE_LIMIT_PREFIX: `{${freshPrefix()}}`,
    // What a request writes notes in the cache that it was written.
    REDIS_CACHE_PREFIX: `{${freshPrefix()}}`,
  });

  /** Statuses of GETs through the Worker. */
  async function through(routes: RouteInput[], paths: string, env = vars()) {
    const answer = edgeAnswer(
      openIsolate({ ...env, ORIGIN: { fetch: async () => new Response("ok") } }, routes),
    );
    const statuses: number[] = [];
    for (const name of paths) {
      const response = await answer(new Request(`https://edge.example/${name}`, { headers: from }), context);
      statuses.push(response.status);
    }
    return statuses.map((status) => (status === 200 ? "+" : status === 429 ? "-" : status)).join("");
  }

  it.each(SHARED)("two routes count together: %j", async (limit) => {
    const other: LimitInput = { ...limit, shared: false, name: "own" };
    const routes: RouteInput[] = [
      { path: "/a", limits: [limit] },
      { path: "/b", limits: [limit] },
      { path: "/c", limits: [limit, other] },
    ];
    expect(await through(routes, "abcabcabc")).toBe("++++-----");
  });

  it.each(SHARED)("without shared they do not: %j", async (limit) => {
    const limits = [{ ...limit, shared: false }];
    expect(
      await through(
        [
          { path: "/a", limits },
          { path: "/b", limits },
        ],
        "aaaaabbbbb",
      ),
    ).toBe("++++-++++-");
  });

  it("a route's own cost and shadow hold: 3 and 1 of 4 units, then the one in shadow passes", async () => {
    const routes: RouteInput[] = [
      { path: "/a", limits: [{ ...window, shared: true, cost: 3 }] },
      { path: "/b", limits: [{ ...window, shared: true }] },
      { path: "/s", limits: [{ ...window, shared: true, shadow: true }] },
    ];
    expect(await through(routes, "aabbs")).toBe("+-+-+");
  });

  /** Statuses of GETs through a Hono app. */
  async function ask(app: Hono<EdgeEnv>, paths: string[], env: object = vars()) {
    const statuses: number[] = [];
    for (const path of paths) {
      statuses.push((await app.request(path, { headers: from }, env, context)).status);
    }
    return statuses.map((status) => (status === 200 ? "+" : status === 429 ? "-" : status)).join("");
  }
  const fine = (app: Hono<EdgeEnv>) => app.get("*", (c) => c.text("ok"));
  const five = (path: string) => Array.from({ length: 5 }, () => path);

  it("two rateLimit() calls never share a count of one name", async () => {
    const apart = new Hono<EdgeEnv>();
    apart.use("/a/*", rateLimit([window]));
    apart.use("/b/*", rateLimit([window]));
    expect(await ask(fine(apart), [...five("/a/x"), ...five("/b/x")])).toBe("++++-++++-");

    const twice = new Hono<EdgeEnv>();
    twice.use("*", rateLimit([window]), rateLimit([{ ...window, limit: 3 }]));
    expect(await ask(fine(twice), five("/x")), "one request is one unit of each").toBe("+++--");

    const tiers = new Hono<EdgeEnv>();
    tiers.use("/a", edge({ limits: [window], tiers: { gold: [{ ...window, limit: 9 }] } }));
    tiers.use("/b", edge({ limits: [window], tiers: { gold: [{ ...window, limit: 9 }] } }));
    expect(await ask(fine(tiers), [...five("/a"), ...five("/b")])).toBe("++++-++++-");
  });

  it("nor do they where each has further limits of its own", async () => {
    const [more, other] = [
      { ...window, name: "more", limit: 9 },
      { ...window, name: "other", limit: 9 },
    ];
    const app = new Hono<EdgeEnv>();
    app.use("/a", rateLimit([window]));
    app.use("/b", rateLimit([window, more]));
    app.use("/c", rateLimit([other, window]));
    app.use("/d", edge({ limits: [other], tiers: { gold: [window, more] } }));
    app.use("/e/*", every(rateLimit([window]), rateLimit([more, { ...window, limit: 3 }])));
    const paths = ["/a", "/b", "/c", "/e/x"].flatMap(five);
    expect(await ask(fine(app), paths)).toBe("++++-++++-++++-+++--");
  });

  it("two apps of one Worker do not either", async () => {
    const env = vars();
    const [one, two] = [new Hono<EdgeEnv>(), new Hono<EdgeEnv>()];
    one.use("*", rateLimit([window]));
    two.use("*", rateLimit([window]));
    expect(await ask(fine(one), five("/x"), env)).toBe("++++-");
    expect(await ask(fine(two), five("/x"), env)).toBe("++++-");
  });

  it("they do not where another middleware calls them", async () => {
    const app = new Hono<EdgeEnv>();
    app.use("/a/*", every(rateLimit([window]), rateLimit([{ ...window, limit: 3 }])));
    app.use("/b/*", every(rateLimit([window])));
    expect(await ask(fine(app), [...five("/a/x"), ...five("/b/x")])).toBe("+++--++++-");
  });

  it("a middleware or an app that is made anew for each request still limits", async () => {
    const app = new Hono<EdgeEnv>();
    app.use("/a", (c, next) => rateLimit([{ ...window, name: "anew" }])(c, next));
    app.use("/b", (c, next) => rateLimit([{ ...window, name: "anew" }])(c, next));
    expect(await ask(fine(app), [...five("/a"), ...five("/b")])).toBe("++++-++++-");
  });

  type Build = (name: string) => Hono<EdgeEnv>;
  const limits = (name: string): LimitInput[] => [{ ...window, name }];
  const built = (add: (app: Hono<EdgeEnv>) => unknown) => {
    const app = new Hono<EdgeEnv>();
    add(app);
    return fine(app);
  };
  it.each<[what: string, build: Build, paths: string[], statuses: string]>([
    ["one limit", (name) => built((app) => app.use("*", rateLimit(limits(name)))), five("/x"), "++++-"],
    [
      "two limits of one name on two paths",
      (name) => built((app) => app.use("/a", rateLimit(limits(name))).use("/b", rateLimit(limits(name)))),
      ["/b", ...five("/a"), ...five("/b")],
      "+++++-+++--",
    ],
    [
      "two on one path",
      (name) => built((app) => app.use("*", rateLimit(limits(name)), rateLimit(limits(name)))),
      five("/x"),
      "++++-",
    ],
    [
      "a tier of the same name",
      (name) => built((app) => app.use("*", edge({ limits: limits(name), tiers: { gold: limits(name) } }))),
      five("/x"),
      "++++-",
    ],
    [
      "a wrapped one",
      (name) => built((app) => app.use("*", every(rateLimit(limits(name)), rateLimit(limits(name))))),
      five("/x"),
      "++++-",
    ],
    [
      "a sink that is made anew too",
      (name) => built((app) => app.use("*", edge({ limits: limits(name), sinks: [{ receive() {} }] }))),
      five("/x"),
      "++++-",
    ],
    [
      "a session and a cache beside it",
      (name) =>
        built((app) => app.use("*", edge({ limits: limits(name), session: "optional", cache: { ttl: 60 } }))),
      ["/1", "/2", "/3", "/4", "/5"],
      "++++-",
    ],
  ])(
    "an app that is built anew for each request limits from the first on: %s",
    async (what, build, paths, statuses) => {
      const env = vars();
      let told = "";
      for (const path of paths) told += await ask(build(`anew-${what.replaceAll(" ", "-")}`), [path], env);
      expect(told).toBe(statuses);
    },
  );

  it("where two requests build at the same time, the limit holds in the end", async () => {
    const env = vars();
    const one = () => built((app) => app.use("*", rateLimit(limits("anew-in-twos"))));
    let told = "";
    for (let each = 0; each < 40; each += 1) {
      const apps = [one(), one()];
      for (const app of apps) told += await ask(app, ["/x"], env);
    }
    expect(told.replaceAll("-", "").length, "two counts at most").toBeLessThanOrEqual(8);
  });

  it("a sink of an app that is built anew hears of its request, and no isolate is opened for each", async () => {
    const env = vars();
    const heard: string[] = [];
    for (let each = 0; each < 40; each += 1) {
      const sink = { receive: ({ event }: { event: string }) => void heard.push(event) };
      await ask(
        built((app) => app.use("*", edge({ limits: limits("sunk"), sinks: [sink] }))),
        ["/x"],
        env,
      );
    }
    expect(heard.filter((event) => event === "request").length).toBe(40);
    expect(heard.filter((event) => event === "store.absent").length).toBeLessThanOrEqual(32);
  });

  it("two rateLimit() calls with a shared limit count together", async () => {
    const limits: LimitInput[] = [{ ...window, name: "together", shared: true }];
    const app = new Hono<EdgeEnv>();
    app.use("/a", rateLimit(limits));
    app.use("/b", rateLimit(limits, { onStoreFailure: "open" }));
    expect(await ask(fine(app), ["/a", "/b", "/a", "/b", "/a", "/b"])).toBe("++++--");
  });

  it("two rateLimit() calls that define a shared limit differently are a configuration error", async () => {
    const app = new Hono<EdgeEnv>();
    app.use("/a", rateLimit([{ ...window, name: "torn", shared: true }]));
    app.use("/b", rateLimit([{ ...window, name: "torn", shared: true, limit: 5 }]));
    expect(await ask(fine(app), ["/a", "/b", "/a"])).toBe("+500+");
  });
});
