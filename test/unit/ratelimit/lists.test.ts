import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/config/config-error.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { createListLookup } from "../../../src/ratelimit/lists.ts";
import { quotaProblem } from "../../../src/ratelimit/verdict.ts";
import { claimsOf } from "../../support/identity.ts";
import { identityOf, listsOf, openIsolate, routeOf } from "../../support/limits.ts";
import { testPlatform } from "../../support/platform.ts";
import { claims } from "../../support/session-samples.ts";

const limits = routeOf({ limits: [{ name: "w", limit: 1, window: "1 m" }] });
const open = (allow: string[], deny: string[]) =>
  openIsolate({
    platform: testPlatform(),
    connection: null,
    lists: loadConfig({ ALLOW_LIST: allow.join(), DENY_LIST: deny.join() }, []).lists,
  });

describe("the lists", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7", "192.0.2.8", false],
    ["192.0.2.0/24", "192.0.2.255", true],
    ["192.0.2.0/24", "192.0.3.0", false],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "2001:db8:0:1::/64", false],
    ["::/0", "2001:db8:0:1::/64", true],
    ["2001:db8::/32", "2001:db8:ffff:1::/64", true],
    ["2001:db8::/32", "2001:db9:0:0::/64", false],
    ["2001:db8:0:1::/64", "2001:db8:0:1::/64", true],
    ["2001:db8:0:1::5", "2001:db8:0:1::/64", true],
    ["192.0.2.7", "unknown", false],
    // No range of IPv6 holds an IPv4 address, and the other way round.
    ["::/0", "203.0.113.9", false],
    ["::1", "203.0.113.9", false],
    ["::/64", "203.0.113.9", false],
    ["::ffff:192.0.2.7", "192.0.2.7", true],
    ["::ffff:192.0.2.7", "192.0.2.8", false],
    ["::ffff:192.0.2.0/120", "192.0.2.8", true],
    ["::ffff:0:0/96", "192.0.2.8", true],
    ["::ffff:0:0/96", "2001:db8:0:1::/64", false],
  ])("%s matches %s: %s", async (entry, address, matches) => {
    const one = open([], [entry]);
    const { verdict } = await one.ask(limits, "alice", { address });
    expect(verdict.kind).toBe(matches ? "denied" : "allowed");
  });

  it.each([
    ["2001:db8:7:42ff::9", "2001:db8:7:4200::/56", true],
    ["2001:db8:7:43ff::9", "2001:db8:7:4200::/56", false],
    ["2001:db8:7:4200::/56", "2001:db8:7:4200::/56", true],
    ["2001:db8:7::/48", "2001:db8:7:4200::/56", true],
    ["192.0.2.0/31", "192.0.2.1", true],
  ])("with RATE_LIMIT_IPV6_PREFIX=56 %s matches %s: %s", (entry, address, matches) => {
    const { lists } = loadConfig({ DENY_LIST: entry, RATE_LIMIT_IPV6_PREFIX: "56" }, []);
    expect(createListLookup(lists).denies(claimsOf({ address }))).toBe(matches);
  });

  it("do not take a range within a network that counts as one caller", () => {
    const load = () => loadConfig({ DENY_LIST: "2001:db8:7:42ff::/64", RATE_LIMIT_IPV6_PREFIX: "56" }, []);
    expect(load).toThrow(/DENY_LIST.*IPv6 by \/56 or wider/s);
  });

  it("know users by id and keys by hash, verified or not", async () => {
    const hash = "0123456789abcdef0123456789abcdef";
    const one = open([], ["user:user_1", `key:${hash}`]);
    expect((await one.ask(limits, "a", { user: { id: "user_1", tier: null } })).verdict.kind).toBe("denied");
    expect((await one.ask(limits, "b", { user: { id: "user_12", tier: null } })).verdict.kind).toBe(
      "allowed",
    );
    expect((await one.ask(limits, "c", { key: { kind: "unverified", hash } })).verdict.kind).toBe("denied");
  });

  it("allow: never limited, nothing counted, no headers", async () => {
    const one = open(["192.0.2.0/24"], []);
    for (let each = 0; each < 5; each += 1) {
      expect((await one.ask(limits, "alice")).verdict).toMatchObject({ kind: "allowed", headers: {} });
    }
    expect(one.limiter.sizes.counters).toBe(0);
  });

  it("deny wins over allow, needs no limits on the route, and is a 403 that names no wait", async () => {
    const one = open(["192.0.2.1"], ["192.0.2.0/24"]);
    const { verdict } = await one.ask(routeOf({}), "alice");
    expect(verdict).toMatchObject({ kind: "denied", listed: true });
    if (verdict.kind !== "denied") return;
    expect(quotaProblem(verdict)).toMatchObject({ status: 403, code: "CALLER_REFUSED" });
    expect(quotaProblem(verdict).retryAfter).toBeUndefined();
  });

  const hash = "0123456789abcdef0123456789abcdef";
  const key = (kind: "verified" | "unverified", userId: string | null = null) =>
    kind === "verified"
      ? ({ kind, hash, name: null, tier: null, userId } as const)
      : ({ kind, hash } as const);
  const signed = (...users: string[]) => {
    const [first, ...others] = users.map((userId) => claims({ userId }));
    return { kind: "signed", claims: first ?? claims(), others, tokenSource: "cookie" } as const;
  };
  const jwt = (userId: string) => ({ kind: "verified", userId, tier: null, claims: "{}" }) as const;

  it.each<[what: string, claimed: Parameters<typeof claimsOf>[0], denied: boolean]>([
    ["the user of a session", { session: signed("bad") }, true],
    ["the user of a second session", { session: signed("good", "bad") }, true],
    ["the user of a JWT", { jwt: jwt("bad") }, true],
    ["the user of a JWT beside a session", { session: signed("good"), jwt: jwt("bad") }, true],
    ["the user of a session beside a JWT", { session: signed("bad"), jwt: jwt("good") }, true],
    ["the user the origin named for a key", { key: key("verified", "bad") }, true],
    ["a key that nobody has verified", { key: key("unverified") }, true],
    ["what an origin may take for the key", { otherKeys: ["0", hash] }, true],
    ["another of those", { otherKeys: ["0"] }, false],
    ["a verified key beside a session", { key: key("verified"), session: signed("good") }, true],
    ["an address beside a session", { address: "198.51.100.7", session: signed("good") }, true],
    ["a forged session", { session: { kind: "invalid", tokenSource: "bearer" } }, false],
    ["nobody of the list", { session: signed("good"), jwt: jwt("Bad") }, false],
  ])("deny looks at what is claimed: %s", (_, claimed, denied) => {
    const lists = listsOf({ deny: ["user:bad", `key:${hash}`, "198.51.100.0/24"] });
    expect(createListLookup(lists).denies(claimsOf(claimed))).toBe(denied);
  });

  it.each<[what: string, confirmed: Parameters<typeof identityOf>[1], listed: "allow" | null]>([
    ["a confirmed user", { user: { id: "good", tier: null } }, "allow"],
    ["a verified key", { key: key("verified") }, "allow"],
    ["a key that nobody has verified", { key: key("unverified") }, null],
    ["a JWT's user beside another one's session", { user: { id: "x", tier: null }, jwt: jwt("good") }, null],
    ["nobody", {}, null],
  ])("allow looks at what is confirmed: %s", (_, confirmed, listed) => {
    const lists = listsOf({ allow: ["user:good", `key:${hash}`] });
    expect(createListLookup(lists).of(identityOf("x", confirmed))).toBe(listed);
  });

  it.each([
    "192.0.2.7,,192.0.2.8",
    "192.0.2",
    "192.0.2.0/33",
    "2001:db8::/65",
    "192.0.2.0/24/1",
    "key:abc",
    "user:",
    "*",
    "192.0.2.0/-1",
  ])("refuse the entry %j at the start", (entry) => {
    expect(() => open([], [entry])).toThrow(ConfigError);
    expect(() => open([entry], [])).toThrow(/ALLOW_LIST\[[01]\]/);
  });
});
