import { describe, expect, it } from "vitest";
import { counted, Origin, openCache, twoIsolates } from "../../support/cache.ts";

/** More purges than are known one by one: what has come before the newest thousand becomes a purge of everything. */

const LONG = { "cache-control": "max-age=600, stale-while-revalidate=600" };
const NOTHING = { files: [], prefixes: [], tags: [], everything: false, soft: false };
const file = (path: string) => new URL(path, "https://edge.example");
const files = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => file(`/${name}/${index}`));
const holding = () => twoIsolates(new Origin(counted(LONG)), ["/a/1", "/a/2"]);
type Isolates = Awaited<ReturnType<typeof holding>>;

/** What a URL is in the isolate that purged, in another one, and in a new one. */
async function wordsOf({ one, other }: Isolates, path: string) {
  one.platform.advance(6000);
  const late = openCache({ origin: one.origin, platform: one.platform, prefix: one.prefix });
  // Who comes later finds what the first has asked for, where it was to be asked for.
  return [
    (await other.ask(path)).word,
    (await one.ask(path, { method: "HEAD" })).word,
    (await late.ask(path, { method: "HEAD" })).word,
  ];
}

describe("a call that names", () => {
  it.each<[what: string, request: { files: URL[]; soft?: boolean }, outcome: string]>([
    ["a thousand files", { files: files("x", 1000) }, "everywhere"],
    ["a thousand, softly", { files: files("x", 1000), soft: true }, "everywhere"],
    ["one of them again", { files: [...files("x", 1000), file("/x/1")] }, "everywhere"],
    ["one more", { files: files("x", 1001) }, "too many"],
    ["one more, softly", { files: files("x", 1001), soft: true }, "too many"],
    ["501 in two spellings each", { files: files("%7e", 501) }, "too many"],
  ])("%s reaches no other", async (_, request, outcome) => {
    const isolates = await holding();
    const { one } = isolates;
    for (const soft of [false, true])
      await one.cache.purge({ ...NOTHING, files: files("before", 400), soft });
    await one.ask("/a/1");
    one.platform.advance(1);
    await one.ask("/a/2", { headers: { "cache-control": "no-cache" } });
    one.platform.advance(1);
    expect(await one.cache.purge({ ...NOTHING, ...request })).toBe(outcome);
    expect(await wordsOf(isolates, "/a/2")).toEqual(["HIT", "HIT", "HIT"]);
  });

  it("a thousand reaches each of them", async () => {
    const isolates = await holding();
    await isolates.one.cache.purge({ ...NOTHING, files: [...files("x", 999), file("/a/1")] });
    expect(await wordsOf(isolates, "/a/1")).toEqual(["MISS", "HIT", "HIT"]);
    expect(await wordsOf(isolates, "/a/2")).toEqual(["HIT", "HIT", "HIT"]);
  });
});

const ASKING: Record<string, (isolates: Isolates) => Isolates["one"]> = {
  "the isolate that purges": ({ one }) => one,
  "another isolate": ({ other }) => other,
  "a new isolate": ({ one }) => openCache({ origin: one.origin, platform: one.platform, prefix: one.prefix }),
};

describe.each(Object.entries(ASKING))("what is older than what has left the log, for %s", (_, asking) => {
  it.each<[what: string, softly: (call: number) => boolean, lost: boolean, word: string]>([
    ["soft purges: it is stale", () => true, false, "STALE"],
    ["hard ones: it is gone", () => false, false, "MISS"],
    ["hard and soft ones: it is gone", (call) => call % 2 === 0, false, "MISS"],
    ["soft ones of an outage: it is stale", () => true, true, "STALE"],
    ["hard ones of an outage: it is gone", () => false, true, "MISS"],
    ["soft ones of an outage, and one that is hard: it is gone", (call) => call !== 5, true, "MISS"],
  ])("%s", async (_what, softly, lost, word) => {
    const isolates = await holding();
    const { one } = isolates;
    if (lost) await one.lose();
    for (let call = 0; call < 10; call += 1) {
      await one.cache.purge({ ...NOTHING, files: files(`x${call}`, 200), soft: softly(call) });
      one.platform.advance(1);
    }
    if (lost) await one.recover();
    one.platform.advance(6000);
    expect((await asking(isolates).ask("/a/1")).word).toBe(word);
  });

  it("soft ones, where hard ones are from before it: it is stale", async () => {
    const isolates = await holding();
    const { one } = isolates;
    await one.cache.purge({ ...NOTHING, files: files("y", 500) });
    one.platform.advance(1);
    for (const asked of [one, isolates.other])
      await asked.ask("/a/1", { headers: { "cache-control": "no-cache" } });
    one.platform.advance(1);
    for (let call = 0; call < 10; call += 1) {
      await one.cache.purge({ ...NOTHING, files: files(`x${call}`, 200), soft: true });
      one.platform.advance(1);
    }
    one.platform.advance(6000);
    expect((await asking(isolates).ask("/a/1")).word).toBe("STALE");
  });
});
