import { describe, expect, it } from "vitest";
import { json, Origin, tiers } from "../../support/cache.ts";

/** Answers with a field that is another one each time. */
const eachTime = (name: string, value = (count: number) => `v${count}`) => {
  let count = 0;
  return new Origin(() => {
    count += 1;
    return json({ count }, { "cache-control": "max-age=60", [name]: value(count) });
  });
};

describe.each(tiers)("what an answer says to the one who asked, $name", (tier) => {
  it.each(["X-CSRF-Token", "Access-Token", "DPoP-Nonce", "Clear-Site-Data"])(
    "%s is everybody's own",
    async (name) => {
      const { first, next } = await tier.open({ origin: eachTime(name) });
      const [one, other] = [await first.ask("/x"), await next().ask("/x")];
      expect([one.headers.get(name), other.headers.get(name)]).toEqual(["v1", "v2"]);
    },
  );

  it("a quota is not said again with what is stored", async () => {
    const { first, next } = await tier.open({
      origin: eachTime("X-RateLimit-Remaining", (count) => `${9 - count}`),
    });
    expect((await first.ask("/x")).headers.get("x-ratelimit-remaining")).toBe("8");
    const hit = await next().ask("/x");
    expect([hit.word, hit.headers.has("x-ratelimit-remaining")]).toEqual(["HIT", false]);
  });

  it("a 304 with a shorter Vary and another type and nonce changes nothing of what is stored", async () => {
    const origin = new Origin(({ headers }) =>
      headers.has("if-none-match")
        ? new Response(null, {
            status: 304,
            headers: {
              ...{ etag: '"a"', vary: "Origin", "content-type": "text/html" },
              "content-security-policy": "script-src 'nonce-BBBB'",
            },
          })
        : json(headers.get("accept"), {
            ...{ "cache-control": "max-age=60", etag: '"a"', vary: "Accept, Origin" },
            "content-security-policy": "script-src 'nonce-AAAA'",
          }),
    );
    const { first, next } = await tier.open({ origin });
    const [own, others] = [{ headers: { accept: "x/own" } }, { headers: { accept: "x/other" } }];
    await first.ask("/x", own);
    first.platform.advance(61_000);
    expect((await next().ask("/x", own)).word).toBe("REVALIDATED");
    const hit = await next().ask("/x", own);
    expect([hit.word, hit.text, hit.headers.get("content-type")]).toEqual([
      "HIT",
      '"x/own"',
      "application/json",
    ]);
    expect(hit.headers.get("content-security-policy")).toBe("script-src 'nonce-AAAA'");
    expect((await next().ask("/x", others)).word).toBe("MISS");
  });
});
