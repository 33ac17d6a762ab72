import { describe, expect, it } from "vitest";
import { RedisEntryStore } from "../../../src/response-cache/redis-entry-store.ts";
import { textsIn } from "../../../src/store/replies.ts";
import { type Answer, type AskOptions, counted, Origin, openCache, sessionOf } from "../../support/cache.ts";
import { until } from "../../support/until.ts";

const NOTHING = { files: [], prefixes: [], tags: [], everything: false, soft: false };
const LONG = { "cache-control": "max-age=3600" };
const NO_CACHE = { headers: { "cache-control": "no-cache" } };
const HEAD = { ...NO_CACHE, method: "HEAD" };
const ADA: AskOptions = { session: { claims: sessionOf("ada"), turnsOut: "alive" } };

function isolates(answer: Answer, rule = {}) {
  const origin = new Origin(answer);
  const one = openCache({ origin, rule });
  const next = () => openCache({ origin, rule, platform: one.platform, prefix: one.prefix });
  /** A request whose answer, made now, takes its time on the way. */
  async function slowly(isolate: typeof one, path: string, who: AskOptions = {}) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { count, answer: later } = origin;
    origin.gate = promise;
    const asking = isolate.ask(path, { ...NO_CACHE, ...who });
    await until(() => origin.count > count);
    origin.gate = Promise.resolve();
    return () => {
      origin.answer = later;
      resolve();
      return asking;
    };
  }
  return { origin, one, next, other: next(), slowly };
}

describe("a HEAD from whoever likes does not keep outdated answers alive", () => {
  const missing: Answer = () => new Response("nothing", { status: 404 });
  const moved: Answer = () => new Response(null, { status: 301, headers: { location: "/q" } });
  const page =
    (text: string, fields: Record<string, string> = {}): Answer =>
    ({ method }) =>
      new Response(method === "HEAD" ? null : text, { headers: fields });

  it.each<[string, Answer, Answer]>([
    ["a page comes into being", missing, page("new", LONG)],
    ["a page is moved no longer", moved, page("new", LONG)],
    ["nothing tells the old from the new", page("old"), page("new")],
    ["both are as long", page("old"), page("new", { "content-length": "3" })],
  ])("where %s", async (_, before, after) => {
    const { origin, one, next } = isolates(before, { ttl: 60 });
    await one.ask("/p");
    origin.answer = after;
    for (let n = 0; n < 4; n += 1) {
      one.platform.advance(9000);
      await one.ask("/p", HEAD);
    }
    one.platform.advance(30_000);
    expect((await one.ask("/p")).text).toBe("new");
    expect((await next().ask("/p")).text).toBe("new");
  });
});

describe("what was purged does not come back by a 304 to an isolate that has yet to hear of it", () => {
  const tagged =
    (text: () => string, control: string): Answer =>
    ({ method, headers }) =>
      headers.get("if-none-match") === '"v"'
        ? new Response(null, { status: 304, headers: { etag: '"v"' } })
        : new Response(method === "HEAD" ? null : text(), {
            headers: { etag: '"v"', "cache-control": control },
          });

  it.each([
    ["everything", { everything: true }, NO_CACHE],
    ["its URL", { files: [new URL("https://edge.example/p")] }, NO_CACHE],
    ["its prefix", { prefixes: ["edge.example/"] }, NO_CACHE],
    ["its URL, and then a HEAD", { files: [new URL("https://edge.example/p")] }, HEAD],
  ])("%s", async (_, purge, asked) => {
    let text = "wrong";
    const { one, other } = isolates(tagged(() => text, "max-age=600"));
    for (const each of [one, other]) await each.ask("/p");
    text = "right";
    one.platform.advance(10);
    await one.cache.purge({ ...NOTHING, ...purge });
    one.platform.advance(10);
    expect((await other.ask("/p", asked)).word).toBe("REVALIDATED");
    one.platform.advance(5010);
    expect((await one.ask("/p")).text).toBe("right");
    expect((await other.ask("/p")).text).toBe("right");
    one.platform.advance(5010);
    expect(await other.ask("/p"), "once").toMatchObject({ word: "HIT", text: "right" });
  });

  it("nor does what a user had", async () => {
    let text = "theirs";
    const { one, other } = isolates(
      tagged(() => text, "private, max-age=600"),
      { scope: "caller" },
    );
    for (const each of [one, other]) await each.ask("/p", ADA);
    text = "deleted";
    one.platform.advance(10);
    await one.cache.purge({ ...NOTHING, users: ["ada"] });
    one.platform.advance(10);
    await other.ask("/p", { ...ADA, ...NO_CACHE });
    one.platform.advance(5010);
    expect((await other.ask("/p", ADA)).text).toBe("deleted");
    expect((await one.ask("/p", ADA)).text).toBe("deleted");
  });

  it("a soft purge is over once the origin has confirmed it", async () => {
    const { one, other } = isolates(tagged(() => "page", "max-age=600"));
    for (const each of [one, other]) await each.ask("/p");
    one.platform.advance(10);
    await one.cache.purge({ ...NOTHING, everything: true, soft: true });
    one.platform.advance(10);
    expect((await one.ask("/p")).word).toBe("REVALIDATED");
    one.platform.advance(5010);
    expect((await other.ask("/p")).word).toBe("HIT");
  });
});

/** What stands in the set of changes is forgotten after ten minutes. */
async function forget({ platform, store, keys }: ReturnType<typeof openCache>): Promise<void> {
  platform.advance(600_000);
  const batch = store.batch();
  void batch.queue((pipeline) => pipeline.del(keys.changes()));
  await batch.send();
}

describe("a write reaches what is stored under the other scheme, and does so when its change is forgotten", () => {
  it.each([
    ["/p", "http://edge.example/p"],
    ["http://edge.example/p", "/p"],
  ])("written to as %s, read as %s", async (written, read) => {
    const { one, next } = isolates(counted(LONG));
    await one.ask(read);
    await one.ask(written);
    one.platform.advance(10);
    await one.ask(written, { method: "POST" });
    await forget(one);
    for (const url of [read, written]) expect((await next().ask(url)).word, url).toBe("MISS");
  });
});

describe("a fill that ends late", () => {
  it("does not undo a withdrawal by another isolate, however long ago that was read", async () => {
    const { origin, one, other, slowly } = isolates(counted(LONG));
    await one.ask("/p");
    one.platform.advance(10);
    const arrive = await slowly(other, "/p");
    one.platform.advance(10);
    origin.answer = () => new Response(null, { status: 403 });
    await one.ask("/p", NO_CACHE);
    for (let n = 0; n < 5; n += 1) {
      one.platform.advance(5010);
      await other.ask(`/${n}`);
    }
    await arrive();
    await other.ask("/5");
    expect((await other.ask("/p")).word).toBe("MISS");
  });

  it("does not replace a later answer of another isolate", async () => {
    const { origin, one, other, next, slowly } = isolates(counted(LONG));
    const { answer } = origin;
    const arrive = await slowly(one, "/p");
    one.platform.advance(2000);
    origin.answer = () => new Response("gone", { status: 410, headers: LONG });
    await other.ask("/p");
    origin.answer = answer;
    await arrive();
    expect(await next().ask("/p")).toMatchObject({ word: "HIT", text: "gone" });
  });

  it.each([
    ["a write by https", {}, "/p", "/p"],
    ["a write by http", {}, "http://edge.example/p", "/p"],
    ["a write of what is a caller's own", ADA, "/p", "/p"],
    ["a write, and it came by http", {}, "/p", "http://edge.example/p"],
  ])("does not outlive %s, where nothing was stored and all is forgotten", async (_, who, written, read) => {
    const { one, other, next, slowly } = isolates(counted(LONG), "session" in who ? { scope: "caller" } : {});
    const arrive = await slowly(one, read, who);
    one.platform.advance(1500);
    await other.ask(written, { method: "POST" });
    one.platform.advance(1500);
    await arrive();
    await forget(one);
    expect((await next().ask(read, who)).word).toBe("MISS");
  });

  it("does not replace a later answer in its isolate", async () => {
    const { one, slowly } = isolates(counted(LONG));
    const arrive = await slowly(one, "/p");
    one.platform.advance(10);
    // Who accepts events waits for nobody.
    const later = await one.ask("/p", { headers: { accept: "text/event-stream" } });
    await arrive();
    expect(await one.ask("/p")).toMatchObject({ word: "HIT", text: later.text });
  });
});

describe("a quick fill that meets a write where nothing is stored", () => {
  const page = (fields: Record<string, string> = {}, text = "old") =>
    new Response(text, { headers: { ...LONG, ...fields } });
  const own = { scope: "caller" };
  const write = { method: "POST" };

  it.each<[what: string, answer: Answer, rule?: object, who?: AskOptions]>([
    ["of everybody's", () => page()],
    ["with a tag", () => page({ etag: '"a"' })],
    ["that varies", () => page({ vary: "accept-language" })],
    ["in a coding", () => page({ "content-encoding": "x-own" })],
    ["that is a remembered 404", () => new Response("none", { status: 404, headers: LONG })],
    ["that is long", () => page({ "content-type": "image/png" }, "x".repeat(300_000))],
    ["that is empty", () => page({}, "")],
    ["of a caller's own", () => page(), own, ADA],
  ])("does not outlive what tells of the write: %s", async (_, answer, rule, who) => {
    for (const late of ["the fill", "the write"]) {
      const { origin, one, other, next, slowly } = isolates(
        (request) => (request.method === "POST" ? new Response("done") : answer(request)),
        rule,
      );
      const arrive = await slowly(one, "/p", who);
      one.platform.advance(5);
      const writing = await other.ask("/p", { ...write, unsettled: late === "the write" });
      await arrive();
      await writing.settle();
      // Nobody reads the changes for as long as they stand.
      const batch = one.store.batch();
      void batch.queue((pipeline) => pipeline.del(one.keys.changes()));
      await batch.send();
      one.platform.advance(700_000);
      const { count } = origin;
      expect((await next().ask("/p", who)).word, `${late} comes last`).toBe("MISS");
      expect(origin.count).toBe(count + 1);
      expect((await next().ask("/p", who)).word, "and is stored again").toBe("HIT");
    }
  });

  it.each([
    ["http:", "https:"],
    ["https:", "http:"],
  ])("by %s does not outlive a write by %s", async (filled, written) => {
    const { origin, one, other, next, slowly } = isolates((request) =>
      request.method === "POST" ? new Response("done") : page(),
    );
    const url = `${filled}//edge.example/p`;
    const arrive = await slowly(one, url);
    one.platform.advance(5);
    await (await other.ask(`${written}//edge.example/p`, write)).settle();
    await arrive();
    const batch = one.store.batch();
    void batch.queue((pipeline) => pipeline.del(one.keys.changes()));
    await batch.send();
    one.platform.advance(700_000);
    const { count } = origin;
    expect((await next().ask(url)).word).toBe("MISS");
    expect(origin.count).toBe(count + 1);
  });

  it("costs a cold miss nothing", async () => {
    const { one } = isolates(() => page());
    await one.ask("/p");
    expect(one.wire.commands.map(([name]) => name)).toEqual(["mget", "zrange", "zrange", "set"]);
  });

  it("leaves nothing in Redis of writes to URLs that nobody asks for, and at most 500 keys meanwhile", async () => {
    const { one } = isolates(() => page());
    const { store, keys, platform } = one;
    const entries = new RedisEntryStore({ keys, platform, store });
    const address = () => {
      const urlHash = crypto.randomUUID();
      return { url: "", urlHash, key: urlHash, sharedKey: urlHash };
    };
    let left: number[] = [];
    // A busy machine may look when they have gone again: they live for three seconds, by Redis' own clock.
    await until(async () => {
      const addresses = Array.from({ length: 700 }, address);
      const batch = store.batch();
      for (const each of addresses) void entries.invalidate(each, { hard: platform.now(), soft: 0 }, batch);
      await batch.send();
      const looking = store.batch();
      const lives = addresses.map(({ key }) =>
        looking.queue((pipeline) => pipeline.pttl(keys.invalidatedAt(key))),
      );
      await looking.send();
      left = (await Promise.all(lives)).map(Number).filter((ms) => ms !== -2);
      expect(left.length).toBeLessThanOrEqual(500);
      return left.length > 0;
    }, "some are there");
    for (const ms of left) expect(ms).toBeLessThanOrEqual(3000);
  });
});

describe("a 304 that names another variant", () => {
  it("stores its long body for the request's own", async () => {
    const bytes = "x".repeat(300_000);
    const fields = { etag: '"v"', vary: "accept-language", "cache-control": "max-age=600" };
    const { origin, one, next } = isolates(({ headers }) =>
      headers.get("if-none-match")?.includes('"v"')
        ? new Response(null, { status: 304, headers: fields })
        : new Response(bytes, { headers: { ...fields, "content-type": "image/png" } }),
    );
    await one.ask("/p", { headers: { "accept-language": "de" } });
    await one.ask("/p", { headers: { "accept-language": "en" } });
    for (const language of ["en", "de"]) {
      const asked = await next().ask("/p", { headers: { "accept-language": language } });
      expect([asked.word, asked.bytes.length, origin.count]).toEqual(["HIT", 300_000, 2]);
    }
  });
});

describe("writes to many URLs", () => {
  const isolate = () => openCache({ origin: new Origin(counted(LONG)), connection: null });
  const write = (one: ReturnType<typeof openCache>, n: number) => one.ask(`/w?n=${n}`, { method: "POST" });

  it("empty an isolate once for thousands of them, not each time", async () => {
    const one = isolate();
    for (let n = 0; n <= 10_000; n += 1) await write(one, n);
    one.platform.advance(1);
    await one.ask("/p");
    for (let n = 10_001; n < 14_000; n += 1) await write(one, n);
    expect((await one.ask("/p")).word).toBe("HIT");
    for (let n = 14_000; n < 15_010; n += 1) await write(one, n);
    expect((await one.ask("/p")).word, "what is forgotten may concern it").toBe("MISS");
    expect(one.cache.sizes.invalidations).toBeLessThanOrEqual(10_000);
  });

  it("leave half of the set of changes, so that isolates drop what they hold once for a thousand", async () => {
    const { platform, store, keys } = isolates(counted(LONG)).one;
    const entries = new RedisEntryStore({ keys, platform, store });
    const write = async (count: number) => {
      const batch = store.batch();
      for (let n = 0; n < count; n += 1) {
        const urlHash = crypto.randomUUID();
        void entries.invalidate(
          { url: "", urlHash, key: urlHash, sharedKey: urlHash },
          { hard: platform.now(), soft: 0 },
          batch,
        );
      }
      await batch.send();
    };
    const members = async () => {
      const batch = store.batch();
      const found = batch.queue((pipeline) => pipeline.zrange(keys.changes(), 0, -1));
      await batch.send();
      return textsIn(await found);
    };
    for (let n = 0; n < 4; n += 1) await write(500);
    expect(await members()).toHaveLength(2000);
    await write(1);
    const left = await members();
    expect([left.length, left.includes("!")]).toEqual([1000, true]);
    await write(500);
    expect(await members()).toHaveLength(1500);
  });
});
