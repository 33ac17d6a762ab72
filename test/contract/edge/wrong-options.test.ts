import { Hono } from "hono";
import { describe, expect, it, vi } from "vitest";
import { ConfigError } from "../../../src/config/config-error.ts";
import { createEdge } from "../../../src/create-edge.ts";
import { createLimits } from "../../../src/create-limits.ts";
import type { MiddlewareLimit } from "../../../src/middleware/options.ts";
import type { EdgeEnv, EdgeVariables } from "../../../src/middleware.ts";
import type { ActiveSession } from "../../../src/session/verdict.ts";
import { createRequester } from "../../../src/store/requester.ts";
import { edgeInRedis, executionContext, FROM } from "../../support/edge/hono-app.ts";
import { printedLines } from "../../support/printed.ts";

const log = printedLines();

/** The one error that a call has thrown, or its promise has rejected with. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return null;
}

/** It names the place, what was found and the fix, and is a RangeError for whoever catches those. */
function expectIssue(error: unknown, place: string, what: string): void {
  expect(error, what).toBeInstanceOf(ConfigError);
  expect(error, what).toBeInstanceOf(RangeError);
  const { issues, message } = error as ConfigError;
  expect(issues.map((issue) => issue.place).join(), what).toContain(place);
  for (const { found, fix } of issues) expect([found, fix].includes(""), what).toBe(false);
  expect(message.split("\n"), "one line for each").toHaveLength(issues.length + 1);
}

const circular: Record<string, unknown> = {};
circular.self = circular;
/** What no options object is. */
const NO_OBJECTS = [null, 5, Number.NaN, "x", true, [], [{}], 10n, Promise.resolve({})];
/** What no number above 0 is. */
const NO_COUNTS = [null, 0, -1, Number.NaN, "5", "", [], {}, true, 10n];
const NO_JSON = [Promise.resolve({ a: 1 }), new Map([["a", 1]]), { a: new Response("{}") }, { a: 1n }];
const NO_TEXTS = [null, 5, Number.NaN, [], {}, true, 10n, () => "x"];

describe.each<[name: string, call: (options: unknown) => unknown]>([
  ["createEdge", (options) => createEdge(options as never)],
  ["createLimits", (options) => createLimits(options as never)],
])("%s()", (name, call) => {
  it.each(NO_OBJECTS)("of %s", async (options) => {
    expectIssue(await errorOf(() => call(options)), name, String(options));
  });

  it.each<[place: string, values: readonly unknown[]]>([
    ["storeDeadlineMs", [...NO_COUNTS, 9, 10_001, 400.5].filter((value) => value !== "5")],
    ["isolateMaxAgeMs", [null, -1, Number.NaN, "", [], {}, true, 60_001]],
    ["mode", [null, "", 5, {}, [], "Production", Number.NaN]],
    ["logLevel", [null, "", 5, {}, [], "loud"]],
    ["redis", [null, 5, "https://x.upstash.io", true, {}, [], Number.NaN]],
    [
      "redis.url",
      [{ url: undefined, token: "t" }, { url: "", token: "t" }, { url: 5, token: "t" }, { token: "t" }],
    ],
    ["redis.token", [{ url: "https://x.upstash.io" }, { url: "https://x.upstash.io", token: null }]],
    ["limits", [null, 5, "x", [], true, Promise.resolve({})]],
    ["limits.ipv6Prefix", [47, 65, Number.NaN, null, "", "x"].map((ipv6Prefix) => ({ ipv6Prefix }))],
    ["limits.deny", [null, "", [null], [undefined], [""], ["somebody"], [5], {}].map((deny) => ({ deny }))],
    ["limits.useRedis", [null, "", "maybe", 2, {}].map((useRedis) => ({ useRedis }))],
    ["limits.prefix", [null, "", {}, [], "a b"].map((prefix) => ({ prefix }))],
    ["limits.nope", [{ nope: 1 }, { nope: null }, { nope: "" }]],
    ["secrets.identity", [null, "", "short", 5, [], [null], ["short"], {}].map((identity) => ({ identity }))],
    ["sinks", [null, "x", 5, {}, [null], ["x"], [{}], [() => {}]]],
    ["nope", [1, null, "", [], {}]],
  ])("names %s", async (place, values) => {
    const [group = ""] = place.split(".");
    for (const value of values) {
      const error = await errorOf(() => call({ [group]: value }));
      expectIssue(
        error,
        `${name}: ${place}`,
        `${place}: ${String(Object(value) === value ? Object.entries(value as object) : value)}`,
      );
    }
  });
});

it.each<[place: string, options: Record<string, unknown>[]]>([
  [
    "apiKeys",
    [
      ...[null, "", 5, [null], [5], [{}], [{ key: 5 }], [{ key: "0123456789abcdef" }]],
      // Each would be a key of another name, or without its tier.
      [{ key: "0123456789abcdef", name: null }],
      [{ key: "0123456789abcdef", name: "a", teir: "pro" }],
      [{ key: "0123456789abcdef", name: "a", tier: "pro", roles: [] }],
      [{ key: "0123456789abcdef", name: "a:b" }],
      [{ key: "0123456789abcdef", name: "a", tier: "x,y" }],
    ].map((apiKeys) => ({ apiKeys })),
  ],
  [
    "sessions.idleSeconds",
    [59, Number.NaN, null, "", -1, {}].map((idleSeconds) => ({ sessions: { idleSeconds } })),
  ],
  ["sessions.database", [null, "", "postgres://", 5].map((database) => ({ sessions: { database } }))],
  ["sessions", [{ sessions: null }, { sessions: 5 }, { sessions: [] }, { sessions: "x" }]],
  ["cors.origins", [null, "", [null], ["x"], {}].map((origins) => ({ cors: { origins } }))],
  ["jwt.jwksUrl", [null, "", 5, "x"].map((jwksUrl) => ({ jwt: { jwksUrl } }))],
])("createEdge() names %s", async (place, options) => {
  for (const each of options)
    expectIssue(await errorOf(() => createEdge(each as never)), `createEdge: ${place}`, JSON.stringify(each));
});

it.each(NO_OBJECTS)(
  "a function that returns %s as options of the edge is a 500 that the log explains",
  async (options) => {
    for (const create of [createEdge, createLimits]) {
      const { rateLimit } = create((() => options) as never);
      const app = new Hono().use(rateLimit([two]) as never).get("/", (c) => c.text("fine"));
      expect((await app.request("/", { headers: FROM }, {}, executionContext().context)).status).toBe(500);
    }
    expect(
      log.filter((line) => line.includes("config.error") && line.includes("Must be an object")),
    ).toHaveLength(2);
  },
);

const two: MiddlewareLimit = { name: "m", limit: 2, window: "1 d" };

describe("the options of a middleware", () => {
  const NO_FUNCTIONS = [null, "x", 5, Number.NaN, true, {}, []];
  it.each<[place: string, options: unknown[]]>([
    ["edge", NO_OBJECTS],
    ["edge: key", [null, "x", 5, true, [], Number.NaN].map((key) => ({ limits: [two], key }))],
    ["edge: tier", NO_FUNCTIONS.map((tier) => ({ limits: [two], tier }))],
    ["edge: skip", NO_FUNCTIONS.map((skip) => ({ limits: [two], skip }))],
    ["edge: cost", NO_FUNCTIONS.map((cost) => ({ limits: [two], cost }))],
    ["edge: onLimited", NO_FUNCTIONS.map((onLimited) => ({ limits: [two], onLimited }))],
    [
      "edge: onStoreFailure",
      [null, "", "fail", 5, {}, true].map((onStoreFailure) => ({ limits: [two], onStoreFailure })),
    ],
    ["edge: tiers", [null, "x", 5, [], true].map((tiers) => ({ limits: [two], tiers }))],
    [
      "tiers.pro",
      [undefined, null, "x", 5, {}, [null], [5]].map((pro) => ({ limits: [two], tiers: { pro } })),
    ],
    ["edge: session", [null, "", true, "Required", 5, {}].map((session) => ({ session }))],
    ["edge: cache", [null, "x", 5, [], true, Number.NaN].map((cache) => ({ cache }))],
    ["cache.key", NO_FUNCTIONS.map((key) => ({ cache: { scope: "shared", ttl: 60, key } }))],
    ["cache.ttl", [null, -1, Number.NaN, "60", {}].map((ttl) => ({ cache: { ttl } }))],
    ["edge: invalidates", [null, "x", 5, [], false].map((invalidates) => ({ invalidates }))],
    ["edge: sinks", [null, "x", 5, {}, [null], [{}]].map((sinks) => ({ limits: [two], sinks }))],
    ["limits[0].limit", NO_COUNTS.map((limit) => ({ limits: [{ ...two, limit }] }))],
    ["limits[0].cost", NO_COUNTS.map((cost) => ({ limits: [{ ...two, cost }] }))],
    [
      "limits[0].window",
      [...NO_TEXTS, "", "1", "0 s", "1 x"].map((window) => ({ limits: [{ ...two, window }] })),
    ],
    [
      "limits[0].algorithm",
      [null, "", "nope", "constructor", 5, {}].map((algorithm) => ({ limits: [{ ...two, algorithm }] })),
    ],
    ["limits[0]", [null, 5, "x", [], true].map((limit) => ({ limits: [limit] }))],
    ["limits[0].burst", [{ limits: [{ ...two, burst: 1 }] }]],
    ["limits[0].limit", [{ limits: [{ ...two, limit: circular }] }]],
  ])("that have an issue at %s are a 500 that the log explains, and no handler runs", async (place, many) => {
    for (const options of many) {
      log.length = 0;
      const handler = vi.fn((c) => c.text("fine"));
      const app = new Hono<EdgeEnv>().use(edgeInRedis().edge(options as never)).get("/", handler);
      const { status } = await app.request("/", { headers: FROM }, {}, executionContext().context);
      const told = log.find((line) => line.includes("config.error")) ?? "";
      expect([status, handler.mock.calls.length, told.includes(place)], `${place} ${told}`).toEqual([
        500,
        0,
        true,
      ]);
    }
  });

  it.each<[what: string, middleware: (edge: ReturnType<typeof edgeInRedis>) => unknown]>([
    ["session(null)", ({ session }) => session(null as never)],
    ["session(5)", ({ session }) => session(5 as never)],
    ["session([])", ({ session }) => session([] as never)],
    ["session({ required: 'no' })", ({ session }) => session({ required: "no" as never })],
    ["session({ required: null })", ({ session }) => session({ required: null as never })],
    ["responseCache(null)", ({ responseCache }) => responseCache(null as never)],
    ["responseCache(60)", ({ responseCache }) => responseCache(60 as never)],
    ["responseCache('60')", ({ responseCache }) => responseCache("60" as never)],
    ["rateLimit(list, null)", ({ rateLimit }) => rateLimit([two], null as never)],
    ["rateLimit(list, 5)", ({ rateLimit }) => rateLimit([two], 5 as never)],
    ["rateLimit(list, 'x')", ({ rateLimit }) => rateLimit([two], "x" as never)],
    ["edge()", ({ edge: middleware }) => (middleware as () => unknown)()],
  ])("%s likewise", async (_what, middleware) => {
    const app = new Hono<EdgeEnv>().use(middleware(edgeInRedis()) as never).get("/", (c) => c.text("fine"));
    expect((await app.request("/", { headers: FROM }, {}, executionContext().context)).status).toBe(500);
    expect(log.join()).toContain("config.error");
  });
});

describe("what a handler calls", () => {
  /** Runs it in a handler, behind a session and a cache. */
  async function inHandler(run: (edge: EdgeVariables["edge"]) => unknown): Promise<unknown> {
    let error: unknown;
    const { edge: middleware } = edgeInRedis();
    const app = new Hono<EdgeEnv>().use(middleware({ session: "optional", cache: {} }));
    app.get("/", async (c) => {
      error = await errorOf(() => run(c.var.edge));
      return c.text("fine");
    });
    await app.request("/", { headers: FROM }, {}, executionContext().context);
    return error;
  }
  const good = { limit: 5, window: "1 m" };

  it.each<[place: string, options: unknown[]]>([
    ["limit", NO_OBJECTS],
    ["limit: limit", [undefined, ...NO_COUNTS, 1.5, 2 ** 60].map((limit) => ({ ...good, limit }))],
    ["limit: window", [undefined, ...NO_TEXTS, "", "1", "0 s", "1 x"].map((window) => ({ ...good, window }))],
    ["limit: cost", [...NO_COUNTS, 1.5].map((cost) => ({ ...good, cost }))],
    ["limit: name", [...NO_TEXTS, "", "a b", "x".repeat(65), "é"].map((name) => ({ ...good, name }))],
    [
      "limit: algorithm",
      [...NO_TEXTS, "", "nope", "constructor", "__proto__", "Fixed-Window"].map((algorithm) => ({
        ...good,
        algorithm,
      })),
    ],
    ["limit: refill", [1, 0, null, "1", Number.NaN].map((refill) => ({ ...good, refill }))],
    [
      "limit: refill",
      [undefined, ...NO_COUNTS].map((refill) => ({ ...good, algorithm: "token-bucket", refill })),
    ],
    [
      "limit: onStoreFailure",
      [...NO_TEXTS, "", "fail"].map((onStoreFailure) => ({ ...good, onStoreFailure })),
    ],
    ["limit: by", [{ ...good, by: "address" }]],
    ["limit: lease", [{ ...good, lease: 1 }]],
    [
      "limit: nope",
      [
        { ...good, nope: 1 },
        { ...good, nope: null },
      ],
    ],
  ])("limiter.limit() names %s", async (place, many) => {
    for (const options of many)
      expectIssue(await inHandler(({ limiter }) => limiter.limit("ada", options as never)), place, place);
  });

  it("limiter.limit() takes undefined for what may be left out", async () => {
    const { name, algorithm, cost, refill, onStoreFailure } = {} as Record<string, never>;
    const options = { ...good, name, algorithm, cost, refill, onStoreFailure } as never;
    expect(await inHandler(({ limiter }) => limiter.limit("ada", options))).toBeNull();
  });

  it.each<[place: string, settings: unknown[]]>([
    ["values", NO_OBJECTS],
    ["values: ttl", [...NO_COUNTS, Number.POSITIVE_INFINITY, 1e300].map((ttl) => ({ ttl }))],
    ["values: ttlSeconds", [{ ttlSeconds: 5 }]],
  ])("values.set() and getOrSet() name %s", async (place, many) => {
    for (const settings of many) {
      expectIssue(await inHandler(({ values }) => values.set("a", 1, settings as never)), place, "set");
      const make = vi.fn(() => 1);
      expectIssue(
        await inHandler(({ values }) => values.getOrSet("a", make, settings as never)),
        place,
        "getOrSet",
      );
      expect(make, "nothing is made that cannot be kept").not.toHaveBeenCalled();
    }
  });

  it.each<[place: string, input: unknown[]]>([
    ["sessions.create", NO_OBJECTS],
    [
      "sessions.create: userId",
      [undefined, ...NO_TEXTS, "", ".", "..", "\ud800"].map((userId) => ({ userId })),
    ],
    ["sessions.create: userId", [{ userId: "x".repeat(4000) }]],
    [
      "sessions.create: tier",
      [5, {}, [], true, Number.NaN, "\udc00"].map((tier) => ({ userId: "ada", tier })),
    ],
    ["sessions.create: ipAddress", [5, {}, [], true].map((ipAddress) => ({ userId: "ada", ipAddress }))],
    ["sessions.create: ttlSeconds", NO_COUNTS.map((ttlSeconds) => ({ userId: "ada", ttlSeconds }))],
    ["sessions.create: user_id", [{ userId: "ada", user_id: "ada" }]],
    ["sessions.create: userData", NO_JSON.map((userData) => ({ userId: "ada", userData }))],
    ["sessions.create: deviceInfo", NO_JSON.map((deviceInfo) => ({ userId: "ada", deviceInfo }))],
  ])("sessions.create() names %s, and shows no value", async (place, many) => {
    for (const input of many) {
      const error = await inHandler(({ sessions }) => sessions.create(input as never));
      expectIssue(error, place, place);
      expect((error as Error).message).not.toMatch(/ada|xxxx/);
    }
  });
});

describe("a handler's session in a place where another form of it belongs", () => {
  type Handed = { edge: EdgeVariables["edge"]; session: ActiveSession };
  /** Runs it in a handler whose request has a session. @returns what it threw, and whether the session lives on. */
  async function withSession(run: (handed: Handed) => unknown) {
    const { session } = edgeInRedis();
    const app = new Hono<EdgeEnv>();
    let error: unknown;
    app.post("/login", session("optional"), async (c) =>
      c.text((await c.var.edge.sessions.create({ userId: "ada" })).token),
    );
    app.get("/run", session("required"), async (c) => {
      error = await errorOf(() => run({ edge: c.var.edge, session: c.var.session as ActiveSession }));
      return c.text("fine");
    });
    app.get("/", session("required"), (c) => c.text("fine"));
    const ask = async (path: string, method: string, token = "") =>
      app.request(
        path,
        { method, headers: { ...FROM, ...(token && { authorization: `Bearer ${token}` }) } },
        {},
        executionContext().context,
      );
    const token = await (await ask("/login", "POST")).text();
    await ask("/run", "GET", token);
    return { error, lives: (await ask("/", "GET", token)).status === 200 };
  }

  it.each<[place: string, call: (handed: Handed) => unknown]>([
    ["sessions.delete", ({ edge, session }) => edge.sessions.delete(session as never)],
    ["sessions.delete", ({ edge, session }) => edge.sessions.delete(session.record as never)],
    [
      "sessions.delete",
      ({ edge, session }) => edge.sessions.delete({ userId: session.claims.userId } as never),
    ],
    ["sessions.delete", ({ edge }) => edge.sessions.delete(5 as never)],
    ["sessions.delete", ({ edge }) => edge.sessions.delete(Promise.resolve("a") as never)],
    ["sessions.rotate", ({ edge, session }) => edge.sessions.rotate(session.claims as never)],
    ["sessions.rotate", ({ edge, session }) => edge.sessions.rotate(session.claims.id as never)],
    ["sessions.rotate", ({ edge }) => edge.sessions.rotate(null as never)],
    [
      "sessions.create: replaced",
      ({ edge, session }) => edge.sessions.create({ userId: "ada" }, session as never),
    ],
    [
      "sessions.create: replaced",
      ({ edge, session }) => edge.sessions.create({ userId: "ada" }, session.claims.id as never),
    ],
    ["sessions.get", ({ edge, session }) => edge.sessions.get(session.claims as never)],
    ["sessions.touch", ({ edge, session }) => edge.sessions.touch(session as never)],
  ])("%s is told which one, and shows no value: %s", async (place, call) => {
    const { error, lives } = await withSession(call);
    expectIssue(error, place, place);
    expect((error as Error).message).not.toContain("ada");
    expect(lives, "nothing is done by halves").toBe(true);
  });

  it.each<[what: string, call: (handed: Handed) => Promise<unknown>, result: unknown]>([
    ["the end of none", ({ edge }) => edge.sessions.delete(undefined as never), "missing"],
    ["the end of null", ({ edge }) => edge.sessions.delete(null as never), "missing"],
    ["a look at none", ({ edge }) => edge.sessions.get(undefined as never), { kind: "missing" }],
    ["a touch of none", ({ edge }) => edge.sessions.touch(undefined as never), false],
  ])("%s, as of a request without a session, is no error", async (_, call, result) => {
    let found: unknown;
    const { error } = await withSession(async (handed) => {
      found = await call(handed);
    });
    expect([error, found]).toEqual([null, result]);
  });

  it.each<[what: string, call: (handed: Handed) => Promise<unknown>]>([
    ["a value that was not awaited", ({ edge }) => edge.values.set("n", Promise.resolve(1))],
    [
      "an identity that was not awaited",
      ({ edge }) => edge.limiter.limit(Promise.resolve("a") as never, { limit: 1, window: "1 m" }),
    ],
    [
      "an identity that is a map",
      ({ edge }) => edge.limiter.limit(new Map() as never, { limit: 1, window: "1 m" }),
    ],
  ])("%s is an error: everybody would share it", async (_, call) => {
    expect((await withSession(call)).error).toBeInstanceOf(Error);
  });
});

const connection = { url: "https://x.upstash.io", token: "secret-token" };
it.each<[place: string, options: unknown[]]>([
  ["createRequester", NO_OBJECTS],
  [
    "createRequester: url",
    [undefined, ...NO_TEXTS, "", "x", "redis://x", "//x", "https://"].map((url) => ({ ...connection, url })),
  ],
  [
    "createRequester: token",
    [undefined, ...NO_TEXTS, "", " ", "a b", "é"].map((token) => ({ ...connection, token })),
  ],
  [
    "createRequester: deadlineMs",
    [...NO_COUNTS, 1e300, Number.POSITIVE_INFINITY].map((deadlineMs) => ({ ...connection, deadlineMs })),
  ],
  ["createRequester: deadline", [{ ...connection, deadline: 5 }]],
])("createRequester() names %s, and shows no secret", async (place, many) => {
  for (const options of many) {
    const error = await errorOf(() => createRequester(options as never));
    expectIssue(error, place, place);
    expect((error as Error).message).not.toMatch(/secret-token|x\.upstash/);
  }
});
