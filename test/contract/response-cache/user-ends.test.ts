import { describe, expect, it } from "vitest";
import { counted, Origin, openCache, sessionOf } from "../../support/cache.ts";
import { until } from "../../support/until.ts";

const NOTHING = { files: [], prefixes: [], tags: [], everything: false, soft: false };
const LONG = { "cache-control": "private, max-age=600" };
const as = (user: string) => ({ session: { claims: sessionOf(user), turnsOut: "alive" as const } });

function twoIsolates() {
  const origin = new Origin(counted(LONG));
  const one = openCache({ origin, rule: { scope: "caller" } });
  const other = openCache({ origin, rule: { scope: "caller" }, platform: one.platform, prefix: one.prefix });
  return { origin, one, other };
}

describe("the end of all of a user's entries", () => {
  it("reaches every URL of theirs, in every isolate within its maximum age, and nobody else's", async () => {
    const { one, other } = twoIsolates();
    for (const isolate of [one, other])
      for (const path of ["/a", "/b?x=1"])
        for (const user of ["ada", "bea"]) await isolate.ask(path, as(user));
    one.platform.advance(1);
    expect(await one.cache.purge({ ...NOTHING, users: ["ada"] })).toBe("everywhere");
    one.platform.advance(1);
    const words = async (isolate: typeof one, user: string) => [
      (await isolate.ask("/a", as(user))).word,
      (await isolate.ask("/b?x=1", as(user))).word,
    ];
    expect(await words(one, "ada"), "here at once").toEqual(["MISS", "MISS"]);
    expect(await words(one, "bea")).toEqual(["HIT", "HIT"]);
    one.platform.advance(5010);
    expect((await other.ask("/a", as("ada"))).text, "what was asked for since").toBe('{"count":5}');
    expect(await words(other, "bea")).toEqual(["HIT", "HIT"]);
  });

  it("is read in the request's one call, once in the maximum age, and by a key without the user's name", async () => {
    const { one } = twoIsolates();
    expect((await one.ask("/a", as("ada"))).calls).toBe(1);
    const reads = one.wire.commands.filter(([name]) => String(name).toLowerCase() === "mget");
    expect(reads).toHaveLength(1);
    // Between hex digits it may stand by chance.
    expect(JSON.stringify(one.wire.commands)).not.toMatch(/(?<![0-9a-f])ada(?![0-9a-f])/);
    expect((await one.ask("/a", as("ada"))).calls, "it knows").toBe(0);
    one.platform.advance(5010);
    expect(await one.ask("/a", as("ada"))).toMatchObject({ word: "HIT", calls: 1 });
  });

  it("reaches what a request already under way will store", async () => {
    const { origin, one } = twoIsolates();
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const asking = one.ask("/a", as("ada"));
    await until(() => origin.count > 0);
    one.platform.advance(5);
    await one.cache.purge({ ...NOTHING, users: ["ada"] });
    held.resolve();
    await asking;
    expect((await one.ask("/a", as("ada"))).word).toBe("MISS");
  });

  it("while the store is lost takes effect here, says so, and reaches all when it is back", async () => {
    const { one, other } = twoIsolates();
    await one.ask("/a", as("ada"));
    await other.ask("/a", as("ada"));
    one.platform.advance(1);
    await one.lose();
    expect(await one.cache.purge({ ...NOTHING, users: ["ada"] })).toBe("isolate");
    expect((await one.ask("/a", as("ada"))).word).toBe("MISS");
    await one.recover();
    expect((await other.ask("/a", as("ada"))).word).toBe("MISS");
  });

  it("without a store is the isolate's, and no number of users makes it forget", async () => {
    const one = openCache({ origin: new Origin(counted(LONG)), rule: { scope: "caller" }, connection: null });
    await one.ask("/a", as("ada"));
    one.platform.advance(1);
    expect(await one.cache.purge({ ...NOTHING, users: ["ada"] })).toBe("isolate");
    for (let n = 0; n < 25; n += 1) {
      const users = Array.from({ length: 500 }, (_, index) => `other-${n}-${index}`);
      await one.cache.purge({ ...NOTHING, users });
    }
    expect((await one.ask("/a", as("ada"))).word).toBe("MISS");
  });
});
