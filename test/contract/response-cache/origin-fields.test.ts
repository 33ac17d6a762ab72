import { afterEach, describe, expect, it, vi } from "vitest";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { json, Origin, openCache, tiers } from "../../support/cache.ts";
import { testPlatform } from "../../support/platform.ts";

const LIES = { "x-cache": "HIT from elsewhere", "cache-status": "Origin;hit;stored" };

describe.each(tiers)("an origin that sends X-Cache and Cache-Status, $name", (tier) => {
  it("changes nothing of what is said; its Cache-Status is the first member of every answer", async () => {
    const origin = new Origin(({ headers }) =>
      headers.has("if-none-match")
        ? new Response(null, { status: 304, headers: { etag: '"a"', "cache-status": "Origin;fwd=stale" } })
        : json({}, { ...LIES, "cache-control": "max-age=60, stale-if-error=600", etag: '"a"' }),
    );
    const { first, next } = await tier.open({ origin });
    const said = async (headers: Record<string, string> = {}) => {
      const reply = await next().ask("/v1/x", { headers });
      return [reply.status, reply.headers.get("x-cache"), reply.headers.get("cache-status")];
    };
    const miss = await first.ask("/v1/x");
    expect([miss.headers.get("x-cache"), miss.headers.get("cache-status")]).toEqual([
      "MISS",
      "Origin;hit;stored, EnvoyouEdge;fwd=uri-miss;stored",
    ]);
    expect(await said()).toEqual([200, "HIT", "Origin;hit;stored, EnvoyouEdge;hit;ttl=60"]);
    expect(await said({ "if-none-match": '"a"' }), "a 304").toEqual([
      304,
      "HIT",
      "Origin;hit;stored, EnvoyouEdge;hit;ttl=60",
    ]);
    expect(await said({ "if-match": '"a"' })).toEqual([
      200,
      "BYPASS",
      "Origin;hit;stored, EnvoyouEdge;fwd=bypass;detail=precondition",
    ]);
    first.platform.advance(61_000);
    expect(await said()).toEqual([
      200,
      "REVALIDATED",
      "Origin;fwd=stale, EnvoyouEdge;fwd=stale;fwd-status=304;stored;ttl=60",
    ]);
    first.platform.advance(61_000);
    origin.answer = () => json({}, LIES, 503);
    expect(await said()).toEqual([
      200,
      "STALE",
      "Origin;fwd=stale, EnvoyouEdge;fwd=stale;fwd-status=503;ttl=-1",
    ]);
  });

  it("in a form that is no List is dropped, on a miss and on a hit", async () => {
    const origin = new Origin(() => json({}, { "cache-control": "max-age=60", "cache-status": "][" }));
    const { first, next } = await tier.open({ origin });
    expect((await first.ask("/v1/x")).headers.get("cache-status")).toBe("EnvoyouEdge;fwd=uri-miss;stored");
    expect((await next().ask("/v1/x")).headers.get("cache-status")).toBe("EnvoyouEdge;hit;ttl=60");
  });
});

it("the cache hands out what it did as data, and writes none of it into the fields", async () => {
  const origin = new Origin(() => json({}, { "cache-control": "max-age=60" }));
  const isolate = openCache({ origin });
  for (const word of ["MISS", "HIT"]) {
    const { reply, work } = await isolate.begin("/v1/x", {});
    const { reply: answer, cache } = await reply;
    expect(cache?.word).toBe(word);
    const headers = answer.kind === "response" ? answer.response.headers : new Headers();
    expect([headers.has("x-cache"), headers.has("cache-status")]).toEqual([false, false]);
    await work.settle();
  }
});

describe("the log line and the fields of the whole edge, where an origin sends X-Cache and Cache-Status", () => {
  afterEach(() => void vi.restoreAllMocks());

  it.each([
    ["/cached/x", "miss", "MISS", "Origin;hit;stored, EnvoyouEdge;fwd=uri-miss;stored"],
    ["/plain/x", null, null, "Origin;hit;stored"],
  ])("%s: cache is %j, X-Cache %j", async (path, logged, word, status) => {
    const lines: string[] = [];
    for (const level of ["log", "info", "warn", "error"] as const)
      vi.spyOn(console, level).mockImplementation((line: string) => void lines.push(line));
    const platform = testPlatform({ fetch: async () => json({}, LIES) });
    const vars = {
      ORIGIN_URL: "http://origin.example",
      IDENTITY_SECRET: "identity-secret-of-this-test-only",
    };
    const routes = [{ path: "/cached/*", cache: { ttl: 60 } }, { path: "/*" }];
    const background: Promise<unknown>[] = [];
    const context = {
      waitUntil: (work: Promise<unknown>) => void background.push(work),
      passThroughOnException() {},
      props: {},
    } as unknown as ExecutionContext;
    const answer = edgeAnswer(openIsolate(vars, routes, platform));
    const response = await answer(new Request(`https://edge.example${path}`), context);
    await response.text();
    await Promise.all(background);
    expect(response.headers.get("x-cache")).toBe(word);
    expect(response.headers.get("cache-status")).toBe(status);
    const requests = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "request");
    expect(requests).toMatchObject([{ cache: logged }]);
  });
});
