import { describe, expect, it } from "vitest";
import { textsIn } from "../../../src/store/replies.ts";
import { type CacheIsolate, json, Origin, openCache } from "../../support/cache.ts";
import { storeOfOwner } from "../../support/store.ts";

const LONG = { "cache-control": "max-age=60" };

function another(isolate: CacheIsolate, origin = isolate.origin): CacheIsolate {
  return openCache({ origin, platform: isolate.platform, prefix: isolate.prefix });
}

async function fieldsOf({ keys, prefix }: CacheIsolate): Promise<string[]> {
  const batch = storeOfOwner().store.batch();
  const script = `local all = {} for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
    if redis.call('TYPE', key).ok == 'hash' then for _, f in ipairs(redis.call('HKEYS', key)) do all[#all + 1] = f end end
  end return all`;
  const reply = batch.queue((pipeline) => pipeline.eval(script, [keys.purges()], [`${prefix}*`]));
  await batch.send();
  return textsIn(await reply);
}

describe("variants of a URL", () => {
  it("are one hash in Redis, 32 at most: the oldest leaves, with all that is its", async () => {
    const origin = new Origin(({ headers }) =>
      json({ for: headers.get("accept") }, { ...LONG, vary: "accept", etag: `"${headers.get("accept")}"` }),
    );
    const first = openCache({ origin });
    for (let n = 0; n < 40; n += 1) await first.ask("/v1/x", { headers: { accept: `a/${n}` } });
    const fields = await fieldsOf(first);
    for (const kind of ["i:", "e:", "t:"]) {
      expect(
        fields.filter((field) => field.startsWith(kind)),
        `fields ${kind}`,
      ).toHaveLength(32);
    }
    const words = [];
    for (const n of [8, 39, 7])
      words.push((await another(first).ask("/v1/x", { headers: { accept: `a/${n}` } })).word);
    expect(words, "the 32 newest are there, the next has left").toEqual(["HIT", "HIT", "MISS"]);
    expect((await first.ask("/v1/x", { headers: { accept: "a/39" } })).word, "in the isolate").toBe("HIT");
  });

  it.each([
    ["four of which three have room", 4000, 4, 20_000, 3],
    ["32 of which one has not", 600, 32, 95_000, 31],
    ["one that has room", 4000, 1, 20_000, 1],
    ["three of which none has", 30_000, 3, 20_000, 0],
  ])(
    "are held in the isolate as far as there is room, the newest first: %s",
    async (_, bytes, count, isolateBytes, held) => {
      const origin = new Origin(({ headers }) =>
        json({ for: headers.get("accept"), text: "x".repeat(bytes) }, { ...LONG, vary: "accept" }),
      );
      const { ask, cache } = openCache({ origin, connection: null, isolateBytes });
      for (let n = 0; n < count; n += 1) await ask("/v1/x", { headers: { accept: `a/${n}` } });
      const words = [];
      for (let n = count - held; n < count; n += 1)
        words.push((await ask("/v1/x", { headers: { accept: `a/${n}` } })).word);
      expect(words).toEqual(words.map(() => "HIT"));
      expect(cache.sizes.bytes).toBeLessThanOrEqual(isolateBytes);
      if (held < count)
        expect((await ask("/v1/x", { headers: { accept: "a/0" } })).word, "the oldest").toBe("MISS");
    },
  );

  it("of several sets of fields are all found, whichever came last", async () => {
    const origin = new Origin(({ headers }) =>
      headers.has("x-a")
        ? json({ a: 1 }, { ...LONG, vary: "x-a" })
        : json({ b: 1 }, { ...LONG, vary: "x-a, x-b" }),
    );
    const first = openCache({ origin });
    await first.ask("/v1/x", { headers: { "x-a": "1" } });
    await first.ask("/v1/x", { headers: { "x-b": "1" } });
    const isolate = another(first);
    expect((await isolate.ask("/v1/x", { headers: { "x-a": "1", "x-b": "7" } })).text).toBe('{"a":1}');
    expect((await isolate.ask("/v1/x", { headers: { "x-b": "1" } })).text).toBe('{"b":1}');
    expect(origin.count).toBe(2);
  });

  it("are told apart by each spelling of a name that a CGI program reads as the same", async () => {
    const origin = new Origin(({ headers }) =>
      json([headers.get("x-a"), headers.get("x_a")], { ...LONG, vary: "x-a" }),
    );
    const first = openCache({ origin });
    const asked = [{}, { x_a: "1" }, { "x-a": "1" }, { "x-a": "1", x_a: "1" }, { "x-a": "1", x_a: "2" }];
    const texts = [];
    for (const headers of asked) texts.push((await first.ask("/v1/x", { headers: { ...headers } })).text);
    expect(new Set(texts).size).toBe(asked.length);
    for (const [index, headers] of asked.entries()) {
      const expected = { word: "HIT", text: texts[index] };
      expect(await first.ask("/v1/x", { headers: { ...headers } })).toMatchObject(expected);
      expect(await another(first).ask("/v1/x", { headers: { ...headers } })).toMatchObject(expected);
    }
  });

  it("are all named to the origin, and its 304 makes one of them the answer (RFC 9111 §4.3.1, §4.3.4)", async () => {
    const origin = new Origin(({ headers }) => {
      const language = headers.get("accept-language")?.startsWith("de") ? "de" : "en";
      const fields = { ...LONG, vary: "accept-language", etag: `"${language}"` };
      return headers.get("if-none-match")?.includes(`"${language}"`)
        ? new Response(null, { status: 304, headers: fields })
        : json({ language }, fields);
    });
    const first = openCache({ origin });
    await first.ask("/v1/x", { headers: { "accept-language": "de" } });
    await first.ask("/v1/x", { headers: { "accept-language": "en" } });
    for (const isolate of [first, another(first)]) {
      const austrian = `de-AT;q=0.${origin.count}`;
      const reply = await isolate.ask("/v1/x", { headers: { "accept-language": austrian } });
      const sent = origin.asked.at(-1)?.headers.get("if-none-match") ?? "";
      expect(new Set(sent.split(", "))).toEqual(new Set(['"de"', '"en"']));
      expect(reply, "the body that was here, from wherever").toMatchObject({
        text: '{"language":"de"}',
        word: "REVALIDATED",
      });
      const again = await isolate.ask("/v1/x", { headers: { "accept-language": austrian } });
      expect(again.word, "it is now stored for such a request as well").toBe("HIT");
    }
  });

  it("that a 304 names and nobody has any more are fetched whole", async () => {
    const origin = new Origin(({ headers }) =>
      headers.has("if-none-match")
        ? new Response(null, { status: 304, headers: { etag: '"gone"' } })
        : json({ whole: true }, { ...LONG, vary: "accept", etag: '"a"' }),
    );
    const { ask } = openCache({ origin });
    await ask("/v1/x", { headers: { accept: "a/a" } });
    expect((await ask("/v1/x", { headers: { accept: "b/b" } })).text).toBe('{"whole":true}');
    expect(origin.count, "the first, one whose 304 confirmed nothing, one without conditions").toBe(3);
  });

  it("selected by a credential never hold it, in Redis or on the way there", async () => {
    const origin = new Origin(() =>
      json({}, { "cache-control": "public, max-age=60", vary: "cookie, authorization" }),
    );
    const first = openCache({ origin });
    const mine = { headers: { cookie: "sid=very-secret-cookie", authorization: "Bearer very-secret-token" } };
    const credentials = { confirmed: { credentials: { any: true } as never } };
    await first.ask("/v1/x", { ...mine, ...credentials });
    const isolate = another(first);
    expect((await isolate.ask("/v1/x", { ...mine, ...credentials })).word).toBe("HIT");
    const other = { headers: { ...mine.headers, cookie: "sid=another" } };
    expect((await isolate.ask("/v1/x", { ...other, ...credentials })).word).toBe("MISS");
    expect(JSON.stringify([first.wire.commands, isolate.wire.commands])).not.toContain("very-secret");
  });

  it("are told apart by fields of any length, here and in Redis", async () => {
    const origin = new Origin(({ headers }) =>
      json({ for: headers.get("x-long")?.length ?? 0 }, { ...LONG, vary: "x-long" }),
    );
    const first = openCache({ origin });
    await first.ask("/v1/x");
    const long = (tail: string) => ({ headers: { "x-long": `${"x".repeat(3000)}${tail}` } });
    expect((await another(first).ask("/v1/x", long("a"))).text, "not the one without it").toBe(
      '{"for":3001}',
    );
    expect((await another(first).ask("/v1/x", long("a"))).word).toBe("HIT");
    expect((await another(first).ask("/v1/x", long("b"))).word, "another value").toBe("MISS");
  });

  it("that Redis gives to the wrong request are a miss", async () => {
    const origin = new Origin(({ headers }) => json({ for: headers.get("x-a") }, { ...LONG, vary: "x-a" }));
    const first = openCache({ origin });
    await first.ask("/v1/x", { headers: { "x-a": "1" } });
    await first.ask("/v1/x", { headers: { "x-a": "2" } });
    const batch = first.store.batch();
    // Somebody has put the entry of one under the name of the other.
    const swap = `local key = KEYS[1]
      local names = {}
      for name in string.gmatch(redis.call('HGET', key, 'order'), '[^,]+') do names[#names + 1] = name end
      local one, other = redis.call('HGET', key, 'e:' .. names[1]), redis.call('HGET', key, 'e:' .. names[2])
      return redis.call('HSET', key, 'e:' .. names[1], other, 'e:' .. names[2], one)`;
    const key = String(first.wire.commands.findLast(([name]) => name === "evalsha" || name === "eval")?.[6]);
    void batch.queue((pipeline) => pipeline.eval(swap, [key], []));
    await batch.send();
    const isolate = another(first);
    expect((await isolate.ask("/v1/x", { headers: { "x-a": "1" } })).text).toBe('{"for":"1"}');
    expect(isolate.lines.filter(({ event }) => event === "cache.corrupt")).toHaveLength(1);
  });

  it("of several that match, the most recent by Date answers, whether or not one is selected by a secret", async () => {
    const at = (minute: number) => `Thu, 15 Jan 2026 12:0${minute}:00 GMT`;
    const origin = new Origin(({ headers }) =>
      headers.has("cookie")
        ? json({ n: 2 }, { "cache-control": "public, max-age=600", date: at(0), vary: "cookie" })
        : json({ n: 1 }, { "cache-control": "public, max-age=600", date: at(0) }),
    );
    const { ask, platform } = openCache({ origin, connection: null });
    await ask("/v1/x");
    const mine = {
      headers: { cookie: "a=1", "cache-control": "no-cache" },
      confirmed: { credentials: { any: true } as never },
    };
    platform.advance(1000);
    await ask("/v1/x", mine);
    expect((await ask("/v1/x", { ...mine, headers: { cookie: "a=1" } })).text, "the newer, by arrival").toBe(
      '{"n":2}',
    );
    expect((await ask("/v1/x")).text).toBe('{"n":1}');
  });

  it.each([
    ["that forgets Vary", {}],
    ["that names all but Origin", { vary: "Accept" }],
    ["with one tag for all", { etag: '"1"' }],
  ])("each page may read the answers of an origin %s", async (_, fields) => {
    const origin = new Origin(({ headers }) => {
      const page = headers.get("origin");
      const allowed = page ? { "access-control-allow-origin": page } : {};
      const own = { "cache-control": "public, max-age=60", ...fields, ...allowed };
      return headers.has("if-none-match") ? new Response(null, { status: 304, headers: own }) : json({}, own);
    });
    const { ask, platform } = openCache({ origin });
    for (const each of [1, 2, 3]) {
      for (const page of ["https://a.example", "https://b.example"]) {
        const answer = await ask("/v1/x", { headers: { origin: page } });
        expect(answer.headers.get("access-control-allow-origin"), `${each}`).toBe(page);
        if (each === 2) expect(answer.word).toBe("HIT");
      }
      if (each === 2) platform.advance(61_000);
    }
  });

  it("by what is of one request alone are not stored", async () => {
    const origin = new Origin(() => json({}, { "cache-control": "public, max-age=60", vary: "X-User-Id" }));
    const { ask, cache } = openCache({ origin });
    await ask("/v1/x");
    expect(cache.sizes.urls).toBe(0);
  });

  it("of Vary: * are never stored", async () => {
    const origin = new Origin(() => json({}, { ...LONG, vary: "accept, *" }));
    const { ask, cache } = openCache({ origin });
    await ask("/v1/x");
    expect(cache.sizes.urls).toBe(0);
  });
});

describe("the key", () => {
  it("is the whole query by default; a route may ignore and sort", async () => {
    const exact = openCache({ origin: new Origin(() => json({}, LONG)) });
    await exact.ask("/v1/x?b=1&a=2");
    expect((await exact.ask("/v1/x?a=2&b=1")).word).toBe("MISS");
    const loose = openCache({
      origin: new Origin(() => json({}, LONG)),
      rule: { query: { ignore: ["utm_*", "ref"], sort: true } },
    });
    await loose.ask("/v1/x?b=1&a=2");
    expect((await loose.ask("/v1/x?utm_source=x&a=2&ref=y&b=1&utm_id=1")).word).toBe("HIT");
    expect((await loose.ask("/v1/x?a=2&b=1&c=3")).word).toBe("MISS");
    await loose.ask("/v1/x?tag=1&tag=2");
    expect((await loose.ask("/v1/x?tag=2&tag=1")).word, "the order under one name is kept").toBe("MISS");
    expect((await loose.ask("/v1/x?a=2&&b=1")).word, "an empty pair is one").toBe("MISS");
  });

  it("tells http from https: an origin that redirects one to the other must not be believed for both", async () => {
    const origin = new Origin(({ url }) =>
      url.startsWith("http:")
        ? new Response(null, { status: 301, headers: { location: url.replace("http:", "https:"), ...LONG } })
        : json({}, LONG),
    );
    const { ask } = openCache({ origin });
    expect((await ask("http://edge.example/v1/x")).status).toBe(301);
    expect((await ask("https://edge.example/v1/x")).status).toBe(200);
  });

  it("tells hosts apart, without case", async () => {
    const { ask } = openCache({ origin: new Origin(() => json({}, LONG)) });
    await ask("https://one.example/v1/x");
    expect((await ask("https://two.example/v1/x")).word).toBe("MISS");
    expect((await ask("https://ONE.example/v1/x")).word).toBe("HIT");
  });
});
