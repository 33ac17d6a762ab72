import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type AskOptions, counted, json, Origin, tiers } from "../../support/cache.ts";

const NOTHING = { files: [], prefixes: [], tags: [], everything: false, soft: false };
const GZIPPED = new Uint8Array(gzipSync("coded"));
const file = (path: string) => new URL(path, "https://edge.example");
const credentialed: AskOptions = {
  headers: { authorization: "Bearer of-ada" },
  confirmed: { credentials: { any: true } as never },
};

describe.each(tiers)("what went wrong in other caches, by public reports, $name", (tier) => {
  it("a validation's 304 is not for a client that sent no condition (darkweak/souin#794)", async () => {
    const origin = new Origin(({ headers }) =>
      headers.get("if-none-match") === '"a"'
        ? new Response(null, { status: 304, headers: { etag: '"a"' } })
        : json({ whole: 1 }, { "cache-control": "max-age=1, must-revalidate", etag: '"a"' }),
    );
    const { first, next } = await tier.open({ origin });
    await first.ask("/x");
    first.platform.advance(2000);
    const stale = await next().ask("/x", { headers: { "cache-control": "max-stale=6" } });
    expect(stale).toMatchObject({ status: 200, text: '{"whole":1}', word: "REVALIDATED" });
  });

  it("a 304 with a longer lifetime is a fresh one for the next (nodejs/undici#5505)", async () => {
    const origin = new Origin(({ headers }) =>
      headers.has("if-none-match")
        ? new Response(null, { status: 304, headers: { etag: '"a"', "cache-control": "max-age=60" } })
        : json({}, { "cache-control": "max-age=1", etag: '"a"' }),
    );
    const { first, next } = await tier.open({ origin });
    await first.ask("/x");
    first.platform.advance(2000);
    expect((await next().ask("/x")).word).toBe("REVALIDATED");
    first.platform.advance(10_000);
    const hit = await next().ask("/x");
    expect([hit.word, hit.headers.has("warning")]).toEqual(["HIT", false]);
  });

  it.each([
    [500, true],
    [502, true],
    [504, true],
    [520, true],
    [521, true],
    [522, true],
    [524, true],
    [525, true],
    [529, true],
    [530, true],
    [599, true],
    // Of the request, or of a server that is there (RFC 9110 §15.6.2, RFC 4918 §11.5, RFC 5842 §7.2, RFC 6585 §6).
    [501, false],
    [507, false],
    [508, false],
    [511, false],
    [429, false],
  ])(
    "an origin that Cloudflare cannot reach has failed: %i (notatallshaw/nab#579)",
    async (status, stands) => {
      const origin = new Origin(counted({ "cache-control": "max-age=60, stale-if-error=600" }));
      const { first, next } = await tier.open({ origin });
      const { text } = await first.ask("/x");
      origin.answer = () => json({ failed: status }, {}, status);
      first.platform.advance(61_000);
      const answer = await next().ask("/x");
      if (stands) expect(answer).toMatchObject({ status: 200, text, word: "STALE" });
      else expect(answer).toMatchObject({ status, word: "MISS" });
    },
  );

  it.each([521, 530, 599])(
    "a validation in the background that meets a %i takes nothing away",
    async (status) => {
      const fields = "max-age=1, stale-while-revalidate=600, stale-if-error=600";
      const origin = new Origin(counted({ "cache-control": fields }));
      const { first, next } = await tier.open({ origin });
      const { text } = await first.ask("/x");
      origin.answer = () => json({ failed: status }, { "cache-control": "max-age=60" }, status);
      first.platform.advance(2000);
      await next().ask("/x");
      expect(await next().ask("/x")).toMatchObject({ status: 200, text, word: "STALE" });
    },
  );

  it.each([
    "no-cache no-store",
    "private; max-age=60",
    "no-store;",
    "max-age=60; private",
    "private max-age=60",
  ])("`Cache-Control: %s` is for one, also where the route has a ttl (helmetjs/nocache#6)", async (field) => {
    const origin = new Origin(counted({ "cache-control": field }));
    const { first, next } = await tier.open({ origin, rule: { ttl: 600, scope: "shared" } });
    await first.ask("/x");
    expect(await next().ask("/x")).toMatchObject({ word: "MISS", text: '{"count":2}' });
  });

  it("`private` holds whatever the route says of credentials (darkweak/souin#863)", async () => {
    const origin = new Origin(counted({ "cache-control": "private, max-age=60" }));
    const { first, next } = await tier.open({ origin, rule: { scope: "shared" } });
    await first.ask("/x", credentialed);
    expect((await next().ask("/x")).text).toBe('{"count":2}');
  });

  it.each([
    ["the place of the `?` (jiangwenyuan/nuster#6)", "/get?name=a", "/?getname=a"],
    ["names without values (requests-cache/requests-cache#499)", "/x?time", "/x?station"],
    ["an empty value (darkweak/souin#81)", "/x?a=1&beta=", "/x?a=1"],
    ["the query at all (darkweak/souin#81)", "/shop?page=2", "/shop"],
  ])("URLs that differ by %s are two", async (_, one, other) => {
    const { first, next } = await tier.open({
      origin: new Origin(counted({ "cache-control": "max-age=60" })),
    });
    await first.ask(one);
    expect((await next().ask(other)).word).toBe("MISS");
    expect((await next().ask(one)).word).toBe("HIT");
  });

  it.each([
    ["with a query (darkweak/souin#594)", "/v3/viewLog?day=1", { files: [file("/v3/viewLog?day=1")] }],
    ["in Arabic (nginx-modules/ngx_cache_purge#21)", "/%d9%85/1", { files: [file("/\u0645/1")] }],
    ["below an Arabic prefix (cloudflare-docs#5767)", "/%D9%85/1", { prefixes: ["edge.example/\u0645/"] }],
    ["with a tag in another case and a `/` (darkweak/souin#583)", "/tagged", { tags: ["erock/test"] }],
  ])("a purge reaches a URL %s", async (_, path, what) => {
    const origin = new Origin(counted({ "cache-control": "max-age=60", "surrogate-key": "Erock/Test" }));
    const { first, next } = await tier.open({ origin });
    await first.ask(path);
    expect((await next().ask(path)).word).toBe("HIT");
    first.platform.advance(1);
    await first.cache.purge({ ...NOTHING, ...what });
    first.platform.advance(6000);
    expect((await next().ask(path)).word).toBe("MISS");
  });

  it("`Date` stays the origin's beside a growing `Age` (kornelski/rusty-http-cache-semantics#35)", async () => {
    const { first, next } = await tier.open({
      origin: new Origin(counted({ "cache-control": "max-age=60" })),
    });
    const stored = await first.ask("/x");
    first.platform.advance(30_000);
    const hit = await next().ask("/x");
    expect(hit.headers.get("age")).toBe("30");
    const kept = hit.headers.get("date");
    first.platform.advance(20_000);
    expect((await next().ask("/x")).headers.get("date")).toBe(kept);
    expect(stored.word).toBe("MISS");
  });

  it("a `Date` that is none is the time of arrival, not an age of decades (tempesta-tech/tempesta#1706)", async () => {
    const origin = new Origin(
      counted({ "cache-control": "max-age=60", date: "Sat, 01 Oct 2022 7:19:16 GMT" }),
    );
    const { first, next } = await tier.open({ origin });
    await first.ask("/x");
    first.platform.advance(5000);
    const hit = await next().ask("/x");
    expect([hit.word, hit.headers.get("age")]).toEqual(["HIT", "5"]);
  });

  it("a HEAD neither fills nor empties what GETs are given (psf/cachecontrol#216)", async () => {
    const { first, next } = await tier.open({
      origin: new Origin(counted({ "cache-control": "max-age=60" })),
    });
    await first.ask("/x", { method: "HEAD" });
    expect(await next().ask("/x")).toMatchObject({ word: "MISS", text: '{"count":2}' });
    await next().ask("/x", { method: "HEAD" });
    expect(await next().ask("/x")).toMatchObject({ word: "HIT", text: '{"count":2}' });
  });

  it("variants with different `Vary` are each found (httpwg/http-bis-issues#38, darkweak/souin#192)", async () => {
    const origin = new Origin(({ headers }) =>
      headers.get("service") === "b"
        ? json({ b: 1 }, { "cache-control": "max-age=60", vary: "Service" })
        : json(
            { a: headers.get("accept-language") },
            { "cache-control": "max-age=60", vary: "Service, Accept-Language" },
          ),
    );
    const { first, next } = await tier.open({ origin });
    const asks = [{ service: "a", "accept-language": "de" }, { service: "a" }, { service: "b" }] as Record<
      string,
      string
    >[];
    const texts = ['{"a":"de"}', '{"a":null}', '{"b":1}'];
    for (const headers of asks) await first.ask("/x", { headers });
    for (const [at, headers] of asks.entries())
      expect(await next().ask("/x", { headers })).toMatchObject({ word: "HIT", text: texts[at] });
  });

  const coded = (headers: Headers, fields: Record<string, string>) =>
    /gzip/.test(headers.get("accept-encoding") ?? "")
      ? new Response(GZIPPED, { headers: { ...fields, "content-encoding": "gzip" }, encodeBody: "manual" })
      : new Response("plain", { headers: fields });
  const [GZIP, PLAIN] = [{ "accept-encoding": "gzip, deflate" }, { "accept-encoding": "deflate" }];

  it.each<[report: string, fields: Record<string, string>]>([
    ["who forgets `Vary` (dotless/dotless#115, femiwiki/docker-mediawiki#1047)", {}],
    ["who says the same tag of all codings (h2o/h2o#2896)", { etag: '"1"', vary: "Accept-Encoding" }],
    ["who says both wrong", { etag: '"1"' }],
  ])("gzip is not for clients that cannot decode it, of an origin %s", async (_, fields) => {
    const origin = new Origin(({ headers }) =>
      headers.get("if-none-match")?.includes('"1"')
        ? new Response(null, { status: 304, headers: { etag: '"1"' } })
        : coded(headers, { "cache-control": "max-age=60", ...fields }),
    );
    const { first, next } = await tier.open({ origin });
    await first.ask("/x", { headers: GZIP });
    expect(await next().ask("/x", { headers: PLAIN })).toMatchObject({ status: 200, text: "plain" });
    expect(await next().ask("/x")).toMatchObject({ status: 200, text: "plain" });
  });

  it("whoever accepts gzip gets it, though another got the plain form first (haproxy/haproxy#2264)", async () => {
    const fields = { "cache-control": "max-age=60", vary: "Accept-Encoding" };
    const { first, next } = await tier.open({ origin: new Origin(({ headers }) => coded(headers, fields)) });
    await first.ask("/x", { headers: PLAIN });
    const reply = await next().ask("/x", { headers: GZIP });
    expect([reply.word, reply.headers.get("content-encoding")]).toEqual(["MISS", "gzip"]);
    expect(await next().ask("/x", { headers: PLAIN })).toMatchObject({ word: "HIT", text: "plain" });
  });

  it("a 304 without `Vary` takes none from what is stored (jetty/jetty.project#9042)", async () => {
    const origin = new Origin(({ headers }) =>
      headers.has("if-none-match")
        ? new Response(null, { status: 304, headers: { etag: '"g"' } })
        : coded(headers, { "cache-control": "max-age=60", vary: "Accept-Encoding", etag: '"g"' }),
    );
    const { first, next } = await tier.open({ origin });
    await first.ask("/x", { headers: GZIP });
    first.platform.advance(61_000);
    const valid = await next().ask("/x", { headers: GZIP });
    expect([valid.word, valid.headers.get("vary")]).toEqual(["REVALIDATED", "Accept-Encoding"]);
    expect(await next().ask("/x", { headers: GZIP })).toMatchObject({ word: "HIT", bytes: GZIPPED });
    expect(await next().ask("/x", { headers: PLAIN })).toMatchObject({ word: "MISS", text: "plain" });
  });

  it("a part is not the whole for the next (darkweak/souin#667)", async () => {
    const part = { "content-range": "bytes 0-1/5", "cache-control": "max-age=60" };
    const origin = new Origin(({ headers }) =>
      headers.has("range")
        ? new Response("wh", { status: 206, headers: part })
        : new Response("whole", { headers: { "cache-control": "max-age=60" } }),
    );
    const { first, next } = await tier.open({ origin });
    const headers = { range: "bytes=0-1" };
    expect(await first.ask("/x", { headers })).toMatchObject({ status: 206, text: "wh" });
    expect(await next().ask("/x")).toMatchObject({ word: "MISS", status: 200, text: "whole" });
    expect(await next().ask("/x", { headers })).toMatchObject({ word: "HIT", status: 206, text: "wh" });
  });

  it("a HEAD tells the length of the GET, not 0 (caddyserver/cache-handler#59)", async () => {
    const fields = { "cache-control": "max-age=60" };
    const { first, next } = await tier.open({ origin: new Origin(({ headers }) => coded(headers, fields)) });
    await first.ask("/x", { headers: GZIP });
    const head = await next().ask("/x", { method: "HEAD", headers: GZIP });
    expect([head.word, head.headers.get("content-length"), head.text]).toEqual([
      "HIT",
      String(GZIPPED.length),
      "",
    ]);
  });
});
