import { describe, expect, it } from "vitest";
import { counted, json, Origin, type Tier, tiers } from "../../support/cache.ts";

const LONG = { "cache-control": "max-age=60" };

describe.each(tiers)("a stored answer from $name", (tier) => {
  it("is a hit: the same bytes, its age, and no second request to the origin", async () => {
    const { origin, first, next, again } = await stored(tier, counted(LONG));
    first.platform.advance(7000);
    const hit = await next().ask("/v1/x");
    expect(hit.text).toBe(again.text);
    expect(hit.headers.get("age")).toBe("7");
    expect(hit.word).toBe("HIT");
    expect(hit.headers.get("cache-status")).toBe("EnvoyouEdge;hit;ttl=53");
    expect(origin.count, "requests to the origin").toBe(1);
  });

  it("is asked for with one call to the store at most, and none where the isolate looked lately", async () => {
    const { next } = await stored(tier, counted(LONG));
    const isolate = next();
    const once = await isolate.ask("/v1/x");
    const twice = await isolate.ask("/v1/x");
    expect(once.calls, "calls before the first answer").toBe(tier.name === "Redis alone" ? 1 : 0);
    expect(twice.calls, "calls before the second").toBe(0);
  });

  it("answers HEAD without a body, with the length of the GET", async () => {
    const { next, again, origin } = await stored(tier, counted(LONG));
    const head = await next().ask("/v1/x", { method: "HEAD" });
    expect(head).toMatchObject({ status: 200, text: "", word: "HIT" });
    expect(head.headers.get("content-length")).toBe(String(again.text.length));
    expect(origin.count).toBe(1);
  });

  it("is 304 to a client that has it, by tag and by date", async () => {
    const modified = "Thu, 01 Jan 2026 00:00:00 GMT";
    const { next } = await stored(tier, counted({ ...LONG, etag: '"a"', "last-modified": modified }));
    for (const headers of [{ "if-none-match": 'W/"a"' }, { "if-modified-since": modified }]) {
      const reply = await next().ask("/v1/x", { headers: headers as Record<string, string> });
      expect(reply.status, JSON.stringify(headers)).toBe(304);
      expect(reply.text).toBe("");
      expect(reply.headers.get("etag")).toBe('"a"');
      expect(reply.headers.get("content-type"), "a 304 says nothing of the content").toBeNull();
    }
  });

  it("is cut into ranges: 206, 416, and the whole where If-Range does not hold", async () => {
    const { next, again } = await stored(tier, counted({ ...LONG, etag: '"a"' }));
    const part = await next().ask("/v1/x", { headers: { range: "bytes=1-4" } });
    expect(part).toMatchObject({ status: 206, text: again.text.slice(1, 5) });
    expect(part.headers.get("content-range")).toBe(`bytes 1-4/${again.text.length}`);
    const tail = await next().ask("/v1/x", { headers: { range: "bytes=-3", "if-range": '"a"' } });
    expect(tail).toMatchObject({ status: 206, text: again.text.slice(-3) });
    const changed = await next().ask("/v1/x", { headers: { range: "bytes=1-4", "if-range": '"b"' } });
    expect(changed).toMatchObject({ status: 200, text: again.text });
    const beyond = await next().ask("/v1/x", { headers: { range: "bytes=9999-" } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get("content-range")).toBe(`bytes */${again.text.length}`);
    expect(beyond.headers.get("cache-control"), "nobody is to keep the refusal").toBe("no-store");
    for (const name of ["etag", "expires", "age", "content-type"])
      expect(beyond.headers.get(name), name).toBeNull();
  });

  it("goes by its variant: the same selecting fields however they are written, others from the origin", async () => {
    const origin = new Origin(({ headers }) =>
      json({ language: headers.get("accept-language") }, { ...LONG, vary: "Accept-Language, Accept" }),
    );
    const { first, next } = await tier.open({ origin });
    const en = { headers: { "accept-language": "en, de" } };
    await first.ask("/v1/x", en);
    const other = await next().ask("/v1/x", { headers: { "accept-language": "de" } });
    expect(other.headers.get("cache-status")).toContain("fwd=vary-miss");
    const same = await next().ask("/v1/x", { headers: { "accept-language": "EN,  de" } });
    expect(same).toMatchObject({ word: "HIT", text: '{"language":"en, de"}' });
    expect((await next().ask("/v1/x", { headers: { "accept-language": "de" } })).word).toBe("HIT");
    expect(origin.count).toBe(2);
  });

  it("is validated when stale: a 304 brings new fields, the body stays", async () => {
    const origin = new Origin(({ headers }) =>
      headers.get("if-none-match") === '"a"'
        ? new Response(null, {
            status: 304,
            headers: { etag: '"a"', "cache-control": "max-age=90", "x-new": "1" },
          })
        : json({ body: "first" }, { ...LONG, etag: '"a"', "x-old": "1" }),
    );
    const { first, next } = await tier.open({ origin });
    await first.ask("/v1/x");
    first.platform.advance(61_000);
    const merged = await next().ask("/v1/x");
    expect(merged).toMatchObject({ status: 200, text: '{"body":"first"}', word: "REVALIDATED" });
    expect(merged.headers.get("x-new")).toBe("1");
    expect(merged.headers.get("x-old")).toBe("1");
    expect(merged.headers.get("cache-status")).toBe("EnvoyouEdge;fwd=stale;fwd-status=304;stored;ttl=90");
    first.platform.advance(89_000);
    expect((await next().ask("/v1/x")).word, "fresh for as long as the 304 said").toBe("HIT");
    expect(origin.count).toBe(2);
  });

  it("is replaced by a full answer to its validation", async () => {
    let body = 1;
    const origin = new Origin(() => json({ body }, { ...LONG, etag: `"${body}"` }));
    const { first, next } = await tier.open({ origin });
    await first.ask("/v1/x");
    first.platform.advance(61_000);
    body = 2;
    expect((await next().ask("/v1/x")).text).toBe('{"body":2}');
    const after = await next().ask("/v1/x");
    expect(after).toMatchObject({ word: "HIT", text: '{"body":2}' });
  });

  it("stands in for an origin that fails, as long as stale-if-error allows; then the failure is passed on", async () => {
    const origin = new Origin(counted({ "cache-control": "max-age=60, stale-if-error=100" }));
    const { first, next } = await tier.open({ origin });
    const { text } = await first.ask("/v1/x");
    for (const failure of [() => "down" as const, () => json({}, {}, 503)]) {
      first.platform.advance(61_000 - (origin.count > 1 ? 60_000 : 0));
      origin.answer = failure;
      const stale = await next().ask("/v1/x");
      expect(stale).toMatchObject({ status: 200, text, word: "STALE" });
    }
    first.platform.advance(110_000);
    expect((await next().ask("/v1/x")).status, "after the window").toBe(503);
  });

  it("is served stale while it is validated in the background, once however many ask", async () => {
    const origin = new Origin(counted({ "cache-control": "max-age=10, stale-while-revalidate=30" }));
    const { first, next } = await tier.open({ origin });
    await first.ask("/v1/x");
    first.platform.advance(11_000);
    const isolate = next();
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const asked = await Promise.all(
      Array.from({ length: 20 }, () => isolate.ask("/v1/x", { unsettled: true })),
    );
    for (const each of asked) expect(each).toMatchObject({ word: "STALE", text: '{"count":1}' });
    held.resolve();
    for (const each of asked) await each.settle();
    expect(origin.count, "one fetch of the answer, one revalidation").toBe(2);
    expect(await next().ask("/v1/x")).toMatchObject({ word: "HIT", text: '{"count":2}' });
  });

  it("leaves when an unsafe method succeeds on its URL, in all variants, and stays when it fails", async () => {
    const origin = new Origin(({ method, headers }) =>
      method === "POST"
        ? json({}, {}, headers.get("x-fail") ? 500 : 200)
        : json({ count: origin.count }, { ...LONG, vary: "accept" }),
    );
    const { first, next } = await tier.open({ origin });
    const accepts = ["a/b", "c/d"].map((accept) => ({ headers: { accept } }));
    for (const asked of accepts) await first.ask("/v1/x", asked);
    first.platform.advance(1);
    await next().ask("/v1/x", { method: "POST", headers: { "x-fail": "1" } });
    for (const asked of accepts) expect((await next().ask("/v1/x", asked)).word).toBe("HIT");
    await next().ask("/v1/x", { method: "POST" });
    for (const asked of accepts) expect((await next().ask("/v1/x", asked)).word).toBe("MISS");
  });

  it("is not given to a request that asks for more than it is (RFC 9111 §5.2.1)", async () => {
    const { first, next, origin } = await stored(tier, counted(LONG));
    for (const directive of ["no-cache", "max-age=20", "min-fresh=40"]) {
      first.platform.advance(30_000);
      const reply = await next().ask("/v1/x", { headers: { "cache-control": directive } });
      expect(reply.word, directive).toBe("MISS");
    }
    first.platform.advance(30_000);
    expect((await next().ask("/v1/x", { headers: { "cache-control": "min-fresh=20" } })).word).toBe("HIT");
    expect((await next().ask("/v1/x", { headers: { pragma: "no-cache" } })).word).toBe("MISS");
    const count = origin.count;
    await expect(
      next().ask("/v1/z", { headers: { "cache-control": "only-if-cached" } }),
      "a 504 of the edge",
    ).rejects.toMatchObject({ facts: { status: 504, code: "ONLY_IF_CACHED" } });
    expect(origin.count).toBe(count);
  });

  it("keeps HEAD's word (RFC 9111 §4.3.5): agreeing fields update it, others make it stale", async () => {
    let tag = '"a"';
    const origin = new Origin(({ method }) =>
      method === "HEAD"
        ? new Response(null, { headers: { etag: tag, "cache-control": "max-age=300" } })
        : json({ tag }, { ...LONG, etag: tag }),
    );
    const { first, next } = await tier.open({ origin });
    await first.ask("/v1/x");
    const fresh = { "cache-control": "no-cache" };
    first.platform.advance(1000);
    await next().ask("/v1/x", { method: "HEAD", headers: fresh });
    first.platform.advance(100_000);
    expect((await next().ask("/v1/x")).word, "300 s from the HEAD on").toBe("HIT");
    tag = '"b"';
    await next().ask("/v1/x", { method: "HEAD", headers: fresh });
    expect(await next().ask("/v1/x")).toMatchObject({ word: "MISS", text: '{"tag":"\\"b\\""}' });
  });
});

async function stored(tier: Tier, answer: Origin["answer"]) {
  const origin = new Origin(answer);
  const { first, next } = await tier.open({ origin });
  const again = await first.ask("/v1/x");
  expect(again.word, "the first request").toBe("MISS");
  return { origin, first, next, again };
}
