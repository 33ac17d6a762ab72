import { describe, expect, it } from "vitest";
import { type AskOptions, json, Origin, openCache } from "../../support/cache.ts";

const known = (user: string): AskOptions => ({
  headers: { cookie: `sid=${user}` },
  confirmed: { credentials: { any: true } as never },
});
const WHO: Record<string, AskOptions> = { ada: known("ada"), bea: known("bea"), nobody: {} };

/** A new isolate, after a deployment that has changed the route's scope, finds in Redis what the one before has stored. */
describe.each(["", "accept"])("what was stored under scope shared, where answers vary by '%s'", (vary) => {
  it.each([
    { said: "max-age=60", by: "ada", asks: "nobody", word: "MISS" },
    { said: "max-age=60", by: "ada", asks: "bea", word: "MISS" },
    { said: "max-age=60", by: "ada", asks: "ada", word: "MISS" },
    { said: "max-age=60", by: "nobody", asks: "nobody", word: "HIT" },
    { said: "max-age=60", by: "nobody", asks: "bea", word: "MISS" },
    { said: "public, max-age=60", by: "ada", asks: "nobody", word: "HIT" },
    { said: "public, max-age=60", by: "ada", asks: "bea", word: "HIT" },
    { said: "must-revalidate, max-age=60", by: "ada", asks: "nobody", word: "HIT" },
    { said: "s-maxage=60", by: "nobody", asks: "bea", word: "HIT" },
  ])("said $said to $by: under public $asks has a $word", async ({ said, by, asks, word }) => {
    const origin = new Origin(({ headers }) =>
      json({ for: headers.get("cookie") }, { "cache-control": said, ...(vary && { vary }), etag: '"1"' }),
    );
    const before = openCache({ origin, rule: { scope: "shared", ttl: 60 } });
    await before.ask("/v1/x", WHO[by]);
    const { platform, prefix } = before;
    const after = openCache({ origin, platform, prefix, rule: { scope: "public", ttl: 60 } });
    const answer = await after.ask("/v1/x", WHO[asks]);
    expect(answer.word).toBe(word);
    if (word === "MISS")
      expect(answer.text).toBe(JSON.stringify({ for: origin.asked.at(-1)?.headers.get("cookie") }));
  });

  it("does not stand in for an origin that fails, nor is it validated for another", async () => {
    const origin = new Origin(({ headers }) =>
      json(
        { for: headers.get("cookie") },
        { "cache-control": "max-age=60", ...(vary && { vary }), etag: '"1"' },
      ),
    );
    const before = openCache({ origin, rule: { scope: "shared", staleIfError: 600 } });
    await before.ask("/v1/x", WHO.ada);
    const { platform, prefix } = before;
    platform.advance(61_000);
    const after = openCache({ origin, platform, prefix, rule: { scope: "public", staleIfError: 600 } });
    origin.answer = () => "down";
    expect((await after.ask("/v1/x")).status).toBe(502);
    expect(origin.asked.at(-1)?.headers.get("if-none-match")).toBeNull();
  });
});
