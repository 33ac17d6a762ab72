import { describe, expect, it } from "vitest";
import { type AskOptions, json, Origin, openCache, type Tier, tiers } from "../../support/cache.ts";
import { until } from "../../support/until.ts";

const SWR = { "cache-control": "max-age=10, stale-while-revalidate=600" };
const NO_CACHE = { "cache-control": "no-cache" };
const COOKIE: AskOptions = {
  headers: { ...NO_CACHE, cookie: "sid=ada" },
  confirmed: { credentials: { any: true } as never },
};

/** An origin that first says "old", and then what it is told to. */
function changing(first: Record<string, string> = SWR) {
  const origin = new Origin(() => json("old", first));
  return {
    origin,
    says: (answer: Origin["answer"]) => {
      origin.answer = answer;
    },
  };
}

const WITHDRAWING: [what: string, answer: () => Response][] = [
  ["404", () => json("gone", {}, 404)],
  ["410", () => json("gone", {}, 410)],
  ["403", () => json("no", {}, 403)],
  ["401", () => json("who", { "www-authenticate": "Bearer" }, 401)],
  ["451", () => json("law", {}, 451)],
  ["a redirect", () => new Response(null, { status: 302, headers: { location: "/login" } })],
  ["no-store", () => json("new", { "cache-control": "no-store" })],
  ["private", () => json("new", { "cache-control": "private, max-age=60" })],
  ["Set-Cookie", () => json("new", { "cache-control": "max-age=60", "set-cookie": "a=b" })],
  ["Vary: *", () => json("new", { "cache-control": "max-age=60", vary: "*" })],
];

describe.each(tiers)("an entry in $name is withdrawn", (tier) => {
  it.each(WITHDRAWING)("in the background by %s", async (_, answer) => {
    const { origin, says } = changing();
    const { first, next } = await stored(tier, origin);
    first.platform.advance(11_000);
    says(answer);
    expect((await next().ask("/v1/x")).text, "the first is served stale").toBe('"old"');
    expect((await next().ask("/v1/x")).text).not.toBe('"old"');
  });

  it.each(WITHDRAWING)("in the foreground by %s", async (_, answer) => {
    const { origin, says } = changing({ "cache-control": "max-age=60, stale-if-error=600" });
    const { first, next } = await stored(tier, origin);
    first.platform.advance(1);
    says(answer);
    await next().ask("/v1/x", { headers: NO_CACHE });
    says(() => json("down", {}, 503));
    expect((await next().ask("/v1/x")).status).toBe(503);
  });

  it.each<[what: string, asked: AskOptions, answer: () => Response]>([
    ["a 400", { headers: NO_CACHE }, () => json("odd", {}, 400)],
    ["a 406", { headers: NO_CACHE }, () => json("odd", {}, 406)],
    ["a 413", { headers: NO_CACHE }, () => json("odd", {}, 413)],
    ["a 429", { headers: NO_CACHE }, () => json("odd", {}, 429)],
    ["a 431", { headers: NO_CACHE }, () => json("odd", {}, 431)],
    ["a 500", { headers: NO_CACHE }, () => json("down", {}, 500)],
    ["a 501", { headers: NO_CACHE }, () => json("down", {}, 501)],
    ["a 404 to a HEAD", { method: "HEAD", headers: NO_CACHE }, () => new Response(null, { status: 404 })],
    ["a 404 to a credential", COOKIE, () => json("gone", {}, 404)],
    ["what is private to a credential", COOKIE, () => json("ada's", { "cache-control": "private" })],
    [
      "the 404 to another variant",
      { headers: { ...NO_CACHE, "accept-language": "fr" } },
      () => json("", {}, 404),
    ],
    [
      "an answer that the client wants unstored",
      { headers: { "cache-control": "no-cache, no-store" } },
      () => json("gone", {}, 404),
    ],
  ])("not by %s", async (_, asked, answer) => {
    const { origin, says } = changing({ "cache-control": "max-age=60", vary: "accept-language" });
    const { first, next } = await stored(tier, origin);
    first.platform.advance(1);
    says(answer);
    await next().ask("/v1/x", asked);
    expect(await next().ask("/v1/x")).toMatchObject({ word: "HIT", text: '"old"' });
  });

  it("and a fill that left earlier and lands later does not undo it", async () => {
    const { origin, says } = changing();
    const { first, next } = await stored(tier, origin);
    first.platform.advance(1);
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const slow = first.ask("/v1/x", { headers: NO_CACHE });
    await until(() => origin.count === 2);
    origin.gate = Promise.resolve();
    says(() => json("gone", { "cache-control": "no-store" }, 410));
    first.platform.advance(1);
    // The second does not wait for the first: no-cache asks for an answer of its own.
    const other = next();
    await other.ask("/v1/x", { headers: { ...NO_CACHE, "max-age": "0" } });
    says(() => json("old", SWR));
    held.resolve();
    await slow;
    says(() => json("gone", {}, 410));
    expect((await next().ask("/v1/x")).status).toBe(410);
  });

  it.each([
    ...[400, 406, 408, 409, 411, 413, 415, 418, 422, 426, 430, 431, 499],
    ...[500, 502, 503, 504, 520],
  ])("and not by a %i, which somebody gets for an odd field, though it states a lifetime", async (status) => {
    const fields = { "cache-control": "public, max-age=60" };
    const origin = new Origin(({ headers }) =>
      headers.has("x-odd") ? json({ error: "odd" }, fields, status) : json({ n: 1 }, fields),
    );
    const { first, next } = await tier.open({ origin });
    await first.ask("/v1/x");
    const odd = { headers: { "x-odd": "1", "cache-control": "no-cache" } };
    expect((await next().ask("/v1/x", odd)).status, "it gets its answer").toBe(status);
    expect(await next().ask("/v1/x")).toMatchObject({ status: 200, text: '{"n":1}', word: "HIT" });
    await first.ask("/v1/new", odd);
    expect(await next().ask("/v1/new")).toMatchObject({ status: 200, text: '{"n":1}' });
  });

  it.each([401, 402, 403])(
    "and not by a %i to a wrong token, though it says that all may have it",
    async (status) => {
      const fields = { "cache-control": "public, max-age=60" };
      const origin = new Origin(({ headers }) =>
        headers.has("authorization") ? json({ error: "who" }, fields, status) : json({ n: 1 }, fields),
      );
      const { first, next } = await tier.open({ origin });
      await first.ask("/v1/x");
      const wrong = { ...COOKIE, headers: { ...NO_CACHE, authorization: "Bearer wrong" } };
      expect((await next().ask("/v1/x", wrong)).status, "it gets its answer").toBe(status);
      expect(await next().ask("/v1/x")).toMatchObject({ status: 200, text: '{"n":1}', word: "HIT" });
      await first.ask("/v1/new", wrong);
      expect(await next().ask("/v1/new")).toMatchObject({ status: 200, text: '{"n":1}' });
    },
  );

  it("and a later fill is served again", async () => {
    const { origin, says } = changing();
    const { first, next } = await stored(tier, origin);
    first.platform.advance(1);
    says(() => json("gone", {}, 410));
    await next().ask("/v1/x", { headers: NO_CACHE });
    first.platform.advance(1);
    says(() => json("back", SWR));
    await next().ask("/v1/x");
    expect(await next().ask("/v1/x")).toMatchObject({ word: "HIT", text: '"back"' });
  });
});

describe("a withdrawal", () => {
  it("reaches an isolate that holds the entry, within its maximum age", async () => {
    const { origin, says } = changing({ "cache-control": "max-age=600" });
    const one = openCache({ origin });
    const other = openCache({ origin, platform: one.platform, prefix: one.prefix });
    await one.ask("/v1/x");
    await other.ask("/v1/x");
    one.platform.advance(1);
    says(() => json("gone", {}, 410));
    await one.ask("/v1/x", { headers: NO_CACHE });
    one.platform.advance(5001);
    expect((await other.ask("/v1/x")).status).toBe(410);
  });

  it("while the store is lost is written when it is back", async () => {
    const { origin, says } = changing({ "cache-control": "max-age=600" });
    const one = openCache({ origin });
    await one.ask("/v1/x");
    await one.lose();
    one.platform.advance(1);
    says(() => json("gone", {}, 410));
    await one.ask("/v1/x", { headers: NO_CACHE });
    await one.recover();
    const other = openCache({ origin, platform: one.platform, prefix: one.prefix });
    expect((await other.ask("/v1/x")).status).toBe(410);
  });

  it("by the credential that the entry was stored for counts, by another it does not", async () => {
    const { origin, says } = changing({ "cache-control": "public, max-age=600" });
    const { ask, platform } = openCache({ origin, connection: null });
    await ask("/v1/x", COOKIE);
    platform.advance(1);
    says(() => json("no", {}, 403));
    await ask("/v1/x", { ...COOKIE, headers: { ...NO_CACHE, cookie: "sid=bob" } });
    expect((await ask("/v1/x")).word).toBe("HIT");
    await ask("/v1/x", COOKIE);
    expect((await ask("/v1/x")).status).toBe(403);
  });
});

describe("a HEAD inside the window of stale-while-revalidate", () => {
  it.each<[what: string, head: () => Response]>([
    ["says the same", () => new Response(null, { headers: { ...SWR, "content-length": "5" } })],
    ["says no length", () => new Response(null, { headers: SWR })],
    ["has another tag", () => new Response(null, { headers: { ...SWR, etag: '"2"' } })],
    ["is 204", () => new Response(null, { status: 204 })],
    ["is 404", () => new Response(null, { status: 404 })],
    ["is 405", () => new Response(null, { status: 405 })],
    ["is 410", () => new Response(null, { status: 410 })],
    ["is 501", () => new Response(null, { status: 501 })],
    ["is a redirect", () => new Response(null, { status: 301, headers: { location: "/" } })],
    ["may not be stored", () => new Response(null, { headers: { "cache-control": "no-store" } })],
  ])("that %s: the background asks with GET", async (_, head) => {
    const origin = new Origin(({ method }) => (method === "HEAD" ? head() : json(origin.count, SWR)));
    const { ask, platform } = openCache({ origin });
    await ask("/v1/x");
    platform.advance(11_000);
    expect((await ask("/v1/x", { method: "HEAD" })).word).toBe("STALE");
    expect(await ask("/v1/x")).toMatchObject({ word: "HIT", text: "2" });
    expect(origin.asked.map(({ method }) => method)).toEqual(["GET", "GET"]);
  });
});

async function stored(tier: Tier, origin: Origin) {
  const opened = await tier.open({ origin });
  await opened.first.ask("/v1/x");
  return opened;
}
