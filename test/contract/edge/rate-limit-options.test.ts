import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { validator } from "hono/validator";
import { describe, expect, it, vi } from "vitest";
import { createEdge } from "../../../src/create-edge.ts";
import type { LimitedInfo, LimitingOptions, MiddlewareLimit } from "../../../src/middleware/options.ts";
import type { EdgeEnv } from "../../../src/middleware.ts";
import { edgeInRedis, executionContext, FROM, sign } from "../../support/edge/hono-app.ts";
import { printedLines } from "../../support/printed.ts";

const two: MiddlewareLimit = { name: "w", limit: 2, window: "1 d" };

const log = printedLines();

type Ask = Record<string, string>;

/** An app whose one route has these limits, and the signs of its answers to requests with these fields. */
function limited(options: LimitingOptions) {
  const edge = edgeInRedis();
  const app = new Hono<EdgeEnv>();
  app.use(edge.rateLimit({ limits: [two], ...options }));
  app.get("*", (c) => c.text("fine"));
  const ask = (fields: Ask = {}) =>
    app.request("/", { headers: { ...FROM, ...fields } }, {}, executionContext().context);
  const signs = async (...requests: Ask[]) => {
    let all = "";
    for (const fields of requests) all += sign(await ask(fields));
    return all;
  };
  return { ...edge, ask, signs };
}

const byField = (name: string) => (c: Context) => c.req.header(name);
const from = (address: string) => ({ "cf-connecting-ip": address });
const tenant = (name: string) => ({ "x-tenant": name });

describe("a key", () => {
  it("counts for itself, from whatever address", async () => {
    const { signs } = limited({ key: byField("x-tenant") });
    const a = (address: string) => ({ ...tenant("a"), ...from(address) });
    expect(await signs(a("192.0.2.1"), a("192.0.2.2"), a("192.0.2.3"), tenant("b"))).toBe("++-+");
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["an empty text", ""],
    ["blanks", " \t"],
    ["NaN", Number.NaN],
    ["a template of nothing", `${undefined}`],
    ["String(null)", "null"],
    ["String({})", "[object Object]"],
    ["an empty list", []],
    ["a list of nothing", [undefined, ""]],
    ["a promise of nothing", Promise.resolve(undefined)],
  ])(
    "of %s is nobody's: the caller's own identity counts, and others are not in its bucket",
    async (_what, key) => {
      const { signs } = limited({ key: () => key as string });
      const one = from("192.0.2.1");
      expect(await signs(one, one, one, from("192.0.2.2"))).toBe("++-+");
    },
  );

  it.each<[string, () => unknown, string]>([
    ["a number", () => 7, "++-"],
    ["0", () => 0, "++-"],
    ["a bigint", () => 7n, "++-"],
    ["a promise", async () => "a", "++-"],
    ["a text of 200,000 characters", () => "x".repeat(200_000), "++-"],
    ["lone surrogates, NUL and emoji", () => "\ud800\0😀{a}:*", "++-"],
    ["the name of a member of Object.prototype", () => "__proto__", "++-"],
  ])("may be %s", async (_what, key, expected) => {
    const { signs } = limited({ key: key as () => string });
    expect(await signs(from("192.0.2.1"), from("192.0.2.2"), from("192.0.2.3"))).toBe(expected);
  });

  it("is compared to its last character, and case and blanks count", async () => {
    const long = "x".repeat(100_000);
    const { signs } = limited({ key: (c) => (c.req.header("x-tenant") ?? "").replace("LONG", long) });
    const names = ["LONGa", "LONGb", "acme", "Acme", "LONGa", "LONGb", "acme"];
    expect(await signs(...names.map(tenant), ...names.slice(0, 2).map(tenant))).toBe("+++++++--");
  });

  it.each<[string, unknown, string]>([
    ["an object", { id: 7 }, "an object"],
    ["a boolean", true, "a boolean"],
    ["a function", () => "a", "a function"],
    ["a symbol", Symbol("secret"), "a symbol"],
    ["a list in a list", [["a"]], "a list"],
    ["nine keys", [..."abcdefghi"], "9 keys"],
  ])("that is %s is a configuration error, which shows no value", async (_what, key, found) => {
    const { ask } = limited({ key: () => key as string });
    const answer = await ask();
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([500, "CONFIG_ERROR"]);
    expect(log.join("\n")).toContain(`rateLimit: key: found ${found}`);
    expect(log.join("\n")).not.toContain('secret"');
  });

  it("in a list counts beside the others: neither the tenant's nor the user's count is passed", async () => {
    const { signs } = limited({ key: (c) => [c.req.header("x-tenant"), c.req.header("x-user")] });
    const by = (name: string, user: string) => ({ ...tenant(name), "x-user": user });
    expect(await signs(by("a", "1"), by("a", "2"), by("a", "3"), by("b", "1"), by("b", "1"))).toBe("++-+-");
  });

  it("of one place is no key of another: tenant 7 and user 7 are two", async () => {
    const { signs } = limited({ key: (c) => [c.req.header("x-tenant"), c.req.header("x-user")] });
    expect(
      await signs(
        { "x-tenant": "7", "x-user": "1" },
        { "x-tenant": "7", "x-user": "2" },
        { "x-tenant": "1", "x-user": "7" },
      ),
    ).toBe("+++");
  });

  it("by name is what a limit's `by` chooses; others count all keys, the caller or the address", async () => {
    const { ask } = limited({
      key: { tenant: byField("x-tenant"), user: byField("x-user") },
      limits: [
        { name: "tenant", limit: 3, window: "1 d", by: "tenant" },
        { name: "user", limit: 2, window: "1 d", by: "user" },
        { name: "address", limit: 9, window: "1 d", by: "address" },
        { name: "caller", limit: 10, window: "1 d", by: "caller" },
        { name: "all", limit: 20, window: "1 d" },
      ],
    });
    const asked = [];
    for (const user of ["1", "1", "1", "2", "3"]) {
      const answer = await ask({ ...tenant("a"), "x-user": user });
      asked.push(
        [answer.status, ...(answer.headers.get("ratelimit") ?? "").matchAll(/"(\w+)";r=(\d+)/g)].map(String),
      );
    }
    expect(asked[0]).toEqual([
      "200",
      ...['"tenant";r=2,tenant,2', '"user";r=1,user,1', '"address";r=8,address,8', '"caller";r=9,caller,9'],
      '"all";r=19,all,19',
    ]);
    expect(asked.map(([status]) => status)).toEqual(["200", "200", "429", "200", "429"]);
  });

  it.each<[string, LimitingOptions["key"]]>([
    ["where there is another", { user: () => "1" }],
    ["where there is one function", () => "1"],
    ["where there is none", undefined],
  ])("that a limit names and that is not there is a configuration error (%s)", async (_where, key) => {
    const { ask } = limited({ ...(key && { key }), limits: [{ ...two, by: "tenant" }] });
    expect((await ask()).status).toBe(500);
    expect(log.join("\n")).toContain('rateLimit: limits: by: found \\"tenant\\"');
  });

  const of = (name: string, more = {}) => ({ key: { [name]: () => "1", ...more } });
  it.each<[string, object, string]>([
    [
      "address, which `by` has already",
      { ...of("address"), limits: [{ ...two, by: "address" }] },
      "key.address",
    ],
    [
      "address beside another",
      { ...of("address", { tenant: () => "a" }), limits: [{ ...two, by: "address" }] },
      "key.address",
    ],
    ["address that no limit names", of("address"), "key.address"],
    [
      "address that a limit of a tier names",
      { ...of("address"), tiers: { pro: [{ ...two, by: "address" }] } },
      "key.address",
    ],
    ["caller", { ...of("caller"), limits: [{ ...two, by: "caller" }] }, "key.caller"],
    ["caller behind another", { key: { tenant: () => "a", caller: () => "b" } }, "key.caller"],
    ["address of requests that are skipped", { ...of("address"), skip: () => true }, "key.address"],
    ["address that is no function", { key: { address: "x-forwarded-for" } }, "key.address"],
    ["tenant that is a text", { key: { tenant: "x-tenant" } }, "key.tenant"],
    ["tenant that is undefined", { key: { tenant: undefined } }, "key.tenant"],
  ])("of the name %s is a configuration error that says where", async (_what, options, place) => {
    const { ask } = limited(options as LimitingOptions);
    expect((await ask()).status).toBe(500);
    expect(log.join("\n")).toContain(`rateLimit: ${place}: found `);
  });

  it.each(["Address", "addresses", "constructor", "__proto__x", "callers", "by"])(
    "may have the name %s",
    async (name) => {
      const { signs } = limited({ ...of(name), limits: [{ ...two, by: name }] });
      expect(await signs(from("192.0.2.1"), from("192.0.2.2"), from("192.0.2.3"))).toBe("++-");
    },
  );

  it("of a shared limit counts once over two middlewares, without Redis and without a secret too", async () => {
    const { rateLimit, edge } = createEdge();
    const options = { limits: [{ ...two, shared: true }], key: byField("x-tenant") };
    const app = new Hono<EdgeEnv>();
    app.use("/a", rateLimit(options));
    app.use("/b", edge({ ...options, session: "optional" }));
    app.get("*", (c) => c.text("fine"));
    const signs = [];
    for (const path of ["/a", "/b", "/a", "/b"])
      signs.push(sign(await app.request(path, { headers: { ...FROM, ...tenant("a") } })));
    expect(signs.join("")).toBe("++--");
  });

  it("is read from a body that a validator has read, and the handler reads it again", async () => {
    const { rateLimit } = edgeInRedis();
    const app = new Hono();
    app.post(
      "/",
      validator("json", (value: { tenant?: string }) => value),
      rateLimit({ limits: [two], key: (c) => c.req.valid("json").tenant }),
      async (c) => c.json({ valid: c.req.valid("json").tenant, again: await c.req.json<unknown>() }),
    );
    const post = (name: string) =>
      app.request("/", {
        method: "POST",
        headers: { ...FROM, "content-type": "application/json" },
        body: JSON.stringify({ tenant: name }),
      });
    expect(await (await post("a")).json()).toEqual({ valid: "a", again: { tenant: "a" } });
    expect([sign(await post("a")), sign(await post("a")), sign(await post("b"))].join("")).toBe("+-+");
  });

  it("stands nowhere in clear: not in Redis, the log, the events or the answer", async () => {
    const { ask, signs, events } = limited({ key: byField("x-tenant") });
    const answer = await ask(tenant("tenant-in-clear"));
    await signs(tenant("tenant-in-clear"), tenant("tenant-in-clear"));
    const told = [JSON.stringify([...answer.headers]), JSON.stringify(events), log.join("\n")].join("\n");
    expect(told).toContain("rate_limit_exceeded");
    expect(told).not.toContain("tenant-in-clear");
  });
});

describe("what a function of the app throws", () => {
  const failing = () => {
    throw new HTTPException(400, { message: "no tenant" });
  };
  it.each<[string, LimitingOptions]>([
    ["key", { key: failing }],
    ["skip", { skip: failing }],
    ["cost", { cost: failing }],
    ["tier", { tier: failing }],
    ["a promise of a key", { key: async () => failing() }],
  ])("is the app's to answer: nothing is counted, no handler runs (%s)", async (_what, options) => {
    let failed = true;
    const { rateLimit, lines } = edgeInRedis();
    const sometimes = Object.fromEntries(
      Object.entries(options).map(([name, run]) => [
        name,
        () => (failed ? (run as () => never)() : { key: "a", skip: false, cost: 1, tier: null }[name]),
      ]),
    );
    const app = new Hono();
    const handler = vi.fn((c: Context) => c.text("fine"));
    app.use(rateLimit({ limits: [two], ...sometimes }));
    app.get("*", handler);
    app.onError((error, c) => c.text(`mine: ${error.message}`, 418));
    const ask = () => app.request("/", { headers: FROM }, {}, executionContext().context);
    const answer = await ask();
    expect([answer.status, await answer.text()]).toEqual([418, "mine: no tenant"]);
    expect(answer.headers.get("x-request-id")).toBe(lines()[0]?.fields.request_id);
    expect(handler).not.toHaveBeenCalled();
    failed = false;
    expect([sign(await ask()), sign(await ask()), sign(await ask())].join("")).toBe("++-");
    expect(lines().map(({ fields }) => fields.verdict)).toEqual([
      ...["failed", "allowed", "allowed", "rate_limit_exceeded"],
    ]);
  });

  it("without onError is Hono's own answer", async () => {
    const { ask } = limited({ key: failing });
    const answer = await ask();
    expect([answer.status, await answer.text()]).toEqual([400, "no tenant"]);
  });
});

describe("cost", () => {
  const five: MiddlewareLimit = { name: "w", limit: 5, window: "1 d" };
  it.each<[number, string, number | null]>([
    [1, "+++++-", 4],
    [2, "++-", 3],
    [1.2, "++-", 3],
    [5, "+-", 0],
    [0, "++++++++", null],
    [0.001, "+++++-", 4],
  ])("of %d", async (cost, expected, remaining) => {
    const { ask } = limited({ limits: [five], cost: () => cost });
    const answers = [];
    for (let i = 0; i < expected.length; i += 1) answers.push(await ask());
    expect(answers.map(sign).join("")).toBe(expected);
    expect(answers[0]?.headers.get("x-ratelimit-remaining") ?? null).toBe(
      remaining === null ? null : `${remaining}`,
    );
  });

  const six: MiddlewareLimit = { ...five, name: "six", limit: 6 };
  const bucket: MiddlewareLimit = {
    name: "w",
    capacity: 5,
    refill: 1,
    window: "1 d",
    algorithm: "token-bucket",
  };
  /** What the requests of such costs are answered: `+`, the seconds to wait, or `never`. */
  it.each<[what: string, limits: MiddlewareLimit[], costs: number[], answers: string]>([
    ["a sliding window", [five], [6, 1, 5, 6], "never + later never"],
    ["a fixed window", [{ ...five, algorithm: "fixed-window" }], [6, 2, 3, 1, 6], "never + + later never"],
    ["an exact log", [{ ...five, algorithm: "sliding-log" }], [3, 1e9, 2, 9], "+ never + never"],
    ["a bucket", [bucket], [2, 6, 3, 1, 7], "+ never + later never"],
    ["one of two limits", [six, five], [6, 5, 6], "never + never"],
    ["one of two limits, the other way round", [five, six], [6, 6, 5], "never never +"],
    ["both of two limits", [five, six], [7], "never"],
    ["one limit, while another is full", [five, six], [5, 6, 2], "+ never later"],
    ["a limit in shadow, which refuses nobody", [{ ...five, shadow: true }], [6, 6], "+ +"],
    ["a limit in shadow beside one with room", [{ ...five, shadow: true }, six], [6, 1], "+ later"],
    ["a leased limit", [{ ...five, limit: 50, lease: 5 }], [1, 51, 50], "+ never later"],
    ["a limit ten times over", [five], [50, 51, 5], "never never +"],
    ["a fraction", [five], [5.01, 4.5], "never +"],
  ])(
    "above %s is refused without a time to wait, and counts nothing",
    async (_what, limits, costs, answers) => {
      const { ask } = limited({ limits, cost: (c) => Number(c.req.header("x-cost")) });
      const told: string[] = [];
      for (const cost of costs) {
        const answer = await ask({ "x-cost": `${cost}` });
        const body = (await answer
          .clone()
          .json()
          .catch(() => null)) as { message: string; retry_after?: number } | null;
        const wait = answer.headers.get("retry-after");
        expect(Number(wait), "one time to wait").toBe(body?.retry_after ?? 0);
        if (answer.status === 429 && wait === null) {
          expect(body).toMatchObject({
            code: "RATE_LIMIT_EXCEEDED",
            message: expect.stringMatching(/never passes/),
          });
          expect(answer.headers.get("ratelimit")).toContain(";r=");
        }
        told.push(answer.status === 200 ? "+" : wait === null ? "never" : "later");
      }
      expect(told.join(" ")).toBe(answers);
    },
  );

  it("above a limit tells onLimited that there is no time to wait, and its answer has no Retry-After", async () => {
    const infos: LimitedInfo[] = [];
    const { ask } = limited({
      limits: [five, six],
      cost: () => 6,
      onLimited: (c, info) => {
        infos.push(info);
        return c.text("too large", 422);
      },
    });
    const answer = await ask();
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([422, null]);
    expect(infos).toMatchObject([{ policy: "w", violated: ["w"], remaining: 5, retryAfterSeconds: null }]);
  });

  it.each([-1, -0.5, Number.NaN, Number.POSITIVE_INFINITY, "3", null, undefined, {}])(
    "of %s is a configuration error and gives nothing back",
    async (cost) => {
      const { ask } = limited({ cost: () => cost as number });
      expect((await ask()).status).toBe(500);
      expect(log.join("\n")).toContain("rateLimit: cost: found");
    },
  );
});

describe("skip and tier", () => {
  it("a skipped request is neither counted nor refused, has no limit fields, and costs no call", async () => {
    const { ask, signs, lines } = limited({ skip: async (c) => c.req.header("x-health") === "1" });
    expect(await signs({}, {}, {}, { "x-health": "1" }, {})).toBe("++-+-");
    const answer = await ask({ "x-health": "1" });
    expect(answer.headers.get("x-ratelimit-limit")).toBeNull();
    expect(lines().at(-1)?.fields).toMatchObject({ store_calls: 0, verdict: "allowed", limits: null });
  });

  it.each([1, "x", "false", [], {}, () => true])(
    "skip of %o, which would let everybody pass, is a configuration error",
    async (skipped) => {
      const { ask } = limited({ skip: () => skipped as boolean });
      expect((await ask()).status).toBe(500);
      expect(log.join("\n")).toContain("rateLimit: skip: found");
    },
  );

  it.each([undefined, null, false, 0, "", Number.NaN])("skip of %s skips nothing", async (skipped) => {
    const { signs } = limited({ skip: () => skipped as boolean });
    expect(await signs({}, {}, {})).toBe("++-");
  });

  it("the plan's limits hold, by key; an unknown plan has the others'", async () => {
    const { ask } = limited({
      tiers: { pro: [{ ...two, limit: 50 }], free: [{ ...two, limit: 1 }] },
      key: byField("x-tenant"),
      tier: (c) => c.req.header("x-plan"),
    });
    const limits = [];
    for (const plan of ["pro", "free", "", "enterprise", "constructor"])
      limits.push((await ask({ ...tenant(plan), "x-plan": plan })).headers.get("x-ratelimit-limit"));
    expect(limits).toEqual(["50", "1", "2", "2", "2"]);
  });
});

describe("onLimited", () => {
  it.each([200, 402, 429, 503])(
    "answers with status %d, the limit's fields and Retry-After",
    async (status) => {
      const infos: LimitedInfo[] = [];
      const { ask, signs, lines } = limited({
        onLimited(c, info) {
          infos.push(info);
          return c.json({ mine: true }, status as 200);
        },
      });
      await signs({}, {});
      const answer = await ask();
      expect([answer.status, await answer.json()]).toEqual([status, { mine: true }]);
      const fields = ["x-ratelimit-limit", "x-ratelimit-remaining", "cache-control"].map((name) =>
        answer.headers.get(name),
      );
      expect(fields).toEqual(["2", "0", "no-store"]);
      expect(answer.headers.get("ratelimit")).toMatch(/^"w";r=0;t=\d+$/);
      const [info] = infos;
      expect(info).toMatchObject({ policy: "w", limit: 2, remaining: 0, violated: ["w"] });
      expect(answer.headers.get("retry-after")).toBe(String(info?.retryAfterSeconds));
      expect(info?.resetAt).toBeGreaterThan(Date.now());
      expect(info?.requestId).toBe(answer.headers.get("x-request-id"));
      expect(lines().at(-1)?.fields).toMatchObject({ verdict: "rate_limit_exceeded", status });
    },
  );

  it("that returns nothing leaves the problem; what it throws is the app's, with the limit's fields", async () => {
    const nothing = limited({ onLimited: () => undefined as unknown as Response });
    expect(await nothing.signs({}, {}, {})).toBe("++-");
    const throwing = limited({
      onLimited() {
        throw new HTTPException(429, { message: "mine" });
      },
    });
    await throwing.signs({}, {});
    const answer = await throwing.ask();
    expect([answer.status, await answer.text()]).toEqual([429, "mine"]);
    expect(answer.headers.get("x-ratelimit-limit")).toBe("2");
  });
});
