import { describe, expect, it } from "vitest";
import { type CacheIsolate, counted, json, Origin, openCache } from "../../support/cache.ts";
import { storeOfOwner } from "../../support/store.ts";

const LONG = { "cache-control": "max-age=60" };

/** Puts something else where the cache looks. */
async function spoil(isolate: CacheIsolate, script: string): Promise<void> {
  const batch = storeOfOwner().store.batch();
  const all = `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do ${script} end`;
  const spoilt = batch.queue((pipeline) =>
    pipeline.eval(all, [isolate.keys.purges()], [`${isolate.prefix}*`]),
  );
  await batch.send();
  await spoilt;
}

/** Changes the text of each entry, an answer that does not vary and variants alike. */
const CHANGE_ENTRIES = (change: string) => `if redis.call('TYPE', key).ok == 'string' then
     local id, v = string.match(redis.call('GET', key), '^([^\\n]*)\\n(.*)$')
     if id then redis.call('SET', key, id .. '\\n' .. (${change})) end
   elseif redis.call('TYPE', key).ok == 'hash' then
     for _, f in ipairs(redis.call('HKEYS', key)) do if string.sub(f, 1, 2) == 'e:' then
       local v = redis.call('HGET', key, f) redis.call('HSET', key, f, ${change}) end end
   end`;

describe("a value that is no entry", () => {
  it.each([
    ["text", CHANGE_ENTRIES("'hello'")],
    ["an empty text", CHANGE_ENTRIES("''")],
    ["JSON of another shape", CHANGE_ENTRIES(`'{"v":4}\\n'`)],
    ["an older version's entry", CHANGE_ENTRIES(`(string.gsub(v, '"v":4', '"v":2', 1))`)],
    ["truncated in its fields", CHANGE_ENTRIES("string.sub(v, 1, 40)")],
    ["truncated in its body", CHANGE_ENTRIES("string.sub(v, 1, -5)")],
    ["changed in its body", CHANGE_ENTRIES("string.sub(v, 1, -9) .. 'AAAA' .. string.sub(v, -4)")],
    [
      "without its entry",
      "if redis.call('TYPE', key).ok == 'hash' then for _, f in ipairs(redis.call('HKEYS', key)) do " +
        "if string.sub(f, 1, 2) == 'e:' then redis.call('HDEL', key, f) end end else redis.call('APPEND', key, 'x') end",
      { vary: "accept" },
    ],
    ["a string", "redis.call('SET', key, 'hello')"],
    ["a variant that is text", CHANGE_ENTRIES("'hello'"), { vary: "accept" }],
    ["a variant that is truncated", CHANGE_ENTRIES("string.sub(v, 1, -5)"), { vary: "accept" }],
    [
      "a hash without variants",
      "if redis.call('TYPE', key).ok == 'hash' then redis.call('DEL', key) end",
      { vary: "accept" },
      0,
    ],
    [
      "an old layout's hash",
      "redis.call('DEL', key) redis.call('HSET', key, 'vary', '-', 'order', 'x')",
      {},
      0,
    ],
    ["a list", "redis.call('DEL', key) redis.call('RPUSH', key, 'x')", {}, 0],
    ["a list, and it varies", "redis.call('DEL', key) redis.call('RPUSH', key, 'x')", { vary: "accept" }, 0],
  ] as [what: string, script: string, fields?: Record<string, string>, logged?: number][])(
    "(%s) is a miss, logged once where it is text, and overwritten",
    async (_, script, fields = {}, logged = 1) => {
      const origin = new Origin(counted({ ...LONG, ...fields }));
      const first = openCache({ origin });
      await first.ask("/v1/x");
      await first.ask("/v1/y");
      await spoil(first, script);
      const isolate = openCache({ origin, platform: first.platform, prefix: first.prefix });
      expect(await isolate.ask("/v1/x")).toMatchObject({ status: 200, word: "MISS" });
      expect(await isolate.ask("/v1/y")).toMatchObject({ status: 200, word: "MISS" });
      expect(
        isolate.lines.filter(({ event }) => event === "cache.corrupt"),
        "log lines",
      ).toHaveLength(logged);
      const next = openCache({ origin, platform: first.platform, prefix: first.prefix });
      expect((await next.ask("/v1/x")).word, "it has been overwritten").toBe("HIT");
    },
  );

  it("in place of the purge log begins it anew, and purges work again", async () => {
    const origin = new Origin(counted(LONG));
    const first = openCache({ origin });
    await first.ask("/v1/x");
    await spoil(first, "");
    const batch = first.store.batch();
    void batch.queue((pipeline) => pipeline.set(first.keys.purges(), "hello", { px: 60_000 }));
    await batch.send();
    first.platform.advance(6000);
    expect((await first.ask("/v1/x")).word, "purges may have been lost: all are").toBe("MISS");
    await first.store.maintenance();
    first.platform.advance(6000);
    await first.ask("/v1/x");
    first.platform.advance(1);
    expect((await first.ask("/v1/x")).word).toBe("HIT");
    const reach = await first.cache.purge({
      files: [new URL("https://edge.example/v1/x")],
      prefixes: [],
      tags: [],
      everything: false,
      soft: false,
    });
    expect(reach).toBe("everywhere");
    const next = openCache({ origin, platform: first.platform, prefix: first.prefix });
    expect((await next.ask("/v1/x")).word).toBe("MISS");
  });
});

describe("an origin that says nonsense", () => {
  it.each([
    ["Cache-Control, of which the first counts", { "cache-control": "max-age=60, =, ;;, @, max-age" }, "HIT"],
    ["Cache-Control of an endless quote", { "cache-control": 'private="x, max-age=60' }, "MISS"],
    ["Age", { ...LONG, age: "yesterday" }, "HIT"],
    ["Age beyond its lifetime", { ...LONG, age: "99999999999999999999" }, "MISS"],
    ["Expires", { expires: "soon" }, "MISS"],
    ["Vary", { ...LONG, vary: "acc ept" }, "MISS"],
    ["CDN-Cache-Control, which is ignored", { ...LONG, "cdn-cache-control": "max-age=;;" }, "HIT"],
    ["ETag", { ...LONG, etag: "no quotes" }, "HIT"],
    ["Date", { ...LONG, date: "the day before" }, "HIT"],
    ["Cache-Status", { ...LONG, "cache-status": "][" }, "HIT"],
  ])("in %s is answered all the same", async (_, headers, second) => {
    const { ask } = openCache({
      origin: new Origin(() => json({ ok: true }, headers as Record<string, string>)),
    });
    expect(await ask("/v1/x")).toMatchObject({ status: 200, text: '{"ok":true}' });
    expect(await ask("/v1/x")).toMatchObject({ status: 200, text: '{"ok":true}', word: second });
  });

  it("a 304 that nobody asked for is passed on, and nothing is stored", async () => {
    const { ask, cache } = openCache({ origin: new Origin(() => new Response(null, { status: 304 })) });
    expect((await ask("/v1/x")).status).toBe(304);
    expect(cache.sizes.urls).toBe(0);
  });
});

describe("the cache while the store is lost", () => {
  it("serves what the isolate holds, and stores there", async () => {
    const origin = new Origin(counted(LONG));
    const { ask, lose, platform } = openCache({ origin });
    await ask("/v1/x");
    await lose();
    platform.advance(6000);
    expect(await ask("/v1/x"), "held").toMatchObject({ word: "HIT", calls: 0 });
    expect((await ask("/v1/y")).word).toBe("MISS");
    expect((await ask("/v1/y")).word, "stored meanwhile").toBe("HIT");
  });

  it("misses nothing when a call fails that is not yet an outage", async () => {
    const origin = new Origin(counted(LONG));
    const { ask, wire, platform } = openCache({ origin });
    await ask("/v1/x");
    platform.advance(6000);
    wire.cut = true;
    expect((await ask("/v1/x")).word).toBe("HIT");
  });
});

describe("observation", () => {
  it("fills the cache and serves nothing out of it", async () => {
    const origin = new Origin(counted(LONG));
    const { ask, cache } = openCache({ origin, observe: true });
    await ask("/v1/x");
    expect(await ask("/v1/x")).toMatchObject({ word: "MISS", text: '{"count":2}' });
    expect(cache.sizes.urls).toBe(1);
  });
});
