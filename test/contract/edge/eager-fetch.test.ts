import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { cacheable, gatedEdge, settle } from "../../support/edge/gated-edge.ts";
import { printedLines } from "../../support/printed.ts";
import { until } from "../../support/until.ts";

/** Routes with `originFetch: "eager"`, over the whole pipeline and a real Redis, with the requests that the origin is sent. */

const limits = [{ name: "w", limit: 5, window: "1 h" }] as const;
const cache = { ttl: 600, scope: "shared" } as const;
const eager = { path: "/v1/*", originFetch: "eager" } as const;

printedLines();

const open = (
  route: Omit<RouteInput, "path"> = { cache },
  options: Partial<Parameters<typeof gatedEdge>[0]> = {},
) => gatedEdge({ routes: [{ ...eager, ...route }], ...options });

describe("the origin is asked at the same moment as Redis", () => {
  it.each<[what: string, route: Omit<RouteInput, "path">, method: string]>([
    ["a cached route", { cache }, "GET"],
    ["a cached route with limits", { cache, limits: [...limits] }, "GET"],
    ["a route with limits alone", { limits: [...limits] }, "GET"],
    ["a HEAD", { cache, limits: [...limits] }, "HEAD"],
    ["a route that says public", { access: "public", limits: [...limits], onStoreFailure: "open" }, "GET"],
  ])("%s", async (_, route, method) => {
    const edge = open(route);
    const release = edge.hold("store");
    const asking = edge.ask("/v1/x", { method });
    await until(() => edge.calls.length === 1);
    expect(edge.state.storeCalls).toBe(1);
    release();
    const { status, log } = await asking;
    expect({ status, eager: log?.eager, store_calls: log?.store_calls }).toMatchObject({
      status: 200,
      eager: "used",
    });
    expect(edge.calls, "asked once").toHaveLength(1);
  });

  it.each<[what: string, route: Omit<RouteInput, "path">, init: RequestInit, env?: Record<string, string>]>([
    ["without the option", { cache, originFetch: undefined }, {}],
    ["a POST", { limits: [...limits] }, { method: "POST", body: "a" }],
    ["with a key", { cache }, { headers: { "x-api-key": "made-up" } }],
    ["with a credential that only the origin reads", { cache }, { headers: { "x-auth-token": "a" } }],
    ["with a credential in the query", { cache }, {}],
    ["with a cookie", { cache }, { headers: { cookie: "sid=1" } }],
    ["with a condition", { cache }, { headers: { "if-none-match": '"a"' } }],
    ["with a range", { cache }, { headers: { range: "bytes=0-1" } }],
    ["under observe", { cache, limits: [...limits] }, {}, { EDGE_MODE: "observe" }],
    ["who wants a stored answer only", { cache }, { headers: { "cache-control": "only-if-cached" } }],
  ])("and not %s", async (what, route, init, env = {}) => {
    const edge = open(route, { env });
    const release = edge.hold("store");
    const asking = edge.ask(what.endsWith("query") ? "/v1/x?token=a" : "/v1/x", init);
    await until(() => edge.state.storeCalls === 1);
    await settle();
    expect(edge.calls).toHaveLength(0);
    release();
    expect((await asking).log?.eager).toBeUndefined();
  });

  it("with cookies that the route ignores, which the origin is not sent", async () => {
    const edge = open({ cache: { ...cache, ignoreCookies: ["_ga*"] } });
    const { log } = await edge.ask("/v1/x", { headers: { cookie: "_ga=1" } });
    expect(log?.eager).toBe("used");
    expect(edge.calls[0]?.headers.has("cookie")).toBe(false);
  });

  it("not where the isolate has the answer, and with its own validators where that is stale", async () => {
    const edge = open(
      { cache, limits: [{ name: "w", limit: 100, window: "1 h" }] },
      {
        answer: ({ headers }) =>
          headers.get("if-none-match") === '"one"'
            ? new Response(null, { status: 304, headers: { etag: '"one"' } })
            : cacheable("one", { etag: '"one"', "cache-control": "max-age=60" }),
      },
    );
    await edge.ask("/v1/x");
    const hit = await edge.ask("/v1/x");
    expect([hit.word, hit.log?.eager, edge.calls.length]).toEqual(["HIT", undefined, 1]);
    edge.platform.advance(61_000);
    const validated = await edge.ask("/v1/x");
    expect([validated.word, validated.log?.eager, validated.text]).toEqual(["REVALIDATED", "used", "one"]);
    expect(edge.calls.map(({ headers }) => headers.get("if-none-match"))).toEqual([null, '"one"']);
  });
});

describe("what is not needed is given up", () => {
  it("100 hits in Redis, one after the other, waste 21 requests to the origin", async () => {
    const edge = open();
    for (let n = 0; n < 100; n += 1) await edge.ask(`/v1/x?n=${n}`);
    expect(edge.calls).toHaveLength(100);
    const used: unknown[] = [];
    for (let n = 0; n < 100; n += 1) {
      const { word, log } = await edge.ask(`/v1/x?n=${n}`, { isolate: 1 });
      expect(word).toBe("HIT");
      used.push(log?.eager);
    }
    expect(edge.calls).toHaveLength(121);
    expect(used).toEqual([...Array(21).fill("wasted"), ...Array(79).fill(undefined)]);
    expect(edge.calls.slice(100).every(({ aborted, body }) => aborted && body !== "read")).toBe(true);
  });

  it("100 hits in Redis, all at once, waste 21", async () => {
    const edge = open();
    for (let n = 0; n < 100; n += 1) await edge.ask(`/v1/x?n=${n}`);
    const release = edge.hold("store");
    const asking = Array.from({ length: 100 }, (_, n) => edge.ask(`/v1/x?n=${n}`, { isolate: 1 }));
    await until(() => edge.calls.length >= 121, "the origin is asked as often as it may be");
    await settle();
    release();
    const words = (await Promise.all(asking)).map(({ word }) => word);
    expect(new Set(words)).toEqual(new Set(["HIT"]));
    expect(edge.calls).toHaveLength(121);
  });

  it("begins anew after a minute", async () => {
    const edge = open();
    for (let n = 0; n < 30; n += 1) await edge.ask(`/v1/x?n=${n}`);
    for (let n = 0; n < 30; n += 1) await edge.ask(`/v1/x?n=${n}`, { isolate: 1 });
    expect((await edge.ask("/v1/new", { isolate: 1 })).log?.eager).toBeUndefined();
    edge.platform.advance(60_000);
    expect((await edge.ask("/v1/newer", { isolate: 1 })).log?.eager).toBe("used");
  });

  it.each<[what: string, atOnce: boolean]>([
    ["one after the other", false],
    ["all at once", true],
  ])("a denied caller's 300 queries cost one request to the origin: %s", async (_, atOnce) => {
    const edge = open({ cache, limits: [...limits] });
    // Another isolate has used the limit up: this one has never seen the caller.
    for (let n = 0; n < 5; n += 1) await edge.ask(`/v1/x?own=${n}`);
    const before = edge.calls.length;
    const release = edge.hold("store");
    const asking: ReturnType<typeof edge.ask>[] = [];
    if (!atOnce) release();
    for (let n = 0; n < 300; n += 1) {
      asking.push(edge.ask(`/v1/x?n=${n}`, { isolate: 1 }));
      if (!atOnce) await asking.at(-1);
    }
    if (atOnce) await until(() => edge.calls.length > before, "the origin is asked");
    await settle();
    release();
    const answers = await Promise.all(asking);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([429]));
    expect(edge.calls.slice(before)).toHaveLength(1);
    expect(edge.calls.at(-1)).toMatchObject({ aborted: true });
    expect(edge.calls.at(-1)?.body).not.toBe("read");
  });

  it("a caller with two requests left has two unanswered at most", async () => {
    const edge = open({ limits: [...limits] });
    for (let n = 0; n < 3; n += 1) await edge.ask(`/v1/x?own=${n}`);
    const release = edge.hold("store");
    const asking = Array.from({ length: 50 }, (_, n) => edge.ask(`/v1/x?n=${n}`));
    await until(() => edge.calls.length >= 5, "both have asked the origin");
    await settle();
    expect(edge.calls).toHaveLength(5);
    release();
    const statuses = (await Promise.all(asking)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(2);
  });

  it.each<[what: string, route: Omit<RouteInput, "path">, env: Record<string, string>]>([
    ["on the deny list", { cache, limits: [...limits] }, { DENY_LIST: "192.0.2.0/24" }],
    ["blocked", { cache, limits: [{ ...limits[0], limit: 1 }] }, {}],
  ])("a caller who is %s has nothing asked", async (what, route, env) => {
    const edge = open(route, { env });
    if (what === "blocked") for (let n = 0; n < 2; n += 1) await edge.ask(`/v1/x?own=${n}`);
    const before = edge.calls.length;
    for (let n = 0; n < 20; n += 1) {
      const { status, log } = await edge.ask(`/v1/x?n=${n}`);
      expect([429, 403]).toContain(status);
      expect(log).toMatchObject({ store_calls: 0 });
      expect(log?.eager).toBeUndefined();
    }
    expect(edge.calls).toHaveLength(before);
  });

  it("says nothing of a given-up fetch as if the origin had failed", async () => {
    const edge = open();
    await edge.ask("/v1/x");
    const letOrigin = edge.hold("origin");
    expect((await edge.ask("/v1/x", { isolate: 1 })).word).toBe("HIT");
    letOrigin();
    await settle();
    expect(edge.events.filter(({ event }) => event === "origin.failed")).toEqual([]);
    expect(edge.events.filter(({ event }) => event.endsWith("failed"))).toEqual([]);
  });

  it("is not in waitUntil before it is adopted", async () => {
    const edge = open();
    const letStore = edge.hold("store");
    const letOrigin = edge.hold("origin");
    const asking = edge.ask("/v1/x");
    await until(() => edge.calls.length === 1);
    await settle();
    expect(edge.background.size).toBe(0);
    letStore();
    await until(() => edge.background.size > 0);
    letOrigin();
    expect((await asking).status).toBe(200);
  });
});
