import { describe, expect, inject, it } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { createKeys } from "../../../src/store/keys.ts";
import { Store } from "../../../src/store/store.ts";
import { createValueCache } from "../../../src/value-cache/value-cache.ts";
import { freshPrefix } from "../../support/limits.ts";
import { type TestPlatform, testPlatform } from "../../support/platform.ts";
import { until } from "../../support/until.ts";

function openValues(
  on: "Redis" | "the isolate",
  shared?: { platform: TestPlatform; prefix: string },
  bytes = 10_000,
) {
  const platform = shared?.platform ?? testPlatform({ fetch: (input, init) => fetch(input, init) });
  const prefix = shared?.prefix ?? freshPrefix();
  const wire = { cut: false, calls: 0, answered: 0 };
  const store = new Store({
    connection: on === "Redis" ? { url: inject("upstashUrl"), token: inject("upstashToken") } : null,
    events: createEvents({ platform, write: () => {} }),
    platform: {
      ...platform,
      fetch: async (input, init) => {
        if (wire.cut) throw new TypeError("cut");
        wire.calls += 1;
        const response = await platform.fetch(input, init);
        const text = await response.text();
        wire.answered += 1;
        return new Response(text, response);
      },
    },
  });
  const keys = createKeys({ cache: `${prefix}:c`, rateLimit: `${prefix}:r`, session: `${prefix}:s` });
  const values = createValueCache({ store, keys, platform, ttlSeconds: 60, entries: 100, bytes });
  async function lose() {
    wire.cut = true;
    for (let n = 0; n < 3; n += 1) await values.get("nothing");
  }
  async function recover() {
    wire.cut = false;
    platform.advance(40_000);
    await store.maintenance();
    await store.maintenance();
  }
  return { values, platform, prefix, wire, lose, recover };
}

type Opened = ReturnType<typeof openValues>;

describe.each(["Redis", "the isolate"] as const)("values in %s", (on) => {
  it.each([[0], [""], [false], [null], [[]], [{ a: { b: [1, "ü"] } }], ["text"]])(
    "%j is read unchanged, and is a hit",
    async (value) => {
      const { values } = openValues(on);
      await values.set("name", value);
      expect(await values.get("name")).toEqual({ hit: true, value });
    },
  );

  it("a missing, a deleted and an expired value are misses", async () => {
    const { values, platform } = openValues(on);
    expect(await values.get("name")).toEqual({ hit: false });
    await values.set("name", 1);
    await values.delete("name");
    expect(await values.get("name")).toEqual({ hit: false });
    if (on === "Redis") return;
    await values.set("name", 1, { ttl: 10 });
    platform.advance(10_000);
    expect(await values.get("name")).toEqual({ hit: false });
  });

  it("getOrSet fetches once, and not again for a stored null", async () => {
    const { values } = openValues(on);
    let fetched = 0;
    const fetchValue = () => {
      fetched += 1;
      return null;
    };
    expect(await values.getOrSet("name", fetchValue)).toBeNull();
    expect(await values.getOrSet("name", fetchValue)).toBeNull();
    expect(fetched).toBe(1);
  });

  it("getOrSet rejects with the error of a fetch, fetches once and stores nothing", async () => {
    const { values } = openValues(on);
    let fetched = 0;
    const failing = values.getOrSet("name", () => {
      fetched += 1;
      throw new Error("origin");
    });
    await expect(failing).rejects.toThrow("origin");
    expect(fetched).toBe(1);
    expect(await values.get("name")).toEqual({ hit: false });
  });

  it.each<[what: string, act: (values: Opened["values"]) => Promise<unknown>, unknown]>([
    ["deleted", (values) => values.delete("name"), { hit: false }],
    ["deleted, and was there before", (values) => values.delete("name"), { hit: false }],
    ["set", (values) => values.set("name", "newer"), { hit: true, value: "newer" }],
    ["left alone", async () => {}, { hit: true, value: "fetched" }],
    ["left alone, and was deleted before", async () => {}, { hit: true, value: "fetched" }],
  ])("getOrSet puts nothing in the place of what is %s while it fetches", async (what, act, expected) => {
    const { values } = openValues(on);
    if (what.includes("before")) {
      await values.set("name", "old");
      await values.delete("name");
    }
    const fetched = await values.getOrSet("name", async () => {
      await act(values);
      return "fetched";
    });
    expect(fetched).toBe("fetched");
    expect(await values.get("name")).toEqual(expected);
  });

  it.each<[what: string, act: (opened: Opened) => Promise<unknown>]>([
    [
      "set for a second, which is over by then",
      async ({ values, platform }) => {
        await values.set("name", "newer", { ttl: 1 });
        platform.advance(1500);
      },
    ],
    [
      "deleted longer ago than values live",
      async ({ values, platform }) => {
        await values.delete("name");
        platform.advance(61_000);
      },
    ],
    ["set to more than the isolate has room for", ({ values }) => values.set("name", "x".repeat(20_000))],
  ])("getOrSet puts nothing in the place of what was %s while it fetched", async (_, act) => {
    const opened = openValues(on);
    await opened.values.getOrSet("name", async () => {
      await act(opened);
      return "fetched";
    });
    expect(await opened.values.get("name")).not.toEqual({ hit: true, value: "fetched" });
  });

  it("a value that JSON cannot represent and a lifetime of 0 are refused", async () => {
    const { values } = openValues(on);
    await expect(values.set("name", undefined)).rejects.toThrow("JSON");
    const response = () => ({ rates: new Response("{}") });
    await expect(values.getOrSet("name", response), "{} for all others").rejects.toThrow("JSON");
    expect(await values.get("name")).toEqual({ hit: false });
    await expect(values.set("name", 1, { ttl: 0 })).rejects.toThrow("lifetime");
  });
});

/** A value that many ask for while one request makes it: 19 of them wait. */
async function askedByMany(opened: Opened, make: (nth: number) => unknown) {
  const { values, platform, wire } = opened;
  let made = 0;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const load = async () => {
    const nth = ++made;
    await held;
    return make(nth);
  };
  let over = 0;
  const asked = Array.from({ length: 20 }, () =>
    values
      .getOrSet("name", load)
      .catch(String)
      .finally(() => {
        over += 1;
      }),
  );
  // A call to Redis has a timer, too: some turns after the last reply they are those of who waits.
  let looks = 0;
  await until(() => {
    if (wire.answered === wire.calls && platform.timersSet() === 19 && made === 1) looks += 1;
    return looks === 5;
  }, "all wait");
  const go = (ms: number) => platform.advance(ms);
  const finish = async () => {
    release();
    await until(() => {
      go(1);
      return over === 20;
    }, "all are answered");
    return Promise.all(asked);
  };
  return { go, finish, made: () => made };
}

describe.each(["Redis", "the isolate"] as const)("a value in %s that many ask for at once", (on) => {
  it.each<[what: string, make: (nth: number) => unknown, expected: unknown[], made: number]>([
    ["is made once", (nth) => ({ nth }), Array(20).fill({ nth: 1 }), 1],
    ["is made once, also where it is null", () => null, Array(20).fill(null), 1],
  ])("%s", async (_, make, expected, made) => {
    const many = await askedByMany(openValues(on), make);
    expect(await many.finish()).toEqual(expected);
    expect(many.made()).toBe(made);
  });

  it.each<[what: string, make: () => unknown, error: string]>([
    [
      "fails",
      () => {
        throw new Error("origin");
      },
      "Error: origin",
    ],
    ["is no JSON", () => undefined, "TypeError: A cached value must be JSON"],
  ])("is each one's own to make where it %s: nobody waits twice", async (_, make, error) => {
    const many = await askedByMany(openValues(on), make);
    expect(await many.finish()).toEqual(Array(20).fill(error));
    expect(many.made()).toBe(20);
  });

  it("is made by one more each 2 s while it does not come, and by all after 10 s", async () => {
    const opened = openValues(on);
    const many = await askedByMany(opened, (nth) => nth);
    const made: number[] = [];
    for (let s = 1; s <= 11; s += 1) {
      // Looks of 10 ms, each of which goes on in a turn of its own.
      for (let looks = 0; looks < 100; looks += 1) {
        many.go(10);
        for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      }
      made.push(many.made());
    }
    expect(made.slice(0, 9)).toEqual([1, 2, 2, 3, 3, 4, 4, 5, 5]);
    expect(made.at(-1)).toBe(20);
    await many.finish();
    expect(await opened.values.get("name"), "of the first that came").toMatchObject({ hit: true });
  });

  it("is not held up by another name's, nor by one that is there", async () => {
    const opened = openValues(on);
    await opened.values.set("there", 1);
    const many = await askedByMany(opened, () => "made");
    expect(await opened.values.getOrSet("there", () => 2)).toBe(1);
    expect(await opened.values.getOrSet("other", () => 3)).toBe(3);
    expect(await many.finish()).toEqual(Array(20).fill("made"));
  });

  it("that is set meanwhile is what those get who wait, and is not overwritten", async () => {
    const opened = openValues(on);
    const many = await askedByMany(opened, () => "made");
    await opened.values.set("name", "set");
    expect(await many.finish()).toEqual(["made", ...Array(19).fill("set")]);
    expect(await opened.values.get("name")).toEqual({ hit: true, value: "set" });
  });
});

describe.each(["Redis", "the isolate"] as const)("in %s", (on) => {
  it.each([[""], [" "], ["undefined"], ["null"], ["[object Object]"], [undefined], [null], [5], [{}]])(
    "%j names no value: it would be everybody's",
    async (name) => {
      const { values } = openValues(on);
      const wrong = name as string;
      const calls = [
        () => values.get(wrong),
        () => values.set(wrong, 1),
        () => values.delete(wrong),
        () => values.getOrSet(wrong, () => 1),
      ];
      for (const call of calls) await expect(call()).rejects.toThrow(RangeError);
    },
  );
});

describe("values while the store is lost", () => {
  it("are read and written in the isolate, and written to the store when it is back", async () => {
    const one = openValues("Redis");
    const other = openValues("Redis", one);
    await one.values.set("old", 1);
    await one.values.set("gone", 1);
    await one.lose();
    expect(await one.values.get("old"), "it was read before").toEqual({ hit: true, value: 1 });
    expect(await one.values.set("new", 2), "only in this isolate").toBe(false);
    await one.values.delete("gone");
    expect(await one.values.get("gone")).toEqual({ hit: false });
    await one.recover();
    expect(await other.values.get("new")).toEqual({ hit: true, value: 2 });
    expect(await other.values.get("gone")).toEqual({ hit: false });
  });

  it("a long one is not written at its end, where it would hold up all others, and the old one is gone", async () => {
    const one = openValues("Redis");
    const other = openValues("Redis", one);
    await one.values.set("long", "old");
    await one.lose();
    await one.values.set("long", "x".repeat(300_000));
    await one.values.set("short", 1);
    await one.recover();
    expect(await other.values.get("short")).toEqual({ hit: true, value: 1 });
    expect(await other.values.get("long")).toEqual({ hit: false });
  });

  it.each<
    [what: string, waitMs: number, found: unknown, change: (values: Opened["values"]) => Promise<boolean>]
  >([
    ["deleted", 1000, null, (values) => values.delete("name")],
    ["deleted longer ago than values live by default", 61_000, null, (values) => values.delete("name")],
    ["set", 1000, "new", (values) => values.set("name", "new")],
    ["set, and not over yet", 61_000, "new", (values) => values.set("name", "new", { ttl: 3600 })],
    ["set for a second", 1500, null, (values) => values.set("name", "new", { ttl: 1 })],
    ["set for less than the outage", 61_000, null, (values) => values.set("name", "new")],
  ])("what was there before does not come back once it was %s", async (_, waitMs, found, change) => {
    const one = openValues("Redis");
    const other = openValues("Redis", one);
    await one.values.set("name", "old", { ttl: 86_400 });
    await one.lose();
    expect(await change(one.values)).toBe(false);
    one.platform.advance(waitMs);
    const expected = found === null ? { hit: false } : { hit: true, value: found };
    expect(await one.values.get("name"), "during it").toEqual(expected);
    await one.recover();
    for (const { values } of [one, other]) expect(await values.get("name")).toEqual(expected);
    await other.values.set("name", "newest");
    expect(await one.values.get("name"), "nothing waits any more").toEqual({ hit: true, value: "newest" });
  });

  it("a long one is read in the isolate", async () => {
    const one = openValues("Redis", undefined, 1_000_000);
    await one.values.set("long", "old");
    await one.lose();
    await one.values.set("long", "x".repeat(300_000));
    expect(await one.values.get("long")).toEqual({ hit: true, value: "x".repeat(300_000) });
    await one.values.set("long", "short");
    expect(await one.values.get("long")).toEqual({ hit: true, value: "short" });
  });

  it("a value in Redis that is no JSON is no hit", async () => {
    const { values, wire } = openValues("Redis");
    await values.set("name", "x");
    expect(wire.calls, "one call").toBe(1);
  });
});
