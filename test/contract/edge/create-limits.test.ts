import { Hono } from "hono";
import { describe, expect, inject, it } from "vitest";
import type { LimitInput } from "../../../src/config/route.ts";
import { createEdge } from "../../../src/create-edge.ts";
import { type CreateLimitsOptions, createLimits, type LimitsEnv } from "../../../src/create-limits.ts";
import { LONG_DEADLINE_MS } from "../../support/edge/hono-app.ts";
import { freshPrefix } from "../../support/limits.ts";
import { printedLines } from "../../support/printed.ts";

const redis = { url: inject("upstashUrl"), token: inject("upstashToken") };

const log = printedLines();

/** What three requests are told: status, fields and what the handler knew. */
async function ask(create: typeof createLimits, options: CreateLimitsOptions, limits: LimitInput[]) {
  const { rateLimit } = create({ logLevel: "error", storeDeadlineMs: LONG_DEADLINE_MS, ...options });
  const app = new Hono<LimitsEnv>();
  app.use("*", rateLimit(limits));
  app.get("*", (c) => c.json({ limits: c.var.rateLimit?.kind }, 200, { "x-own": "1" }));
  const told: object[] = [];
  for (const address of ["192.0.2.7", "192.0.2.7", "198.51.100.9"]) {
    const response = await app.request("/a", { headers: { "cf-connecting-ip": address } });
    const fields = [...response.headers].filter(([name]) => !/^x-(request-id|ratelimit-reset)$/.test(name));
    const { request_id: _, ...body } = (await response.json()) as Record<string, unknown>;
    told.push({ status: response.status, fields: fields.map(withoutTime), body: withoutTime(body) });
  }
  return told;
}

const TIMES = /(?<=t=)\d+|(?<=in )\d+(?= s)|(?<="retry_after":)\d+|(?<="retry-after",")\d+/g;
const withoutTime = (value: object) => JSON.parse(JSON.stringify(value).replace(TIMES, "0")) as object;

const day = { name: "d", limit: 1, window: "1 d" } as const;

describe("limits alone do what createEdge() does", () => {
  it.each<[what: string, options: CreateLimitsOptions, limits: LimitInput[]]>([
    ["in the isolate", {}, [day]],
    ["in Redis", { redis }, [day]],
    ["in Redis, several at once", { redis }, [day, { name: "m", limit: 5, window: "1 m" }]],
    ["with a fixed window", { redis }, [{ ...day, algorithm: "fixed-window" }]],
    ["with a sliding log", { redis }, [{ ...day, algorithm: "sliding-log" }]],
    [
      "with a token bucket",
      { redis },
      [{ name: "b", algorithm: "token-bucket", capacity: 1, refill: 1, window: "1 d" }],
    ],
    ["with a cost", { redis }, [{ ...day, limit: 3, cost: 2 }]],
    ["in shadow", { redis }, [{ ...day, shadow: true }]],
    ["that are observed", { redis, mode: "observe" }, [day]],
    ["that are switched off", { redis, mode: "bypass" }, [day]],
    ["for whom is denied", { limits: { deny: ["192.0.2.0/24"] } }, [day]],
    ["for whom is allowed", { limits: { allow: ["192.0.2.7"] } }, [day]],
    ["with an identity secret", { redis, secrets: { identity: "a-secret-of-this-test-only" } }, [day]],
    ["where Redis is lost", { redis: { url: "http://127.0.0.1:1", token: "t" } }, [day]],
  ])("%s", async (_, options, limits) => {
    const own = () => ({ ...options, limits: { ...options.limits, prefix: `{${freshPrefix()}}` } });
    const whole = await ask(createEdge as unknown as typeof createLimits, own(), limits);
    expect(whole.length).toBe(3);
    expect(await ask(createLimits, own(), limits)).toEqual(whole);
  });

  it("and share its counts: an app that begins with limits alone goes on with them", async () => {
    const limits = { prefix: `{${freshPrefix()}}` };
    const [first] = await ask(createLimits, { redis, limits }, [day]);
    const [second] = await ask(createEdge as unknown as typeof createLimits, { redis, limits }, [day]);
    expect([first, second]).toMatchObject([{ status: 200 }, { status: 429 }]);
  });
});

it.each<[string, (options?: object) => unknown]>([
  ["createLimits()", createLimits],
  ["createEdge()", createEdge],
])("%s says nothing before a request: the Worker's variables are not there yet", async (_what, create) => {
  for (const options of [undefined, {}, { redis }, { storeDeadlineMs: 300 }, { limits: { ipv6Prefix: 56 } }])
    create(options);
  const { rateLimit } = create({ limits: { prefix: `{${freshPrefix()}}` } }) as ReturnType<typeof createEdge>;
  const app = new Hono().use(rateLimit([day]) as never);
  expect(log).toEqual([]);
  const env = { UPSTASH_REDIS_REST_URL: redis.url, UPSTASH_REDIS_REST_TOKEN: redis.token };
  await app.request("/", { headers: { "cf-connecting-ip": "192.0.2.9" } }, env);
  expect(log.filter((line) => line.includes("store.absent"))).toEqual([]);
});

it("limits alone have keys, tiers and answers of the app's own", async () => {
  const { rateLimit } = createLimits({ logLevel: "error" });
  const app = new Hono<LimitsEnv>();
  const limits = rateLimit({
    limits: [day],
    tiers: { gold: [{ ...day, limit: 2 }] },
    key: (c) => c.req.query("tenant"),
    tier: (c) => c.req.query("plan"),
    onLimited: (c, { retryAfterSeconds }) => c.text(`in ${Number(retryAfterSeconds) > 0}`, 429),
  });
  app.get("/", limits, (c) => c.text("fine"));
  const texts: string[] = [];
  for (const query of ["tenant=a", "tenant=a", "tenant=b", "tenant=c&plan=gold", "tenant=c&plan=gold"])
    texts.push(await (await app.request(`/?${query}`)).text());
  expect(texts).toEqual(["fine", "in true", "fine", "fine", "fine"]);
});

it.each<[what: string, options: object, message: RegExp]>([
  ["sessions", { sessions: { idleSeconds: 60 } }, /createLimits: sessions: .*or use createEdge\(\)/],
  ["API keys", { apiKeys: [{ key: "0123456789abcdef", name: "a" }] }, /createLimits: apiKeys: .*createEdge/],
  ["a session secret", { secrets: { session: "x".repeat(32) } }, /createLimits: secrets\.session/],
  ["an option that there is none of", { redsi: 1 }, /createLimits: redsi: found a key that does not exist/],
  ["a wrong level", { logLevel: "loud" }, /createLimits: logLevel \(LOG_LEVEL\): found "loud"/],
  [
    "half an address",
    { redis: { url: "https://x.upstash.io" } },
    /createLimits: redis\.token: found nothing/,
  ],
  ["a list entry that is none", { limits: { deny: ["somebody"] } }, /createLimits: limits\.deny/],
  [
    "a denied user",
    { limits: { deny: ["192.0.2.7", "user:ada"] } },
    /createLimits: limits\.deny.*createEdge/,
  ],
  ["a denied key", { limits: { deny: [`key:${"0".repeat(32)}`] } }, /createLimits: limits\.deny.*createEdge/],
  ["no address", { redis: { url: "x", token: "t" } }, /createLimits: redis\.url/],
])("%s is an error before the first request", (_, options, message) => {
  expect(() => createLimits(options as CreateLimitsOptions)).toThrow(message);
});

it("a limit that is none, of a tier too, is a 500 that the log explains", async () => {
  for (const [list, more] of [
    [[{ name: "a b", limit: 0, window: "1 x" }], {}],
    [[day], { tiers: { gold: [{ ...day, cost: 0 }] } }],
  ] as const) {
    const { rateLimit } = createLimits();
    const app = new Hono().use(rateLimit(list as never, more as object));
    expect((await app.request("/")).status).toBe(500);
  }
  for (const place of ["limits[0].name", "limits[0].limit", "limits[0].window", "tiers.gold[0].cost"])
    expect(log.join()).toContain(place);
});

it("sessions and values are an error for a handler that asks for them all the same", async () => {
  const { rateLimit } = createLimits();
  const app = new Hono().use(rateLimit([day]));
  app.get("/", (c) => {
    const { sessions } = c.get("edge" as never) as { sessions: { get(id: string): unknown } };
    expect(() => sessions.get("x")).toThrow("use createEdge()");
    return c.text("fine");
  });
  expect((await app.request("/")).status).toBe(200);
});
