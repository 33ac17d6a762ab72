import { describe, expect, it } from "vitest";
import { type Answer, type CacheIsolate, counted, json, Origin, openCache } from "../../support/cache.ts";

const WINDOWS = "max-age=60, stale-if-error=600";
const BEHIND = "max-age=60, stale-while-revalidate=600, stale-if-error=600";

/** An isolate whose entry for `/x` is stale, and whose origin fails from now on, each time after `took` ms. */
async function failing({ fields = WINDOWS, how = "down" as ReturnType<Answer>, took = 1000 } = {}) {
  const origin = new Origin(counted({ "cache-control": fields, etag: '"a"' }));
  const isolate = openCache({ origin });
  const { text } = await isolate.ask("/x");
  await isolate.ask("/other");
  isolate.platform.advance(61_000);
  origin.asked.length = 0;
  origin.answer = () => {
    isolate.platform.advance(took);
    return typeof how === "string" ? how : new Response(how.clone().body, how);
  };
  return { ...isolate, origin, stored: text };
}

const words = async ({ ask }: Pick<CacheIsolate, "ask">, times: number) => {
  const found = [];
  for (let each = 0; each < times; each += 1) found.push((await ask("/x")).word);
  return found;
};

describe("while an origin fails, something stale is served (RFC 5861 §4), and it is let alone", () => {
  it.each([
    ["refuses after a while", "down" as const, 1000, 1000],
    ["says 503", json({}, { "retry-after": "30" }, 503), 2000, 2000],
    ["says 520", json({}, {}, 520), 300, 300],
    ["takes its time", "down" as const, 7000, 7000],
    ["hangs for its whole deadline", "down" as const, 100_000, 30_000],
  ])("that %s", async (_, how, took, pause) => {
    const edge = await failing({ how, took });
    expect(await words(edge, 4)).toEqual(Array(4).fill("STALE"));
    expect(edge.origin.count).toBe(1);
    edge.platform.advance(pause - 1);
    await words(edge, 2);
    expect(edge.origin.count).toBe(1);
    edge.platform.advance(1);
    expect(await words(edge, 3)).toEqual(Array(3).fill("STALE"));
    expect(edge.origin.count).toBe(2);
  });

  it.each([
    ["refuses at once", "down" as const],
    ["says 503 at once", json({}, {}, 503)],
  ])("but not one that %s: whoever asks first once it has recovered gets its answer", async (_, how) => {
    const { ask, origin } = await failing({ how, took: 0 });
    expect([(await ask("/x")).word, (await ask("/x")).word]).toEqual(["STALE", "STALE"]);
    expect(origin.count).toBe(2);
    origin.answer = counted({ "cache-control": WINDOWS });
    expect((await ask("/x")).word).not.toBe("STALE");
  });

  it("says so in Cache-Status, and serves what was stored", async () => {
    const { ask, stored } = await failing();
    await ask("/x");
    const { status, text, headers } = await ask("/x");
    expect({ status, text }).toEqual({ status: 200, text: stored });
    expect(headers.get("cache-status")).toBe("EnvoyouEdge;hit;ttl=-2;detail=origin-failed");
  });

  it.each(["no-cache", "max-age=0", "max-age=10", "min-fresh=1"])(
    "but for whom asks for something newer: %s (RFC 9111 §5.2.1)",
    async (asked) => {
      const { ask, origin } = await failing();
      await ask("/x");
      await ask("/x", { headers: { "cache-control": asked } });
      expect(origin.count).toBe(2);
    },
  );

  it.each([
    ["may not be served stale", "max-age=60, must-revalidate, stale-if-error=600"],
    ["has no window", "max-age=60"],
    ["is past its window", "max-age=1, stale-if-error=30"],
  ])("but for an answer that %s", async (_, fields) => {
    const { ask, origin } = await failing({ fields });
    expect((await ask("/x")).word).toBe("ORIGIN_UNREACHABLE");
    expect((await ask("/x")).word).toBe("ORIGIN_UNREACHABLE");
    expect(origin.count).toBe(2);
  });

  it("for that URL alone", async () => {
    const { ask, origin } = await failing();
    await ask("/x");
    await ask("/other");
    await ask("/new");
    expect(origin.count).toBe(3);
  });

  it("also where it is asked in the background (RFC 5861 §3)", async () => {
    const edge = await failing({ fields: BEHIND });
    expect(await words(edge, 4)).toEqual(Array(4).fill("STALE"));
    expect(edge.origin.count).toBe(1);
    edge.platform.advance(1000);
    await words(edge, 4);
    expect(edge.origin.count).toBe(2);
  });

  it("while one request asks again, too: none of the others waits for it", async () => {
    const { ask, origin, platform } = await failing();
    await ask("/x");
    platform.advance(1000);
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const asking = ask("/x");
    while (origin.count < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    expect((await ask("/x")).word).toBe("STALE");
    expect(origin.count).toBe(2);
    held.resolve();
    expect((await asking).word).toBe("STALE");
  });

  it.each([
    ["200", counted({ "cache-control": "max-age=1, stale-if-error=600", etag: '"b"' })],
    [
      "304",
      () =>
        new Response(null, {
          status: 304,
          headers: { "cache-control": "max-age=1, stale-if-error=600", etag: '"a"' },
        }),
    ],
  ])("until it answers with a %i", async (_, answer) => {
    const { ask, origin, platform } = await failing();
    await ask("/x");
    platform.advance(1000);
    origin.answer = answer;
    await ask("/x");
    platform.advance(1500);
    await ask("/x");
    expect(origin.count).toBe(3);
  });

  it("no longer than that by a clock that is set back meanwhile", async () => {
    const { ask, origin, platform } = await failing();
    platform.advance(10_000);
    await ask("/x");
    platform.advance(-5000);
    await ask("/x");
    expect(origin.count).toBe(2);
  });
});
