import { describe, expect, it } from "vitest";
import { openIsolate, routeOf } from "../../support/limits.ts";
import { testPlatform } from "../../support/platform.ts";

describe("a million made-up callers", () => {
  it("share one counter per policy once the map is full, and push no known caller out", async () => {
    const platform = testPlatform();
    const one = openIsolate({ platform, connection: null, bounds: { entries: 100 } });
    const limits = routeOf({ limits: [{ name: "w", limit: 3, window: "1 h" }] });
    const ask = async (who: string) => (await one.ask(limits, who)).verdict.kind;
    for (let each = 0; each < 3; each += 1) await ask("alice");
    for (let each = 0; each < 99; each += 1) expect(await ask(`early ${each}`)).toBe("allowed");
    const late: string[] = [];
    for (let each = 0; each < 1000; each += 1) late.push(await ask(`late ${each}`));
    expect(late.filter((kind) => kind === "allowed")).toHaveLength(3);
    expect(await ask("alice"), "still full").toBe("denied");
    expect(await ask("early 7"), "still has a counter of its own").toBe("allowed");
    expect(one.limiter.sizes.counters).toBe(101);
    platform.advance(2 * 3_600_000);
    expect(await ask("late 1")).toBe("allowed");
  });

  /** The counters are full of made-up callers of one network. @returns who of the newcomers gets in. */
  async function newcomers(addresses: string[], bounds = {}, flood = "2001:db8:7:1::/64") {
    const platform = testPlatform();
    const one = openIsolate({ platform, connection: null, bounds: { entries: 50, ...bounds } });
    const limits = routeOf({ limits: [{ name: "w", limit: 3, window: "1 h" }] });
    const ask = async (who: string, address: string) =>
      (await one.ask(limits, who, { address })).verdict.kind;
    for (let each = 0; each < 200; each += 1) await ask(`flood ${each}`, flood);
    const kinds: string[] = [];
    for (const [index, address] of addresses.entries())
      kinds.push((await ask(`new ${index}`, address)).slice(0, 1));
    return { kinds: kinds.join(""), sizes: one.limiter.sizes };
  }

  it.each([
    ["a network that the flood has used up", ["2001:db8:7:9::/64", "2001:db8:7:ffff::/64"], "dd"],
    ["the next /48", ["2001:db8:8:1::/64", "2001:db8:8:2::/64"], "aa"],
    ["one /48, which shares one count", Array.from({ length: 5 }, (_, n) => `2001:db8:9:${n}::/64`), "aaadd"],
    ["one IPv4 /24, which shares one count", Array.from({ length: 5 }, (_, n) => `198.51.100.${n}`), "aaadd"],
    ["as many IPv4 /24 as newcomers", Array.from({ length: 9 }, (_, n) => `198.51.${n}.7`), "aaaaaaaaa"],
    ["callers without an address, who are one network", Array.from({ length: 4 }, () => "unknown"), "aaad"],
    ["networks counted by /56", ["2001:db8:a:100::/56", "2001:db8:b:200::/56"], "aa"],
    ["networks counted by /48", ["2001:db8:a::/48", "2001:db8:b::/48", "2001:db8:7::/48"], "aad"],
  ])("lock nobody else out: newcomers from %s", async (_what, addresses, expected) => {
    expect((await newcomers(addresses)).kinds).toBe(expected);
  });

  it("are counted by wider networks, and at last together, where too many networks come", async () => {
    const many = Array.from({ length: 40 }, (_, n) => `10.1.${n}.1`);
    const { kinds, sizes } = await newcomers(many, { overflows: 10 });
    expect(kinds, "9 networks beside the flood's, then three of one /16").toBe(
      `${"a".repeat(12)}${"d".repeat(28)}`,
    );
    expect(sizes.counters).toBeLessThanOrEqual(50 + 10 + 10 + 1);
    const others = await newcomers(["10.2.0.1", "10.3.0.1"], { overflows: 1 });
    expect(others.kinds, "each /16 is another").toBe("aa");
    expect((await newcomers(["10.2.0.1", "10.3.0.1", "10.4.0.1", "10.5.0.1"], { overflows: 1 })).kinds).toBe(
      "aaaa",
    );
  });

  it("make no log line longer: callers appear by hash", async () => {
    const one = openIsolate({ platform: testPlatform(), connection: null });
    const limits = routeOf({ limits: [{ name: "w", limit: 1, window: "1 h" }] });
    const long = "x".repeat(65_536);
    await one.ask(limits, long);
    await one.ask(limits, long);
    expect(one.lines.at(-1)).toMatchObject({ event: "limit.violated", policy: "w", source: "memory" });
    expect(JSON.stringify(one.lines.at(-1)).length).toBeLessThan(300);
  });

  it("cannot fill an exact log beyond its bytes: what cannot be counted is denied, what was counted stays", async () => {
    const platform = testPlatform();
    const one = openIsolate({ platform, connection: null, bounds: { bytes: 2000 } });
    const limits = routeOf({
      limits: [{ name: "w", limit: 1000, window: "1 h", algorithm: "sliding-log" }],
    });
    let admitted = 0;
    for (let each = 0; each < 200; each += 1) {
      if ((await one.ask(limits, "alice")).verdict.kind === "allowed") admitted += 1;
      platform.advance(1);
    }
    expect(admitted).toBeGreaterThan(10);
    expect(admitted).toBeLessThan(50);
    expect(one.limiter.sizes.counterBytes).toBeLessThanOrEqual(2000);
    expect((await one.ask(limits, "alice")).verdict.nearest?.remaining).toBe(1000 - admitted);
  });
});

describe("a request", () => {
  it("without limits queues nothing and gets no headers", async () => {
    const one = openIsolate({ platform: testPlatform(), connection: null });
    const { verdict, calls } = await one.ask(routeOf({}), "alice");
    expect(verdict).toEqual({
      kind: "allowed",
      headers: {},
      violated: [],
      shadowViolated: [],
      source: "isolate",
      nearest: null,
    });
    expect(calls).toBe(0);
  });

  it("has the limits of its tier, else those of the route", async () => {
    const one = openIsolate({ platform: testPlatform(), connection: null });
    const limits = routeOf({
      limits: [{ name: "w", limit: 10, window: "1 m" }],
      tiers: { premium: [{ name: "w", limit: 300, window: "1 m" }] },
    });
    const limitOf = async (tier: string | null) =>
      (await one.ask(limits, "alice", { tier })).verdict.headers["X-RateLimit-Limit"];
    expect(await limitOf("premium")).toBe("300");
    expect(await limitOf("gold")).toBe("10");
    expect(await limitOf(null)).toBe("10");
    expect(await limitOf("constructor")).toBe("10");
  });

  it("is counted by address where the limit says so, whoever asks", async () => {
    const one = openIsolate({ platform: testPlatform(), connection: null });
    const limits = routeOf({ limits: [{ name: "w", limit: 1, window: "1 m", by: "address" }] });
    const addressIdentity = { kind: "address", hash: "a".repeat(32) } as const;
    expect((await one.ask(limits, "alice", { addressIdentity })).verdict.kind).toBe("allowed");
    expect((await one.ask(limits, "bob", { addressIdentity })).verdict.kind).toBe("denied");
  });
});
