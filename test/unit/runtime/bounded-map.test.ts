import { describe, expect, it } from "vitest";
import { BoundedMap } from "../../../src/runtime/bounded-map.ts";
import { dice } from "../../support/dice.ts";
import { lruHits, optimalHits, ourHits, traces } from "../../support/eviction.ts";
import { testPlatform } from "../../support/platform.ts";

describe("a bounded map", () => {
  it("forgets an entry at its expiry", () => {
    const platform = testPlatform();
    const map = new BoundedMap<number>({ platform, entries: 10, whenFull: "evict" });
    map.set("a", 1, platform.now() + 1000);
    platform.advance(999);
    expect(map.get("a")).toBe(1);
    platform.advance(1);
    expect(map.get("a")).toBeUndefined();
    expect(map.size).toBe(0);
  });

  it("tells of each entry that leaves: expired, replaced, pushed out, deleted, cleared", () => {
    const platform = testPlatform();
    const left: string[] = [];
    const map = new BoundedMap<number>({
      platform,
      entries: 2,
      whenFull: "evict",
      dropped: (value, key) => left.push(`${key}${value}`),
    });
    map.set("a", 1, platform.now() + 10);
    platform.advance(10);
    map.get("a");
    map.set("b", 1);
    map.set("b", 2);
    map.set("c", 1);
    map.set("d", 1);
    map.delete("c");
    map.set("e", 1);
    map.clear();
    expect(left).toEqual(["a1", "b1", "b2", "c1", "d1", "e1"]);
    expect(map.size).toBe(0);
  });

  it("that evicts drops the oldest that was not read, by entries and by bytes", () => {
    const platform = testPlatform();
    const map = new BoundedMap<string>({
      platform,
      entries: 3,
      bytes: 10,
      sizeOf: (v) => v.length,
      whenFull: "evict",
    });
    map.set("a", "1");
    map.set("b", "2");
    map.set("c", "3");
    map.get("a");
    map.set("d", "4");
    expect([...map].map(([key]) => key)).toEqual(["a", "c", "d"]);
    map.set("e", "12345678");
    expect(map.bytes).toBeLessThanOrEqual(10);
    expect(map.get("e")).toBe("12345678");
    expect(map.set("f", "12345678901"), "larger than the whole map").toBe(false);
    expect(map.get("e"), "the refused one pushed nothing out").toBe("12345678");
  });

  it("that evicts spares what was read once, and finds an end where all was", () => {
    const map = new BoundedMap<number>({ platform: testPlatform(), entries: 3, whenFull: "evict" });
    for (const key of ["a", "b", "c"]) map.set(key, 1);
    for (const key of ["a", "b", "c", "a"]) map.get(key);
    map.set("d", 1);
    expect(
      [...map].map(([key]) => key),
      "the oldest of those that were read",
    ).toEqual(["b", "c", "d"]);
    map.set("e", 1);
    expect(
      [...map].map(([key]) => key),
      "b was spared, and not read again",
    ).toEqual(["c", "d", "e"]);
  });

  it("that refuses keeps live entries and takes a newcomer once one has expired", () => {
    const platform = testPlatform();
    const map = new BoundedMap<number>({ platform, entries: 100, whenFull: "refuse" });
    for (let i = 0; i < 100; i += 1)
      expect(map.set(`k${i}`, i, platform.now() + (i === 99 ? 1000 : 60_000))).toBe(true);
    expect(map.set("stranger", 1, platform.now() + 60_000)).toBe(false);
    expect(map.get("k0")).toBe(0);
    expect(map.set("k5", 6, platform.now() + 60_000), "one it has may change").toBe(true);
    platform.advance(1000);
    expect(map.set("stranger", 1, platform.now() + 60_000)).toBe(true);
    expect(map.size).toBe(100);
  });

  it("that evicts holds what is asked for often, while others are asked for once", () => {
    for (const trace of traces(1)) {
      const gained = ourHits(trace) - lruHits(trace);
      expect(gained, `percent points over LRU: ${trace.name}`).toBeGreaterThan(4);
      expect(ourHits(trace), "nothing is better than the optimum").toBeLessThan(optimalHits(trace));
    }
  });

  it("goes on from one that is removed, replaced or pushed out while the entries are looked through", () => {
    const map = new BoundedMap<number>({ platform: testPlatform(), entries: 5, whenFull: "evict" });
    for (const key of ["a", "b", "c", "d", "e"]) map.set(key, 1);
    const seen: string[] = [];
    for (const [key] of map) {
      seen.push(key);
      if (key === "b") for (const gone of ["b", "c", "a"]) map.delete(gone);
      if (key === "d") map.set("d", 2);
    }
    expect(seen).toEqual(["a", "b", "d", "e", "d"]);
  });

  it("is the same as a plain Map for whoever sets, deletes and reads at random", () => {
    const { upTo, chance } = dice(7);
    const platform = testPlatform();
    const map = new BoundedMap<number>({ platform, entries: 1000, sizeOf: () => 3, whenFull: "evict" });
    const plain = new Map<string, { value: number; until: number }>();
    const live = (key: string) => {
      const kept = plain.get(key);
      return kept && kept.until > platform.now() ? kept.value : undefined;
    };
    for (let n = 0; n < 20_000; n += 1) {
      const key = `k${upTo(300)}`;
      platform.advance(upTo(3));
      if (chance(0.3)) {
        expect(map.delete(key) || live(key) === undefined).toBe(true);
        plain.delete(key);
      } else if (chance(0.5)) {
        const until = platform.now() + 1 + upTo(500);
        map.set(key, n, until);
        plain.delete(key);
        plain.set(key, { value: n, until });
      } else expect(map.get(key)).toBe(live(key));
    }
    const left = [...plain].filter(([key]) => live(key) !== undefined);
    expect([...map]).toEqual(left.map(([key, { value }]) => [key, value]));
    expect(map.bytes).toBe(map.size * 3);
  });
});
