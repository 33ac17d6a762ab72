import { describe, expect, it } from "vitest";
import { counted, Origin, openCache, twoIsolates } from "../../support/cache.ts";
import { until } from "../../support/until.ts";

const LONG = { "cache-control": "max-age=600, stale-while-revalidate=600", "cache-tag": "News, Front" };
const NOTHING = { files: [], prefixes: [], tags: [], everything: false, soft: false };
const file = (path: string) => new URL(path, "https://edge.example");

/** Two isolates, both of which hold the paths. */
const holding = (paths = ["/a/1", "/a/2", "/ab", "/b?x=1"], headers: Record<string, string> = LONG) =>
  twoIsolates(new Origin(counted(headers)), paths);

describe("a purge", () => {
  it.each([
    ["of a file", { files: [file("/a/1")] }, ["/a/1"]],
    ["of a file with its query", { files: [file("/b?x=1")] }, ["/b?x=1"]],
    ["of a file whose scheme is another's", { files: [new URL("http://edge.example/a/1")] }, ["/a/1"]],
    ["of a prefix, which ends at a slash", { prefixes: ["edge.example/a/"] }, ["/a/1", "/a/2"]],
    ["of another host's prefix", { prefixes: ["other.example/a/"] }, []],
    ["of a tag, whatever its case", { tags: ["news"] }, ["/a/1", "/a/2", "/ab", "/b?x=1"]],
    ["of a tag that nothing has", { tags: ["sports"] }, []],
    ["of everything", { everything: true }, ["/a/1", "/a/2", "/ab", "/b?x=1"]],
  ])("%s reaches that and no more", async (_, request, gone) => {
    const { one } = await holding();
    expect(await one.cache.purge({ ...NOTHING, ...request })).toBe("everywhere");
    for (const path of ["/a/1", "/a/2", "/ab", "/b?x=1"]) {
      const { word } = await one.ask(path);
      expect(word, path).toBe((gone as string[]).includes(path) ? "MISS" : "HIT");
    }
  });

  it.each([
    ["/raw/%7eann/x?q=%7e", { files: [file("/raw/~ann/x?q=~")] }],
    ["/raw/%7eann/x?q=%7e", { files: [file("/raw/%7Eann/x?q=%7E")] }],
    ["/raw/%7eann/x?q=%7e", { files: [file("/raw/%7eann/x?q=%7e")] }],
    ["/raw/%7eann/x", { prefixes: ["edge.example/raw/~ann/"] }],
    ["/raw/d%c3%a9/x", { prefixes: ["edge.example/raw/d\u00e9/"] }],
    ["/raw/d%c3%a9/x", { prefixes: ["edge.example/raw/d%C3%A9/"] }],
    ["/raw/a%2fb/x", { prefixes: ["edge.example/raw/a%2Fb/"] }],
    ["/raw/%41?sig=%7e", { files: [file("/raw/A?sig=~")] }],
    ["https://edge.example./a/x?q", { files: [file("/a/x?q")] }],
    ["https://edge.example.:8443/a/x", { files: [new URL("https://edge.example:8443/a/x")] }],
    ["https://edge.example./a/x", { files: [new URL("https://edge.example./a/x")] }],
    ["https://edge.example./a/x", { prefixes: ["edge.example/a/"] }],
    ["https://edge.example./x", { prefixes: ["edge.example/"] }],
  ])("of %s, which is stored as it is written, is true of every spelling: %j", async (path, what) => {
    const origin = new Origin(counted(LONG));
    const one = openCache({ origin, route: { rawPath: true } });
    const other = openCache({ origin, route: { rawPath: true }, platform: one.platform, prefix: one.prefix });
    await one.ask(path);
    expect((await other.ask(path)).word).toBe("HIT");
    one.platform.advance(1);
    expect(await one.cache.purge({ ...NOTHING, ...what })).toBe("everywhere");
    one.platform.advance(1);
    expect((await one.ask(path)).word).toBe("MISS");
    one.platform.advance(6000);
    expect((await other.ask(path)).text, "what was asked for since").toBe('{"count":2}');
  });

  it("is one script, whatever it reaches, and never searches keys", async () => {
    const { one } = await holding();
    one.wire.commands.length = 0;
    await one.cache.purge({ ...NOTHING, tags: ["news", "front"], prefixes: ["edge.example/a/"] });
    expect(one.wire.commands.map(([name]) => String(name).toLowerCase())).toEqual(["evalsha"]);
  });

  it("is seen by another isolate within its maximum age, without a call of its own", async () => {
    const { one, other } = await holding(["/a/1"]);
    await one.cache.purge({ ...NOTHING, files: [file("/a/1")] });
    one.platform.advance(4990);
    const before = await other.ask("/a/1");
    expect(before, "it looked less than 5 s ago").toMatchObject({ word: "HIT", calls: 0 });
    one.platform.advance(20);
    const after = await other.ask("/a/1");
    expect(after, "the look that was due tells it").toMatchObject({ word: "MISS", calls: 1 });
  });

  it("reaches what a request already under way will store", async () => {
    const origin = new Origin(counted(LONG));
    const { cache, ask, platform } = openCache({ origin });
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const asking = ask("/a/1");
    await until(() => origin.count > 0);
    platform.advance(5);
    await cache.purge({ ...NOTHING, files: [file("/a/1")] });
    held.resolve();
    await asking;
    expect((await ask("/a/1")).word, "asked before the purge, arrived after it").toBe("MISS");
  });

  it("that is soft makes it stale: served while somebody validates it", async () => {
    const { one, origin } = await holding(["/a/1"]);
    await one.cache.purge({ ...NOTHING, tags: ["front"], soft: true });
    one.platform.advance(1000);
    expect(await one.ask("/a/1")).toMatchObject({ word: "STALE", text: '{"count":1}' });
    expect(await one.ask("/a/1")).toMatchObject({ word: "HIT", text: '{"count":2}' });
    expect(origin.count).toBe(2);
  });

  it("reaches entries that were stored before and found again in Redis", async () => {
    const { one, origin } = await holding(["/a/1"]);
    await one.cache.purge({ ...NOTHING, everything: true });
    one.platform.advance(1);
    const fresh = openCache({ origin, platform: one.platform, prefix: one.prefix });
    expect((await fresh.ask("/a/1")).word).toBe("MISS");
    one.platform.advance(1);
    const another = openCache({ origin, platform: one.platform, prefix: one.prefix });
    expect((await another.ask("/a/1")).word, "what was stored after it stays").toBe("HIT");
  });

  it("goes by what the response now is tagged with, and by the route's tags", async () => {
    const origin = new Origin(counted({ "cache-control": "max-age=600", "surrogate-key": "one two" }));
    const { cache, ask, platform } = openCache({ origin, rule: { tags: ["api"] } });
    for (const tag of ["one", "two", "api"]) {
      await ask("/a/1");
      platform.advance(1);
      await cache.purge({ ...NOTHING, tags: [tag] });
      expect((await ask("/a/1")).word, tag).toBe("MISS");
    }
  });

  it.each([false, true])(
    "by a tag that the route has got since reaches what was stored before, varying: %s",
    async (varies) => {
      const origin = new Origin(
        counted({ "cache-control": "max-age=600", ...(varies && { vary: "accept" }) }),
      );
      const before = openCache({ origin });
      await before.ask("/a");
      const { platform, prefix } = before;
      const deployed = () => openCache({ origin, platform, prefix, rule: { tags: ["Own"] } });
      const one = deployed();
      expect((await one.ask("/a")).word).toBe("HIT");
      platform.advance(1);
      await one.cache.purge({ ...NOTHING, tags: ["own"] });
      platform.advance(1);
      expect((await deployed().ask("/a")).text, "in a new isolate").toBe('{"count":2}');
      expect((await one.ask("/a")).text).toBe('{"count":2}');
    },
  );

  it("beyond the log's thousand becomes a purge of everything that is as old", async () => {
    const { one, other } = await holding(["/a/1"]);
    for (let n = 0; n < 20; n += 1) {
      const files = Array.from({ length: 100 }, (_, index) => file(`/other/${n}/${index}`));
      await one.cache.purge({ ...NOTHING, files });
      expect(one.cache.sizes.purges, "known here").toBeLessThanOrEqual(1752);
      one.platform.advance(1);
    }
    const batch = one.store.batch();
    const kept = batch.queue((pipeline) => pipeline.zcount(one.keys.purges(), "-inf", "+inf"));
    await batch.send();
    expect(await kept, "in Redis").toBeLessThanOrEqual(1002);
    one.platform.advance(6000);
    expect((await other.ask("/a/1")).word, "it was older than a purge that left the log").toBe("MISS");
  });
});

describe("the log of purges", () => {
  it("is read from where it was last read, whatever this isolate has purged itself meanwhile", async () => {
    const { one, other } = await holding(["/a/1", "/a/2"]);
    await one.cache.purge({ ...NOTHING, tags: ["news"] });
    one.platform.advance(60_000);
    await other.cache.purge({ ...NOTHING, files: [file("/elsewhere")] });
    expect((await other.ask("/a/1")).word, "a minute before its own").toBe("MISS");
    one.platform.advance(60_000);
    const late = openCache({ origin: one.origin, platform: one.platform, prefix: one.prefix });
    await late.cache.purge({ ...NOTHING, files: [file("/elsewhere")] });
    expect((await late.ask("/a/2")).word, "an isolate whose first act was a purge of its own").toBe("MISS");
  });

  it("keeps a purge of everything, though older ones must leave", async () => {
    const { one, other } = await holding(["/a/1"]);
    for (let n = 0; n < 15; n += 1) {
      const files = Array.from({ length: 100 }, (_, index) => file(`/other/${n}/${index}`));
      await one.cache.purge({ ...NOTHING, files });
      one.platform.advance(1);
      if (n === 5) {
        await one.ask("/a/1");
        await other.ask("/a/1");
        one.platform.advance(1);
      }
    }
    await one.cache.purge({ ...NOTHING, everything: true });
    one.platform.advance(1);
    await one.cache.purge({ ...NOTHING, files: [file("/one/more")] });
    const log = one.store.batch();
    const score = log.queue((pipeline) =>
      pipeline.eval(
        `return redis.call('ZSCORE', KEYS[1], '{"k":"everything","v":"","s":false}')`,
        [one.keys.purges()],
        [],
      ),
    );
    await log.send();
    expect(Number(await score), "its time is that of the purge, not of what left").toBe(
      one.platform.now() - 1,
    );
  });

  it("is not held to be read lately by a clock that was ahead", async () => {
    const { one, other } = await holding(["/a/1"]);
    one.platform.advance(-3_600_000);
    expect((await other.ask("/a/1")).calls, "it looks").toBe(1);
  });
});

describe("a purge while the store is lost", () => {
  it("takes effect here at once, says so, and reaches all when the store is back", async () => {
    const { one, other } = await holding(["/a/1"]);
    await one.lose();
    expect(await one.cache.purge({ ...NOTHING, files: [file("/a/1")] })).toBe("isolate");
    expect((await one.ask("/a/1")).word).toBe("MISS");
    expect((await other.ask("/a/1")).word, "it could not be written").toBe("HIT");
    await one.recover();
    expect((await other.ask("/a/1")).word, "now it is written").toBe("MISS");
  });

  it("is bounded: beyond a thousand it is everything", async () => {
    const { one, other } = await holding(["/a/1"]);
    await one.lose();
    for (let n = 0; n < 11; n += 1) {
      const files = Array.from({ length: 100 }, (_, index) => file(`/other/${n}/${index}`));
      await one.cache.purge({ ...NOTHING, files });
    }
    await one.recover();
    expect((await other.ask("/a/1")).word).toBe("MISS");
  });
});
