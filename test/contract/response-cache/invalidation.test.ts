import { describe, expect, it } from "vitest";
import { json, Origin, openCache, sessionOf, twoIsolates } from "../../support/cache.ts";
import { until } from "../../support/until.ts";

const LONG = { "cache-control": "max-age=600" };

/** Answers GET with a body that differs each time, and everything else with nothing. */
function writable(headers: Record<string, string> = LONG) {
  const origin: Origin = new Origin(({ method }) =>
    method === "GET" ? json({ count: origin.count }, headers) : json({}),
  );
  return origin;
}

const holding = (paths: string[], origin = writable()) => twoIsolates(origin, paths);

describe("unsafe methods (RFC 9111 §4.4)", () => {
  it("reach Location and Content-Location of the same host, in every isolate", async () => {
    const origin = new Origin(({ method }) =>
      method === "POST"
        ? json({}, { location: "/v1/new", "content-location": "https://edge.example/v1/list" }, 201)
        : json({ count: origin.count }, { "cache-control": "max-age=600" }),
    );
    const one = openCache({ origin });
    const other = openCache({ origin, platform: one.platform, prefix: one.prefix });
    const paths = ["/v1/new", "/v1/list", "/v1/stays"];
    for (const path of paths) {
      await one.ask(path);
      await other.ask(path);
    }
    one.platform.advance(1);
    await one.ask("/v1/create", { method: "POST" });
    one.platform.advance(6000);
    const words = await Promise.all(paths.map(async (path) => (await other.ask(path)).word));
    expect(words).toEqual(["MISS", "MISS", "HIT"]);
  });

  it("write nothing where no route keeps what they change", async () => {
    const origin = new Origin(() => json({}));
    const { ask, wire } = openCache({ origin, ruleOf: () => null });
    await ask("/v1/x", { method: "DELETE" });
    expect(wire.calls).toBe(0);
  });

  it.each(["PUT", "PATCH", "DELETE", "POST"])(
    "%s: what was stored is gone here at once, in Redis after it, and elsewhere at the next look",
    async (method) => {
      const { origin, one, other } = await holding(["/v1/x", "/v1/y"]);
      await one.ask("/v1/x", { method });
      const fresh = openCache({ origin, platform: one.platform, prefix: one.prefix });
      expect((await one.ask("/v1/y")).word, "another URL").toBe("HIT");
      one.platform.advance(1);
      expect((await fresh.ask("/v1/x")).word, "an isolate that knows of nothing").toBe("MISS");
      expect((await other.ask("/v1/x")).word, "within its maximum age").toBe("HIT");
      one.platform.advance(5001);
      const after = await other.ask("/v1/x");
      expect(after.word, "then the one that was stored since").toBe("HIT");
      expect(after.text, "and not the one from before").toBe('{"count":4}');
    },
  );

  it("may be of any number of URLs, and nothing else is forgotten", async () => {
    const { one, other } = await holding(["/v1/stays"]);
    for (let n = 0; n < 1500; n += 1) await one.ask(`/v1/x?${n}`, { method: "POST" });
    one.platform.advance(6000);
    expect((await other.ask("/v1/stays")).word, "fifteen hundred writes to other URLs").toBe("HIT");
    expect((await one.ask("/v1/stays")).word).toBe("HIT");
  });

  it("cost one script for each URL", async () => {
    const { one } = await holding(["/v1/x"]);
    one.wire.commands.length = 0;
    await one.ask("/v1/x", { method: "PUT" });
    expect(one.wire.commands.map(([name]) => name)).toEqual(["evalsha"]);
  });

  it("outlive a new entry of a short life: nobody's older copy comes back", async () => {
    const origin = writable();
    const { one, other } = await holding(["/v1/x"], origin);
    await one.ask("/v1/x", { method: "PUT" });
    one.platform.advance(1);
    origin.answer = () => json({ short: true }, { "cache-control": "max-age=1" });
    await one.ask("/v1/x");
    one.platform.advance(2000);
    expect((await other.ask("/v1/x")).text, "within its maximum age").toBe('{"count":1}');
    one.platform.advance(4000);
    expect((await other.ask("/v1/x")).text).toBe('{"short":true}');
  });

  it("reach every caller's own entry of the URL, whoever wrote", async () => {
    const origin = writable();
    const options = { origin, rule: { scope: "caller", ttl: 600 } as const };
    const one = openCache(options);
    const other = openCache({ ...options, platform: one.platform, prefix: one.prefix });
    const as = (user: string) => ({
      confirmed: {
        identity: { kind: "user" as const, hash: user.padStart(32, "0") },
        key: { kind: "verified" as const, name: user, tier: null, userId: user, hash: user },
        credentials: { sessionToken: null, jwt: null, apiKey: user, sessionCookie: false, any: true },
      },
    });
    for (const user of ["a", "b"]) await other.ask("/v1/x", as(user));
    expect((await other.ask("/v1/x", as("b"))).word).toBe("HIT");
    one.platform.advance(1);
    await one.ask("/v1/x", { method: "PUT", ...as("a") });
    one.platform.advance(5001);
    expect((await other.ask("/v1/x", as("b"))).word, "another caller, another isolate").toBe("MISS");
  });

  it("reach what a request already under way will store, and nobody waits for that", async () => {
    const origin = writable();
    const { ask, begin, platform } = openCache({ origin });
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const first = ask("/v1/x");
    await until(() => origin.count === 1);
    origin.gate = Promise.resolve();
    platform.advance(1);
    await ask("/v1/x", { method: "PUT" });
    platform.advance(1);
    const second = await begin("/v1/x", {});
    held.resolve();
    await first;
    platform.advance(20);
    const { reply } = await second.reply;
    const text = reply.kind === "response" ? await reply.response.text() : "";
    expect(text, "asked for after the write").toBe('{"count":3}');
  });

  it("work on routes where a caller whose session is over goes past the cache", async () => {
    const isolate = openCache({ origin: writable(), rule: { scope: "caller", ttl: 600 } });
    const alive = { session: { claims: sessionOf("ada"), turnsOut: "alive" as const } };
    const over = { session: { ...alive.session, turnsOut: "over" as const } };
    await isolate.ask("/v1/x", alive);
    expect((await isolate.ask("/v1/x", alive)).word).toBe("HIT");
    isolate.platform.advance(1);
    await isolate.ask("/v1/x", { method: "PUT", ...over });
    expect((await isolate.ask("/v1/x", alive)).word).toBe("MISS");
  });

  it("while the store is lost reach all when it is back", async () => {
    const { one, other } = await holding(["/v1/x"]);
    await one.lose();
    one.platform.advance(1);
    await one.ask("/v1/x", { method: "POST" });
    expect((await one.ask("/v1/x")).word, "here at once").toBe("MISS");
    await one.recover();
    expect((await other.ask("/v1/x")).word).toBe("MISS");
  });

  it("beyond a thousand that could not be written become a purge of everything", async () => {
    const { one, other } = await holding(["/v1/x"]);
    await one.lose();
    for (let n = 0; n < 1001; n += 1) await one.ask(`/v1/y?${n}`, { method: "POST" });
    await one.recover();
    expect((await other.ask("/v1/x")).word).toBe("MISS");
  });
});

describe("what a validation says of an entry that others may hold", () => {
  it("a 304 that forbids to keep it takes it from every isolate (RFC 9111 §4.3.4)", async () => {
    const origin = new Origin(({ headers }) =>
      headers.has("if-none-match")
        ? new Response(null, { status: 304, headers: { etag: '"a"', "cache-control": "no-store" } })
        : json({ count: origin.count }, { ...LONG, etag: '"a"' }),
    );
    const { one, other } = await holding(["/v1/x"], origin);
    expect((await one.ask("/v1/x", { headers: { "cache-control": "no-cache" } })).word).toBe("REVALIDATED");
    one.platform.advance(1);
    const fresh = openCache({ origin, platform: one.platform, prefix: one.prefix });
    expect((await fresh.ask("/v1/x")).word, "out of Redis").toBe("MISS");
    one.platform.advance(5001);
    expect((await other.ask("/v1/x")).text, "not the one from before").not.toBe('{"count":1}');
  });

  it.each([
    ["a HEAD", { method: "HEAD" }],
    ["a request that wants nothing of it stored", { headers: { "cache-control": "no-store, no-cache" } }],
  ])("the 304 to %s drops nothing", async (_, asked) => {
    const origin = new Origin(({ headers, method }) =>
      headers.has("if-none-match")
        ? new Response(null, { status: 304, headers: { ...LONG, etag: '"a"' } })
        : json(method === "HEAD" ? null : { count: origin.count }, {
            "cache-control": "max-age=60",
            etag: '"a"',
          }),
    );
    const { ask, platform } = openCache({ origin, connection: null });
    await ask("/v1/x");
    platform.advance(61_000);
    expect((await ask("/v1/x", asked)).word).toBe("REVALIDATED");
    await ask("/v1/x");
    expect(
      origin.asked.filter(({ headers }) => !headers.has("if-none-match")),
      "fetched whole once",
    ).toHaveLength(1);
  });
});
