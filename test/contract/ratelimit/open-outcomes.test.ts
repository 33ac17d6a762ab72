import { Redis } from "@upstash/redis/cloudflare";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { Route, RouteInput } from "../../../src/config/route.ts";
import type { IdentityOutcomes } from "../../../src/identity/confirmed.ts";
import type { SessionClaims } from "../../../src/identity/session-token.ts";
import {
  clock,
  freshPrefix,
  hashOf,
  type IsolateOptions,
  identityOf,
  listsOf,
  openIsolate,
  releaseClock,
  routeOf,
} from "../../support/limits.ts";
import type { TestPlatform } from "../../support/platform.ts";

type Limit = NonNullable<RouteInput["limits"]>[number];
type Isolate = ReturnType<typeof openIsolate>;
type Outcome = "alive" | "over";

const USER = hashOf("user:ada");
const ADDRESS = hashOf("address:home");
const ID = "session-of-ada-0000000";
const perMinute = { name: "minute", limit: 3, window: "1 m" } as const;
const perHour = { name: "hour", limit: 100, window: "1 h" } as const;

describe("a request of a session that nobody has confirmed yet", () => {
  const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
  const owner = { url: inject("ownerUrl"), token: inject("ownerToken") };
  const redis = new Redis({ ...owner, automaticDeserialization: false, enableTelemetry: false });
  let platform: TestPlatform;
  let prefix: string;
  let issuedAt: number;

  beforeEach(async () => {
    platform = clock();
    prefix = freshPrefix();
    issuedAt = platform.now() - 60_000;
    // A server that has not seen the script yet takes one more call, once.
    await ask(open(), routeOf({ limits: [{ ...perMinute, name: "warm-up" }] }), "over");
  });
  afterEach(releaseClock);

  const open = (options: Partial<IsolateOptions> = {}) =>
    openIsolate({ platform, connection, prefix, isolateMaxAgeMs: 0, ...options });
  const put = (name: string, value: string) => redis.set(name, value, { px: 600_000 });
  const live = (one: Isolate) => put(one.keys.session(ID), "{}");

  function outcomesOf(claims: Partial<SessionClaims> = {}) {
    const session: SessionClaims = {
      id: ID,
      userId: "ada",
      tier: "premium",
      issuedAt,
      expiresAt: issuedAt + 3_600_000,
      confirmedAt: issuedAt,
      offline: false,
      userData: null,
      syncToken: null,
      ...claims,
    };
    const addressIdentity = { kind: "address", hash: ADDRESS } as const;
    const alive = identityOf("ada", {
      addressIdentity,
      session,
      user: { id: "ada", tier: "premium" },
      tier: "premium",
      identity: { kind: "user", hash: USER },
    });
    const over = identityOf("home", { addressIdentity, identity: addressIdentity });
    return { kind: "open", alive, over, session } satisfies IdentityOutcomes;
  }
  function ask(one: Isolate, route: Route, confirmed: Outcome, outcomes = outcomesOf()) {
    return one.decided(route, outcomes, outcomes[confirmed]);
  }
  /** Units taken by the user and by the address, of the first limit of the route or of its premium tier. */
  async function taken(one: Isolate, route: Route, now = platform.now()) {
    const count = async ([policy]: Route["limits"], caller: string) => {
      const number = Math.floor(now / (policy?.windowMs ?? 1));
      const key = `${one.keys.windowCounter(policy?.id ?? "", caller)}:${number}`;
      return Number((await redis.get<string>(key)) ?? 0);
    };
    return {
      user: await count(route.tiers.get("premium") ?? route.limits, USER),
      address: await count(route.limits, ADDRESS),
    };
  }
  const tiered = () => routeOf({ limits: [perMinute], tiers: { premium: [perHour] } });

  it("charges the user by the windows of the tier when the session lives, in one call", async () => {
    const one = open();
    const route = tiered();
    await live(one);
    one.wire.commands.length = 0;
    const { verdict, calls } = await ask(one, route, "alive");
    expect(calls).toBe(1);
    expect(one.wire.commands.map(([name]) => name)).toEqual(["evalsha"]);
    expect(verdict).toMatchObject({
      kind: "allowed",
      source: "redis",
      nearest: { name: "hour", limit: 100, remaining: 99 },
    });
    expect(await taken(one, route)).toEqual({ user: 1, address: 0 });
  });

  it("charges the address by the windows of the route when the session is over, in one call", async () => {
    const one = open();
    const route = tiered();
    one.wire.commands.length = 0;
    const { verdict, calls } = await ask(one, route, "over");
    expect(calls).toBe(1);
    expect(one.wire.commands.map(([name]) => name)).toEqual(["evalsha"]);
    expect(verdict).toMatchObject({
      kind: "allowed",
      source: "redis",
      nearest: { name: "minute", limit: 3, remaining: 2 },
    });
    expect(await taken(one, route)).toEqual({ user: 0, address: 1 });
  });

  it("writes no other key than the counters of its outcome", async () => {
    const one = open();
    const route = tiered();
    await live(one);
    await ask(one, route, "alive");
    const names = await redis.keys(`${prefix}:*`);
    const number = Math.floor(platform.now() / 3_600_000);
    expect(names.filter((name) => !name.includes("warm-up")).sort()).toEqual(
      [
        one.keys.session(ID),
        `${one.keys.windowCounter(route.tiers.get("premium")?.[0]?.id ?? "", USER)}:${number}`,
      ].sort(),
    );
  });

  const at = (offset: number) => String(issuedAt + offset);
  it.each<[string, Outcome, (one: Isolate) => Promise<unknown>, Partial<SessionClaims>]>([
    ["a record", "alive", live, {}],
    ["no record", "over", async () => {}, {}],
    ["no record, of an outage", "alive", async () => {}, { offline: true }],
    [
      "a tombstone, of an outage",
      "over",
      (one) => put(one.keys.sessionTombstone(ID), "1"),
      { offline: true },
    ],
    ["a mark of before", "alive", (one) => marked(one, `${at(-1)} `), { offline: true }],
    ["a mark at its making", "over", (one) => marked(one, `${at(0)} `), { offline: true }],
    ["a mark without a space", "over", (one) => marked(one, at(5)), { offline: true }],
    ["a mark that excepts it", "alive", (one) => marked(one, `${at(5)} ${ID}`), { offline: true }],
    ["a mark that excepts another", "over", (one) => marked(one, `${at(5)} other`), { offline: true }],
    ["a record and a version of before", "alive", (one) => versioned(one, at(-1)), {}],
    ["a record and a version at its making", "over", (one) => versioned(one, at(0)), {}],
    ["a record and a version that is no number", "alive", (one) => versioned(one, "x"), {}],
  ])("with %s is charged as %s", async (_, outcome, prepare, claims) => {
    const one = open();
    const route = tiered();
    await prepare(one);
    await ask(one, route, outcome, outcomesOf(claims));
    expect(await taken(one, route)).toEqual(
      outcome === "alive" ? { user: 1, address: 0 } : { user: 0, address: 1 },
    );
  });
  const marked = (one: Isolate, mark: string) => put(one.keys.sessionMark(USER), mark);
  async function versioned(one: Isolate, version: string) {
    await live(one);
    await put(one.keys.sessionVersion(), version);
  }

  it("is told of what was charged, where confirming finds otherwise", async () => {
    const one = open();
    const route = tiered();
    await live(one);
    const { verdict } = await ask(one, route, "over");
    expect(verdict.nearest).toMatchObject({ name: "hour", remaining: 99 });
    expect(await taken(one, route)).toEqual({ user: 1, address: 0 });
  });

  it.each<Outcome>(["alive", "over"])("a denial of the %s leaves both untouched", async (outcome) => {
    const one = open();
    const limits: Limit[] = [perMinute, { ...perHour, limit: 2 }];
    const route = routeOf({ limits });
    if (outcome === "alive") await live(one);
    const kinds: string[] = [];
    for (let each = 0; each < 4; each += 1) kinds.push((await ask(one, route, outcome)).verdict.kind);
    expect(kinds).toEqual(["allowed", "allowed", "denied", "denied"]);
    expect(await taken(one, route)).toEqual(
      outcome === "alive" ? { user: 2, address: 0 } : { user: 0, address: 2 },
    );
  });

  it("mixes windows of every algorithm and charges those of one outcome only", async () => {
    const one = open();
    const route = routeOf({
      limits: [
        { name: "log", limit: 5, window: "1 m", algorithm: "sliding-log" },
        { name: "bucket", capacity: 5, refill: 1, window: "1 m", algorithm: "token-bucket" },
        { name: "fix", limit: 5, window: "1 m", algorithm: "fixed-window", by: "address" },
      ],
    });
    await live(one);
    for (let each = 0; each < 2; each += 1) await ask(one, route, "alive");
    await redis.del(one.keys.session(ID));
    await ask(one, route, "over");
    const peek = async (caller: string) => {
      const batch = one.store.batch();
      const pending = one.limiter.peek(caller, route.limits, batch);
      await batch.send();
      return (await pending).map(({ remaining }) => remaining);
    };
    expect(await peek(USER), "two while it lived").toEqual([3, 3, 5]);
    expect(await peek(ADDRESS), "one after; the address counts all three").toEqual([4, 4, 2]);
  });

  it("is a plain charge where both outcomes are charged alike", async () => {
    const one = open();
    const route = routeOf({ limits: [{ ...perMinute, by: "address" }] });
    await one.ask(route, "warm-up");
    one.wire.commands.length = 0;
    expect((await ask(one, route, "over")).verdict.nearest?.remaining).toBe(2);
    expect(one.wire.commands.map(([name]) => name)).toEqual(["mget", "evalsha"]);
  });

  it("is charged by tier where one key or address has two limits of one name", async () => {
    const one = open();
    const route = routeOf({
      limits: [{ ...perMinute, by: "address" }],
      tiers: { premium: [{ ...perMinute, limit: 30, by: "address" }] },
    });
    expect((await ask(one, route, "over")).verdict.nearest?.limit).toBe(3);
    await live(one);
    expect((await ask(one, route, "alive")).verdict.nearest).toMatchObject({ limit: 30, remaining: 28 });
  });

  it("is refused when either outcome is on the deny list, without a call", async () => {
    for (const deny of [["user:ada"], ["192.0.2.1"]]) {
      for (const outcome of ["alive", "over"] as const) {
        const { verdict, calls } = await ask(open({ lists: listsOf({ deny }) }), tiered(), outcome);
        expect(verdict).toMatchObject({ kind: "denied", listed: true });
        expect(calls).toBe(0);
      }
    }
  });

  it("counts nothing for an outcome on the allow list, and the other as ever", async () => {
    const one = open({ lists: listsOf({ allow: ["user:ada"] }) });
    const route = tiered();
    expect((await ask(one, route, "over")).verdict.nearest?.remaining).toBe(2);
    await live(one);
    expect((await ask(one, route, "alive")).verdict).toMatchObject({ kind: "allowed", headers: {} });
    expect(await taken(one, route)).toEqual({ user: 0, address: 1 });
  });

  it("is not refused by a block of the user, nor does it spend the user's lease", async () => {
    const one = open({ isolateMaxAgeMs: 5000 });
    const route = routeOf({ limits: [{ ...perMinute, limit: 100, lease: 10 }] });
    await one.ask(route, "ada", { identity: { kind: "user", hash: USER } });
    expect(await taken(one, route)).toEqual({ user: 10, address: 0 });
    expect((await ask(one, route, "over")).calls).toBe(1);
    expect(await taken(one, route)).toEqual({ user: 10, address: 1 });

    const full = routeOf({ limits: [{ ...perMinute, name: "full", limit: 1 }] });
    for (let each = 0; each < 2; each += 1)
      await one.ask(full, "ada", { identity: { kind: "user", hash: USER } });
    expect((await ask(one, full, "over")).verdict.kind).toBe("allowed");
  });

  it("is refused without a call by a block of a window that both outcomes share", async () => {
    const one = open({ isolateMaxAgeMs: 5000 });
    const route = routeOf({
      limits: [perHour, { ...perMinute, name: "everybody", limit: 1, by: "address" }],
    });
    await live(one);
    expect((await ask(one, route, "alive")).verdict.kind).toBe("allowed");
    expect((await ask(one, route, "alive")).verdict.kind).toBe("denied");
    const { verdict, calls } = await ask(one, route, "alive");
    expect(calls).toBe(0);
    expect(verdict).toMatchObject({ kind: "denied", source: "isolate", violated: ["everybody"] });
    expect(await taken(one, route)).toMatchObject({ user: 1 });
  });

  it.each<Outcome>(["alive", "over"])(
    "is charged in the isolate in an outage, once it is confirmed as %s",
    async (outcome) => {
      const one = open();
      const route = routeOf({ limits: [perMinute] });
      one.wire.cut = true;
      const before = await taken(one, route);
      for (let each = 0; each < 3; each += 1) {
        expect((await ask(one, route, outcome)).verdict).toMatchObject({ kind: "allowed", source: "memory" });
      }
      expect((await ask(one, route, outcome)).verdict).toMatchObject({ kind: "denied", source: "memory" });
      const other = outcome === "alive" ? "over" : "alive";
      expect((await ask(one, route, other)).verdict, "the other's count").toMatchObject({
        kind: "allowed",
        source: "memory",
      });
      expect(await taken(one, route)).toEqual(before);
    },
  );

  it("is counted for the confirmed identity once Redis takes writes again", async () => {
    const one = open();
    const route = routeOf({ limits: [perHour] });
    one.wire.refuses = "OOM command not allowed";
    await ask(one, route, "alive");
    await ask(one, route, "alive");
    await ask(one, route, "over");
    one.wire.refuses = "";
    platform.advance(9000);
    await one.store.maintenance();
    expect(await taken(one, route)).toEqual({ user: 2, address: 1 });
  });

  it("without a store is charged in the isolate, once it is confirmed", async () => {
    const one = open({ connection: null });
    const route = tiered();
    expect((await ask(one, route, "alive")).verdict).toMatchObject({
      source: "memory",
      nearest: { name: "hour", remaining: 99 },
    });
    expect((await ask(one, route, "over")).verdict).toMatchObject({
      source: "memory",
      nearest: { name: "minute", remaining: 2 },
    });
    expect((await ask(one, route, "alive")).verdict.nearest?.remaining).toBe(98);
  });
});
