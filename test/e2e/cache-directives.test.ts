import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { type SpeakingOrigin, startSpeakingOrigin } from "../support/edge/scripted-origin.ts";

interface Exchange {
  /** The origin's fields. An `Age` above the lifetime makes a response stale on arrival, so that no test waits. */
  said: Record<string, string>;
  status?: number;
  /** Fields of the first request, where they matter. */
  first?: Record<string, string>;
  /** Fields of the second request. */
  asking?: Record<string, string>;
  method?: string;
  /** `X-Cache` of the second answer, or its status where it has none. */
  answer: "HIT" | "MISS" | "STALE" | "REVALIDATED" | "BYPASS" | number;
}

const STALE = { age: "61" };
const EXCHANGES: Record<string, Exchange> = {
  "max-age": { said: { "cache-control": "max-age=60" }, answer: "HIT" },
  "s-maxage over max-age": { said: { "cache-control": "max-age=0, s-maxage=60" }, answer: "HIT" },
  "CDN-Cache-Control over both": {
    said: { "cdn-cache-control": "max-age=60", "cache-control": "no-store" },
    answer: "HIT",
  },
  Expires: { said: { expires: "Fri, 01 Jan 2100 00:00:00 GMT" }, answer: "HIT" },
  "Expires in the past": { said: { expires: "0", etag: '"e"' }, answer: "REVALIDATED" },
  "a heuristic lifetime": { said: { "last-modified": "Wed, 01 Jan 2020 00:00:00 GMT" }, answer: "HIT" },
  "nothing at all": { said: {}, answer: "MISS" },
  "no-store": { said: { "cache-control": "no-store, max-age=60" }, answer: "MISS" },
  private: { said: { "cache-control": "private, max-age=60" }, answer: "MISS" },
  "private for one field": { said: { "cache-control": 'private="x-note", max-age=60' }, answer: "HIT" },
  "no-cache": { said: { "cache-control": "no-cache", etag: '"n"' }, answer: "REVALIDATED" },
  "no-cache for one field": { said: { "cache-control": 'no-cache="x-note", max-age=60' }, answer: "HIT" },
  "must-revalidate, fresh": { said: { "cache-control": "must-revalidate, max-age=60" }, answer: "HIT" },
  "must-understand with no-store": {
    said: { "cache-control": "must-understand, no-store, max-age=60" },
    answer: "HIT",
  },
  "a cookie": { said: { "cache-control": "max-age=60", "set-cookie": "sid=1" }, answer: "MISS" },
  "a 404 that may be kept": { said: { "cache-control": "max-age=60" }, status: 404, answer: "HIT" },
  "a 302 without a lifetime": { said: { location: "/x" }, status: 302, answer: "MISS" },
  "a 302 with one": { said: { location: "/x", "cache-control": "max-age=60" }, status: 302, answer: "HIT" },
  "a 500 with one": { said: { "cache-control": "max-age=60" }, status: 500, answer: "MISS" },
  "a 206": {
    said: { "cache-control": "max-age=60", "content-range": "bytes 0-1/9" },
    status: 206,
    answer: "MISS",
  },
  "stale with a validator": {
    said: { "cache-control": "max-age=60", etag: '"s"', ...STALE },
    answer: "REVALIDATED",
  },
  "stale without one": { said: { "cache-control": "max-age=60", ...STALE }, answer: "MISS" },
  "stale-while-revalidate": {
    said: { "cache-control": "max-age=60, stale-while-revalidate=600", ...STALE },
    answer: "STALE",
  },
  "stale-while-revalidate against must-revalidate": {
    said: { "cache-control": "max-age=60, stale-while-revalidate=600, must-revalidate", ...STALE },
    answer: "MISS",
  },
  "max-stale of the client": {
    said: { "cache-control": "max-age=60, stale-if-error=600", ...STALE },
    asking: { "cache-control": "max-stale=300" },
    answer: "STALE",
  },
  "max-stale, not enough": {
    said: { "cache-control": "max-age=50, stale-if-error=600", ...STALE },
    asking: { "cache-control": "max-stale=2" },
    answer: "MISS",
  },
  "no-cache of the client": {
    said: { "cache-control": "max-age=60" },
    asking: { "cache-control": "no-cache" },
    answer: "MISS",
  },
  "Pragma of the client": {
    said: { "cache-control": "max-age=60" },
    asking: { pragma: "no-cache" },
    answer: "MISS",
  },
  "max-age=0 of the client": {
    said: { "cache-control": "max-age=60", etag: '"0"' },
    asking: { "cache-control": "max-age=0" },
    answer: "REVALIDATED",
  },
  "min-fresh of the client": {
    said: { "cache-control": "max-age=60" },
    asking: { "cache-control": "min-fresh=100" },
    answer: "MISS",
  },
  "no-store of the first client": {
    said: { "cache-control": "max-age=60" },
    first: { "cache-control": "no-store" },
    answer: "MISS",
  },
  "only-if-cached, and it is": {
    said: { "cache-control": "max-age=60" },
    asking: { "cache-control": "only-if-cached" },
    answer: "HIT",
  },
  "only-if-cached, and it is not": {
    said: { "cache-control": "no-store" },
    asking: { "cache-control": "only-if-cached" },
    answer: 504,
  },
  "If-None-Match": {
    said: { "cache-control": "max-age=60", etag: '"i"' },
    asking: { "if-none-match": '"i"' },
    answer: 304,
  },
  "If-Modified-Since": {
    said: { "cache-control": "max-age=60", "last-modified": "Wed, 01 Jan 2020 00:00:00 GMT" },
    asking: { "if-modified-since": "Thu, 02 Jan 2020 00:00:00 GMT" },
    answer: 304,
  },
  "If-Match, which is the origin's": {
    said: { "cache-control": "max-age=60", etag: '"m"' },
    asking: { "if-match": '"m"' },
    answer: "BYPASS",
  },
  Range: { said: { "cache-control": "max-age=60" }, asking: { range: "bytes=0-2" }, answer: 206 },
  "a Range beyond the end": {
    said: { "cache-control": "max-age=60" },
    asking: { range: "bytes=999-" },
    answer: 416,
  },
  HEAD: { said: { "cache-control": "max-age=60" }, method: "HEAD", answer: "HIT" },
  "Vary, the same": {
    said: { "cache-control": "max-age=60", vary: "Accept-Language" },
    first: { "accept-language": "de,  en" },
    asking: { "accept-language": "DE, en" },
    answer: "HIT",
  },
  "Vary, another": {
    said: { "cache-control": "max-age=60", vary: "Accept-Language" },
    first: { "accept-language": "de" },
    asking: { "accept-language": "en" },
    answer: "MISS",
  },
  "Vary: *": { said: { "cache-control": "max-age=60", vary: "*" }, answer: "MISS" },
  "Authorization without leave": {
    said: { "cache-control": "max-age=60" },
    first: { authorization: "Basic YTpi" },
    asking: { authorization: "Basic YTpi" },
    answer: "MISS",
  },
  "Authorization with public": {
    said: { "cache-control": "public, max-age=60" },
    first: { authorization: "Basic YTpi" },
    answer: "HIT",
  },
};

const ROUTES = [{ path: "/*", cache: {} }];

describe.each([
  ["from the isolate", {}],
  ["from Redis alone, in a fresh isolate", { fresh: true }],
  ["with the store down", { lost: true }],
] as const)("every directive, through the built Worker: %s", (_, how) => {
  let harness: Harness;
  let origin: SpeakingOrigin;
  const second = new Map<string, { word: string | null; status: number; headers: Headers; text: string }>();
  const first = new Map<string, string>();

  beforeAll(async () => {
    origin = await startSpeakingOrigin();
    harness = await openHarness({ vars: { ROUTES, ORIGIN_URL: origin.url } });
    if ("lost" in how) {
      await harness.upstash.stop();
      for (let n = 0; n < 3; n += 1) await harness.edge.fetch("/warm-up");
    }
    const names = Object.entries(EXCHANGES);
    for (const [index, [, exchange]] of names.entries()) {
      const { said, status = 200, first: headers = {} } = exchange;
      origin.say(`/d/${index}`, { status, headers: said });
      first.set(`${index}`, await (await harness.edge.fetch(`/d/${index}`, { headers })).text());
    }
    if ("fresh" in how) {
      await harness.counting(async () => {});
      await harness.edge.restart();
    }
    for (const [index, [name, { asking = {}, method = "GET" }]] of names.entries()) {
      const response = await harness.edge.fetch(`/d/${index}`, { headers: asking, method });
      const { status, headers } = response;
      second.set(name, { word: headers.get("x-cache"), status, headers, text: await response.text() });
    }
  });
  afterAll(async () => {
    await harness.stop();
    await origin.stop();
  });

  it.each(Object.keys(EXCHANGES))("%s", (name) => {
    const { answer: expected, status = 200, method = "GET" } = EXCHANGES[name] as Exchange;
    const answer = second.get(name);
    const index = String(Object.keys(EXCHANGES).indexOf(name));
    if (typeof expected === "number") {
      expect(answer?.status).toBe(expected);
      if (expected === 206) expect(answer?.text).toBe(first.get(index)?.slice(0, 3));
      return;
    }
    expect(answer).toMatchObject({ word: expected, status });
    if (expected === "HIT" || expected === "STALE" || expected === "REVALIDATED") {
      expect(answer?.text, "what was stored").toBe(method === "HEAD" ? "" : first.get(index));
      expect(answer?.headers.get("age"), "its age").toMatch(/^\d+$/);
    }
    expect(answer?.headers.get("cache-status")).toContain("EnvoyouEdge");
  });

  it("an origin that drops every connection is stood in for where stale-if-error allows, else 502", async () => {
    origin.say("/allowed", { headers: { "cache-control": "max-age=60, stale-if-error=600", ...STALE } });
    origin.say("/not", { headers: { "cache-control": "max-age=60", ...STALE } });
    const before = await (await harness.edge.fetch("/allowed")).text();
    await harness.edge.fetch("/not");
    if ("fresh" in how) {
      await harness.counting(async () => {});
      await harness.edge.restart();
    }
    origin.dropping = true;
    const stale = await harness.edge.fetch("/allowed");
    expect(stale.status).toBe(200);
    expect(stale.headers.get("x-cache")).toBe("STALE");
    expect(await stale.text()).toBe(before);
    const refused = await harness.edge.fetch("/not");
    expect(refused.status).toBe(502);
    expect(await refused.json()).toMatchObject({ code: "ORIGIN_UNREACHABLE" });
    origin.dropping = false;
  });
});
