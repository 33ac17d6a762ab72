import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { cacheable, gatedEdge, settle } from "../../support/edge/gated-edge.ts";
import { passing } from "../../support/passing.ts";
import { printedLines } from "../../support/printed.ts";
import { until } from "../../support/until.ts";

/** What an eager fetch meets on its way: others for the same URL, purges, failures of either side, and whoever wants to abuse it. */

const cache = { ttl: 600, scope: "shared" } as const;
const limited = { limits: [{ name: "w", limit: 2, window: "1 h" }] } satisfies Omit<RouteInput, "path">;

printedLines();

const open = (
  route: Omit<RouteInput, "path"> = { cache },
  options: Partial<Parameters<typeof gatedEdge>[0]> = {},
) => gatedEdge({ routes: [{ path: "/v1/*", originFetch: "eager", ...route }], ...options });

type Edge = ReturnType<typeof open>;

/** Moves the time, so that whoever waits for another's fetch looks again: not while a slow machine asks Redis. */
const moving = <Result>({ platform, state }: Edge, work: Promise<Result>) =>
  passing(platform, work, { stepMs: 1, isBusy: () => state.pending > 0 });

const everything = (edge: Edge, isolate = 0) =>
  edge.isolates[isolate]?.cache.purge({ files: [], prefixes: [], tags: [], everything: true, soft: false });

describe("simultaneous requests for one URL", () => {
  it.each<[what: string, first: "store" | "origin"]>([
    ["where Redis answers first", "store"],
    ["where the origin answers first", "origin"],
  ])("make one request to the origin: 20 of 20 callers, %s", async (_, first) => {
    const edge = open({ cache, ...limited });
    const release = { store: edge.hold("store"), origin: edge.hold("origin") };
    const asking = Array.from({ length: 20 }, (_, n) => edge.ask("/v1/x", { address: `192.0.2.${n}` }));
    await until(() => edge.calls.length > 0);
    release[first]();
    if (first === "store") await until(() => edge.state.pending === 0, "Redis has answered all");
    await settle();
    release[first === "store" ? "origin" : "store"]();
    const answers = await moving(edge, Promise.all(asking));
    expect(edge.calls).toHaveLength(1);
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(["stored"]));
    expect(answers.filter(({ log }) => log?.eager === "used")).toHaveLength(1);
  });

  it("make one more where the caller who asked first is denied, not one each", async () => {
    const edge = open({ cache, ...limited });
    for (let n = 0; n < 2; n += 1) await edge.ask(`/v1/own?n=${n}`, { address: "198.51.100.1" });
    const before = edge.calls.length;
    const release = edge.hold("store");
    const letOrigin = edge.hold("origin");
    const denied = edge.ask("/v1/x", { isolate: 1, address: "198.51.100.1" });
    await until(() => edge.calls.length === before + 1);
    const asking = Array.from({ length: 20 }, (_, n) =>
      edge.ask("/v1/x", { isolate: 1, address: `192.0.2.${n}` }),
    );
    await settle();
    release();
    expect((await denied).status).toBe(429);
    letOrigin();
    const answers = await moving(edge, Promise.all(asking));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(edge.calls.slice(before).map(({ aborted }) => aborted)).toEqual([true, false]);
  });
});

describe("a purge while an eager fetch is under way", () => {
  it.each<[what: string, purge: (edge: Edge) => Promise<unknown>]>([
    ["of everything, here", (edge) => Promise.resolve(everything(edge))],
    ["of everything, by another isolate", (edge) => Promise.resolve(everything(edge, 2))],
    ["by a write to the URL", (edge) => edge.ask("/v1/x", { method: "POST", body: "a" })],
    ["by a write in another isolate", (edge) => edge.ask("/v1/x", { method: "POST", body: "a", isolate: 2 })],
  ])("holds for what it brings: %s", async (_, purge) => {
    let version = 1;
    const edge = open(
      { cache },
      {
        answer: ({ method }) => (method === "POST" ? new Response("done") : cacheable(`version ${version}`)),
      },
    );
    const letOrigin = edge.hold("origin");
    const asking = edge.ask("/v1/x");
    await until(() => edge.calls.length === 1);
    edge.platform.advance(5);
    letOrigin();
    await purge(edge);
    // The first answer left the origin before the purge; what is asked for after it must be the new version.
    version = 2;
    await asking;
    edge.platform.advance(6000);
    for (const isolate of [0, 1]) {
      expect((await edge.ask("/v1/x", { isolate })).text, `isolate ${isolate}`).not.toBe("version 1");
    }
  });

  it("a stale entry whose validators were sent and that is purged then is not revived by a 304", async () => {
    const edge = open(
      { cache },
      {
        answer: ({ headers }) =>
          headers.has("if-none-match")
            ? new Response(null, { status: 304, headers: { etag: '"a"' } })
            : cacheable(`answer ${edge.calls.length}`, { etag: '"a"', "cache-control": "max-age=60" }),
      },
    );
    await edge.ask("/v1/x");
    edge.platform.advance(61_000);
    const letOrigin = edge.hold("origin");
    const release = edge.hold("store");
    const asking = edge.ask("/v1/x");
    await until(() => edge.calls.length === 2);
    release();
    await everything(edge);
    letOrigin();
    const { status, text } = await moving(edge, asking);
    expect({ status, text }).toEqual({ status: 200, text: "answer 3" });
    expect(edge.calls[2]?.headers.has("if-none-match")).toBe(false);
  });
});

describe("one side fails", () => {
  const unreachable = () => {
    throw new TypeError("refused");
  };

  it("the origin early, and Redis has the answer", async () => {
    let down = false;
    const edge = open({ cache }, { answer: () => (down ? unreachable() : cacheable()) });
    await edge.ask("/v1/x");
    down = true;
    const release = edge.hold("store");
    const asking = edge.ask("/v1/x", { isolate: 1 });
    await until(() => edge.calls.length === 2);
    await settle();
    release();
    expect(await asking).toMatchObject({ status: 200, word: "HIT", text: "stored" });
    expect(edge.events.filter(({ event }) => event === "origin.failed")).toEqual([]);
  });

  it("the origin early, and Redis has nothing: it is reported once", async () => {
    const edge = open({ cache }, { answer: unreachable });
    const release = edge.hold("store");
    const asking = edge.ask("/v1/x");
    await until(() => edge.calls.length === 1);
    await settle();
    release();
    expect((await asking).status).toBe(502);
    expect(edge.calls).toHaveLength(1);
    expect(edge.events.filter(({ event }) => event === "origin.failed")).toHaveLength(1);
  });

  it("the origin early, and Redis has a stale answer that may stand in", async () => {
    let down = false;
    const edge = open(
      { cache: { ...cache, ttl: 60, staleIfError: 600 } },
      {
        answer: () => (down ? unreachable() : new Response("stored")),
      },
    );
    await edge.ask("/v1/x");
    edge.platform.advance(61_000);
    down = true;
    const { word, text, log } = await edge.ask("/v1/x", { isolate: 1 });
    expect([word, text, log?.eager]).toEqual(["STALE", "stored", "used"]);
  });

  it("neither, and Redis has a stale answer that may be served: what the origin says makes it fresh", async () => {
    let version = 1;
    const edge = open(
      { cache: { ...cache, ttl: 60, staleWhileRevalidate: 600 } },
      { answer: () => new Response(`version ${version}`) },
    );
    await edge.ask("/v1/x");
    edge.platform.advance(61_000);
    version = 2;
    const stale = await edge.ask("/v1/x", { isolate: 1 });
    expect([stale.word, stale.text, stale.log?.eager]).toEqual(["STALE", "version 1", "used"]);
    expect(edge.calls).toHaveLength(2);
    expect(await edge.ask("/v1/x", { isolate: 1 })).toMatchObject({ word: "HIT", text: "version 2" });
  });

  it("Redis, and the isolate decides: the answer is used", async () => {
    const edge = open({ cache, ...limited });
    edge.state.fail = "store";
    const { status, log } = await edge.ask("/v1/x");
    expect({ status, eager: log?.eager, limits: log?.limits }).toEqual({
      status: 200,
      eager: "used",
      limits: "allowed by memory",
    });
    expect(edge.calls).toHaveLength(1);
  });

  it("Redis, three times: then it is lost, and nobody asks at once; nor while it is on trial", async () => {
    const edge = open();
    const store = edge.isolates[0]?.store;
    const ask = async (path: string) => (await edge.ask(path)).log?.eager;
    edge.state.fail = "store";
    const seen: unknown[] = [];
    for (let n = 0; n < 5; n += 1) seen.push(await ask(`/v1/x?n=${n}`));
    // What is written after a response fails too.
    expect(seen).toEqual(["used", "used", undefined, undefined, undefined]);
    edge.state.fail = null;
    edge.platform.advance(2000);
    expect(await ask("/v1/probe")).toBeUndefined();
    expect([store?.reachable, store?.steady]).toEqual([true, false]);
    expect(await ask("/v1/trial")).toBeUndefined();
    expect(await ask("/v1/after")).toBe("used");
  });

  it("the origin answers first with what may not be stored", async () => {
    const edge = open(
      { cache },
      {
        answer: () => new Response("mine", { headers: { "cache-control": "no-store" } }),
      },
    );
    const release = edge.hold("store");
    const asking = edge.ask("/v1/x");
    await until(() => edge.calls.length === 1);
    await settle();
    expect(edge.calls[0]?.body, "nothing is read before the verdict").toBe("untouched");
    release();
    expect(await asking).toMatchObject({ status: 200, text: "mine", word: "MISS" });
  });
});

describe("who wants the origin asked as often as possible", () => {
  const denied = async (edge: Edge, address: string) => {
    for (let n = 0; n < 2; n += 1) await edge.ask(`/v1/own?n=${n}`, { address });
    const before = edge.calls.length;
    return () => edge.calls.length - before;
  };

  it.each<[what: string, init: (n: number) => RequestInit]>([
    ["GET and HEAD in turn", (n) => ({ method: n % 2 === 0 ? "GET" : "HEAD" })],
    ["with fields that differ", (n) => ({ headers: { accept: `text/${n}`, "accept-language": `x-${n}` } })],
    ["with no-cache", () => ({ headers: { "cache-control": "no-cache" } })],
    ["with made-up credentials", (n) => ({ headers: { authorization: `Basic ${n}` } })],
    ["with conditions", (n) => ({ headers: { "if-none-match": `"${n}"` } })],
  ])("over the limit and %s: one request to the origin at most", async (_, init) => {
    const edge = open({ cache, ...limited });
    const asked = await denied(edge, "192.0.2.7");
    const answers = await moving(
      edge,
      Promise.all(Array.from({ length: 50 }, (_, n) => edge.ask(`/v1/x?n=${n}`, { isolate: 1, ...init(n) }))),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([429]));
    expect(asked()).toBeLessThanOrEqual(1);
  });

  it("over the limit again and again: the block ends each time, and the origin is not asked again", async () => {
    const edge = open({ cache, ...limited });
    const asked = await denied(edge, "192.0.2.7");
    for (let n = 0; n < 20; n += 1) {
      expect((await edge.ask(`/v1/x?n=${n}`, { isolate: 1 })).status).toBe(429);
      edge.platform.advance(5001);
    }
    expect(asked()).toBe(1);
  });

  it("from 60 addresses that are over the limit: 21", async () => {
    const edge = open({ cache, ...limited });
    for (let n = 0; n < 60; n += 1) await denied(edge, `192.0.2.${n}`);
    const before = edge.calls.length;
    for (let n = 0; n < 60; n += 1) await edge.ask(`/v1/x?n=${n}`, { isolate: 1, address: `192.0.2.${n}` });
    expect(edge.calls.length - before).toBe(21);
  });

  it("all at once from 60 addresses, and without waiting for an answer: 21", async () => {
    const edge = open();
    const release = edge.hold("store");
    const asking = Array.from({ length: 60 }, (_, n) =>
      edge.ask(`/v1/x?n=${n}`, { address: `192.0.2.${n}` }),
    );
    await until(() => edge.calls.length >= 21);
    await settle();
    expect(edge.calls).toHaveLength(21);
    expect(edge.calls.every(({ body }) => body === "untouched")).toBe(true);
    release();
    await Promise.all(asking);
  });
});

describe("who wants others to be given what is not theirs", () => {
  it.each<[what: string, headers: Record<string, string>]>([
    ["a key", { "x-api-key": "secret" }],
    ["a cookie", { cookie: "sid=ada" }],
    ["a credential that only the origin reads", { "x-auth-token": "ada" }],
  ])("does not wait for the answer to another's request: with %s", async (_, headers) => {
    const edge = open(
      { cache: { ttl: 600 } },
      {
        answer: (call) =>
          cacheable(Object.keys(headers).some((name) => call.headers.has(name)) ? "ada's" : "everybody's"),
      },
    );
    const release = edge.hold("origin");
    const anonymous = edge.ask("/v1/x");
    await until(() => edge.calls.length === 1);
    const known = edge.ask("/v1/x", { headers });
    await until(() => edge.calls.length === 2);
    release();
    expect((await moving(edge, known)).text).toBe("ada's");
    expect((await moving(edge, anonymous)).text).toBe("everybody's");
    expect((await edge.ask("/v1/x")).text).toBe("everybody's");
  });

  it("sends what the route ignores to nobody, eagerly as otherwise", async () => {
    const edge = open(
      { cache: { ...cache, query: { ignore: ["utm_*"] } } },
      {
        answer: ({ path }) => cacheable(path),
      },
    );
    const { text, log } = await edge.ask("/v1/x?utm_source=%3Cscript%3E&page=2");
    expect([text, log?.eager]).toEqual(["/v1/x?page=2", "used"]);
  });

  it("stores by what the eager request was sent", async () => {
    const edge = open(
      { cache },
      {
        answer: ({ headers }) =>
          cacheable(String(headers.get("accept-language")), { vary: "accept-language" }),
      },
    );
    for (const language of ["de", "fr", "de", "fr"]) {
      const { text } = await edge.ask("/v1/x", { headers: { "accept-language": language } });
      expect(text).toBe(language);
    }
    expect(edge.calls).toHaveLength(2);
  });
});
