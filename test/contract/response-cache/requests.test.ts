import { describe, expect, it } from "vitest";
import { json, Origin, openCache } from "../../support/cache.ts";

const LONG = { "cache-control": "max-age=60" };

describe("a request that no entry can answer", () => {
  it.each([
    ["of another method", { method: "OPTIONS" }, "EnvoyouEdge;fwd=method"],
    [
      "with a precondition for the origin",
      { headers: { "if-match": '"a"' } },
      "EnvoyouEdge;fwd=bypass;detail=precondition",
    ],
  ])("%s goes past the cache, and says why", async (_, asked, status) => {
    const { ask } = openCache({ origin: new Origin(() => json({}, LONG)) });
    await ask("/v1/x");
    const reply = await ask("/v1/x", asked);
    expect(reply.word).toBe("BYPASS");
    expect(reply.headers.get("cache-status")).toBe(status);
  });

  it.each<[method: string, upgrade: string, word: string | undefined]>([
    ["GET", "h2c", "HIT"],
    ["GET", "h2c, HTTP/2.0, TLS/1.3", "HIT"],
    ["HEAD", "websocket", "HIT"],
    ["GET", "websocket", undefined],
  ])("is a %s with Upgrade: %s only where it can become a WebSocket", async (method, upgrade, word) => {
    const { ask } = openCache({ origin: new Origin(() => json({}, LONG)) });
    await ask("/v1/x");
    const reply = await ask("/v1/x", { method, headers: { connection: "upgrade", upgrade } });
    expect(reply.word ?? undefined).toBe(word);
  });

  it("does not reach the origin either where only what is stored was asked for (RFC 9111 §5.2.1.7)", async () => {
    const { ask, origin } = openCache({ origin: new Origin(() => json({}, LONG)) });
    const headers = { "cache-control": "only-if-cached", "if-match": '"a"' };
    await expect(ask("/v1/x", { headers })).rejects.toMatchObject({ code: "ONLY_IF_CACHED" });
    expect(origin.count).toBe(0);
  });

  it("keeps its 200, whatever conditions it carries (RFC 9110 §13.2.1)", async () => {
    const { ask } = openCache({ origin: new Origin(() => json({ a: 1 }, { etag: '"a"' })) });
    for (const method of ["OPTIONS", "PROPFIND", "POST"]) {
      const reply = await ask("/v1/x", { method, headers: { "if-none-match": "*" } });
      expect(reply, method).toMatchObject({ status: 200, text: '{"a":1}' });
    }
  });
});

describe("an entry that is too old to be checked", () => {
  it("is a miss, though another variant has kept its URL alive in Redis", async () => {
    const origin = new Origin(({ headers }) =>
      json(
        { count: origin.count, for: headers.get("x-a") },
        { "cache-control": "max-age=2592000", vary: "x-a" },
      ),
    );
    const first = openCache({ origin });
    await first.ask("/v1/x", { headers: { "x-a": "1" } });
    first.platform.advance(5 * 86_400_000);
    await first.ask("/v1/x", { headers: { "x-a": "2" } });
    first.platform.advance(3 * 86_400_000);
    const fresh = openCache({ origin, platform: first.platform, prefix: first.prefix });
    expect((await fresh.ask("/v1/x", { headers: { "x-a": "2" } })).word).toBe("HIT");
    expect(
      (await fresh.ask("/v1/x", { headers: { "x-a": "1" } })).word,
      "older than any purge is known",
    ).toBe("MISS");
  });
});

describe("an origin that fails after a 304 that confirms nothing", () => {
  it("is stood in for by what is stale and may be", async () => {
    let failing = false;
    const origin = new Origin(({ headers }) => {
      if (failing)
        return headers.has("if-none-match")
          ? new Response(null, { status: 304, headers: { etag: '"gone"' } })
          : "down";
      return json({ a: 1 }, { "cache-control": "max-age=60, stale-if-error=600", etag: '"a"' });
    });
    const { ask, platform } = openCache({ origin });
    await ask("/v1/x");
    failing = true;
    platform.advance(61_000);
    expect(await ask("/v1/x")).toMatchObject({ word: "STALE", text: '{"a":1}' });
  });
});
