import { describe, expect, it } from "vitest";
import { countIn, listIn } from "../../../src/store/replies.ts";
import { counted, json, Origin, openCache } from "../../support/cache.ts";
import { storeOfOwner } from "../../support/store.ts";
import { until } from "../../support/until.ts";

const LONG = { "cache-control": "max-age=86400" };

function readsAndWrites() {
  const reads = counted(LONG);
  return new Origin((request) => (request.method === "GET" ? reads(request) : json({})));
}

async function twoIsolates(paths = ["/v1/x", "/v1/y"]) {
  const origin = readsAndWrites();
  const one = openCache({ origin });
  const other = openCache({ origin, platform: one.platform, prefix: one.prefix });
  for (const path of paths) await other.ask(path);
  one.platform.advance(1);
  const open = () => openCache({ origin, platform: one.platform, prefix: one.prefix });
  return { origin, one, other, open };
}

describe("a write in another isolate", () => {
  it("reaches a copy that nobody has asked Redis for since, with the look of a request for another URL", async () => {
    const { one, other } = await twoIsolates();
    await one.ask("/v1/x", { method: "PUT" });
    one.platform.advance(5001);
    await other.ask("/v1/y");
    expect((await other.ask("/v1/x")).word).toBe("MISS");
    expect((await other.ask("/v1/y")).word).toBe("HIT");
  });

  it("reaches it where Redis has never had the entry", async () => {
    const { one, other } = await twoIsolates([]);
    const { fetch } = other.platform;
    other.platform.fetch = async (input, init) =>
      String(init?.body).includes('"set"') ? Response.json([{ result: "OK" }]) : fetch(input, init);
    await other.ask("/v1/x");
    other.platform.fetch = fetch;
    one.platform.advance(1);
    await one.ask("/v1/x", { method: "PUT" });
    one.platform.advance(300_000);
    await other.ask("/v1/y");
    expect((await other.ask("/v1/x")).word).toBe("MISS");
  });

  it("reaches what was asked for before it and stored after it, where nothing was stored", async () => {
    const { origin, one, other, open } = await twoIsolates([]);
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const slow = other.ask("/v1/x");
    await until(() => origin.count === 1, "the slow one is at the origin");
    origin.gate = Promise.resolve();
    one.platform.advance(1);
    await one.ask("/v1/x", { method: "PUT" });
    one.platform.advance(1);
    held.resolve();
    const old = (await slow).text;
    expect((await open().ask("/v1/x")).text, "a third isolate").not.toBe(old);
  });

  it("reaches every caller's entry after days, though only their own hashes hold them", async () => {
    const origin = readsAndWrites();
    const options = { origin, rule: { scope: "caller", ttl: 600_000 } as const };
    const one = openCache(options);
    const ada = {
      confirmed: {
        identity: { kind: "user" as const, hash: "ada".padStart(32, "0") },
        key: { kind: "verified" as const, name: "ada", tier: null, userId: "ada", hash: "ada" },
        credentials: { sessionToken: null, jwt: null, apiKey: "ada", sessionCookie: false, any: true },
      },
    };
    await one.ask("/v1/x", ada);
    one.platform.advance(1);
    await one.ask("/v1/x", { method: "PUT" });
    one.platform.advance(80_000_000);
    const fresh = openCache({ ...options, platform: one.platform, prefix: one.prefix });
    expect((await fresh.ask("/v1/x", ada)).word).toBe("MISS");
  });

  it("is not missed by an isolate that has slept longer than changes are kept", async () => {
    const { one, other } = await twoIsolates();
    await one.ask("/v1/x", { method: "PUT" });
    one.platform.advance(700_000);
    await other.ask("/v1/y");
    expect((await other.ask("/v1/x")).word).toBe("MISS");
  });

  it("is not missed where two thousand others came after it", async () => {
    const { one, other } = await twoIsolates();
    await one.ask("/v1/x", { method: "PUT" });
    const batch = one.store.batch();
    const fill = "for n = 1, 2100 do redis.call('ZADD', KEYS[1], ARGV[1] + n, 'hother' .. n) end";
    const changes = one.keys.changes();
    void batch.queue((pipeline) => pipeline.eval(fill, [changes], [one.platform.now()]));
    await batch.send();
    one.platform.advance(5001);
    await one.ask("/v1/z", { method: "PUT" });
    await other.ask("/v1/y");
    expect((await other.ask("/v1/x")).word).toBe("MISS");
    expect((await other.ask("/v1/y")).word).toBe("HIT");
    const counting = one.store.batch();
    const count = counting.queue((pipeline) => pipeline.zcard(changes));
    await counting.send();
    expect(await count).toBeLessThanOrEqual(2001);
  });

  it("is not missed by what was asked for before it, where two thousand others came after it", async () => {
    const { origin, one, other } = await twoIsolates(["/v1/y"]);
    const held = Promise.withResolvers<void>();
    const { count } = origin;
    origin.gate = held.promise;
    const slow = other.ask("/v1/x");
    await until(() => origin.count > count, "the slow one is at the origin");
    origin.gate = Promise.resolve();
    one.platform.advance(1);
    await one.ask("/v1/x", { method: "PUT" });
    const batch = one.store.batch();
    const fill = "for n = 1, 2100 do redis.call('ZADD', KEYS[1], ARGV[1] + n, 'hother' .. n) end";
    void batch.queue((pipeline) => pipeline.eval(fill, [one.keys.changes()], [one.platform.now()]));
    await batch.send();
    one.platform.advance(5001);
    await one.ask("/v1/z", { method: "PUT" });
    await other.ask("/v1/y");
    held.resolve();
    const old = (await slow).text;
    expect((await other.ask("/v1/x")).text).not.toBe(old);
  });

  it("leaves one key, however many URLs it is to, of which nothing is stored, once a fill has had its time", async () => {
    const { one } = await twoIsolates([]);
    for (let n = 0; n < 300; n += 1) await one.ask(`/v1/made-up-${n}`, { method: "POST" });
    await until(async () => (await keyCount(one)) <= 1, "the marks of 300 URLs have lapsed in Redis");
    expect(await keyCount(one)).toBe(1);
  });

  it("marks the URL's own entries for as long as these live", async () => {
    const { one, open } = await twoIsolates();
    await one.ask("/v1/x", { method: "PUT" });
    one.platform.advance(3_600_000);
    expect((await open().ask("/v1/x")).word, "an isolate that has read of no change").toBe("MISS");
  });

  it("begins the changes anew where somebody has written over them", async () => {
    const { one, other } = await twoIsolates();
    const batch = one.store.batch();
    void batch.queue((pipeline) => pipeline.set(one.keys.changes(), "x"));
    await batch.send();
    await one.ask("/v1/x", { method: "PUT" });
    one.platform.advance(5001);
    await other.ask("/v1/y");
    expect((await other.ask("/v1/x")).word).toBe("MISS");
  });
});

it("a withdrawal in another isolate reaches a copy with the look of a request for another URL", async () => {
  const { origin, one, other } = await twoIsolates();
  origin.answer = () => json("gone", {}, 410);
  one.platform.advance(1);
  await one.ask("/v1/x", { headers: { "cache-control": "no-cache" } });
  one.platform.advance(5001);
  await other.ask("/v1/y");
  expect((await other.ask("/v1/x")).status).toBe(410);
});

describe("URLs that were asked for once", () => {
  it("leave at most a thousand keys from an isolate, and are in Redis on the second request", async () => {
    const { origin, one, open } = await twoIsolates([]);
    for (let n = 0; n < 1300; n += 1) await one.ask(`/v1/x?${n}`);
    expect(await keyCount(one)).toBe(1000);
    const calls = origin.count;
    expect((await open().ask("/v1/x?999")).word, "one of the first thousand").toBe("HIT");
    expect((await open().ask("/v1/x?1299")).word, "one of the rest").toBe("MISS");
    expect((await one.ask("/v1/x?1200")).word, "the isolate has it").toBe("HIT");
    expect((await open().ask("/v1/x?1200")).word, "and now Redis").toBe("HIT");
    expect(origin.count).toBe(calls + 1);
  }, 600_000);

  it("that are asked for again make room for others", async () => {
    const { one, open } = await twoIsolates([]);
    for (let n = 0; n < 1000; n += 1) await one.ask(`/v1/x?${n}`);
    await one.ask("/v1/x?5");
    await one.ask("/v1/new");
    await one.ask("/v1/newer");
    expect((await open().ask("/v1/new")).word).toBe("HIT");
    expect((await open().ask("/v1/newer")).word).toBe("MISS");
  }, 600_000);

  it("are bounded in bytes too, variants among them", async () => {
    const body = "x".repeat(100_000);
    const origin = new Origin(
      () =>
        new Response(body, { headers: { ...LONG, vary: "accept-language", "content-type": "image/png" } }),
    );
    const one = openCache({ origin });
    for (let n = 0; n < 100; n += 1) {
      await one.ask(`/v1/x?${n % 10}`, { headers: { "accept-language": `l${n}` } });
    }
    const sent = one.wire.commands.filter((command) => command.some((each) => String(each).length > 100_000));
    expect(sent.length).toBeGreaterThan(10);
    expect(await memoryOf(one), "as Redis counts them").toBeLessThan(8_000_000);
  });
});

/** Bytes that all keys of an isolate's prefix take in Redis. */
async function memoryOf(isolate: ReturnType<typeof openCache>): Promise<number> {
  const script = `local sum = 0
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do sum = sum + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 0) end
return sum`;
  const batch = storeOfOwner().store.batch();
  const sum = batch.queue((pipeline) => pipeline.eval(script, [], [`${isolate.prefix}*`]));
  await batch.send();
  return countIn(await sum);
}

async function keyCount(isolate: ReturnType<typeof openCache>): Promise<number> {
  const batch = storeOfOwner().store.batch();
  const keys = batch.queue((pipeline) => pipeline.keys(`${isolate.prefix}*`));
  await batch.send();
  return listIn(await keys).length;
}
