import { Hono } from "hono/tiny";
import { expect, test } from "vitest";
import { limitRoutes } from "../../../../src/endpoints/admin/limits.ts";
import { Problem } from "../../../../src/http/problem.ts";
import type { KeptSession } from "../../../../src/session/record.ts";
import type { Store } from "../../../../src/store/store.ts";
import { hashOf, routeOf } from "../../../support/limits.ts";
import { testPlatform } from "../../../support/platform.ts";

const window = (name: string, limit: number) =>
  ({ name, limit, window: "1 m", algorithm: "fixed-window" }) as const;
const routes = [
  routeOf({
    limits: [window("burst", 5), { ...window("door", 9), by: "address" }],
    tiers: { premium: [window("burst", 50)], gold: [window("burst", 500)] },
  }),
];

const VERIFIED = "b".repeat(32);
/** The tiers of users' sessions. */
const TIERS: Record<string, (string | null)[]> = {
  ada: ["premium", "premium"],
  bob: [null],
  eve: ["premium", "gold"],
  "a/b?c#d": ["gold"],
  "..": ["other"],
};

/** Everybody has used five units of every counter, until a reset. */
function open(ipv6Prefix?: number, { hasSessions = true } = {}) {
  let used = 5;
  const hash = async (kind: string, value: string) => hashOf(`${kind}:${value}`);
  const app = new Hono().route(
    "/",
    limitRoutes({
      routes,
      ipv6Prefix,
      platform: testPlatform(),
      apiKeys: [
        { name: "one", tier: "premium" },
        { name: "plain", tier: "none-of-these" },
      ],
      hasSessions,
      sessions: {
        service: {
          list: async (user) => ({
            records: (TIERS[user] ?? []).map((tier) => ({ record: { tier } }) as KeptSession),
            complete: true,
          }),
        },
      },
      verifiedKeys: {
        get: () => undefined,
        look: (claim) => async () =>
          claim.hash === VERIFIED
            ? { kind: "verified" as const, hash: claim.hash, name: null, userId: null, tier: "gold" }
            : claim,
      },
      identifier: { hash },
      store: { batch: () => ({ send: async () => {} }) } as unknown as Store,
      limiter: {
        peek: async (_, policies) =>
          policies.map(({ id, name, algorithm, limit }) => {
            return {
              id,
              name,
              algorithm,
              limit,
              shared: false,
              remaining: limit - used,
              resetAt: 0,
              source: "redis" as const,
            };
          }),
        async reset() {
          used = 0;
        },
      },
    }),
  );
  app.onError((error) => {
    if (!(error instanceof Problem)) throw error;
    return Response.json(error.facts, { status: error.facts.status });
  });
  return async (method: string, path: string, body?: object) => {
    const init = body ? { method, body: JSON.stringify(body) } : { method };
    const response = await app.fetch(new Request(`https://edge.example/limits/${path}`, init));
    type Told = {
      now?: number;
      address?: string;
      reset?: boolean;
      tier?: string | null;
      limits?: {
        tier: string;
        name: string;
        limit: number;
        remaining: number;
        route: string;
        current: boolean | null;
      }[];
      errors?: { field: string }[];
      members?: { errors?: { field: string }[] };
    };
    const told = await response.json<Told>();
    const limits = told.limits?.map(({ tier, name, limit, remaining }) =>
      [tier, name, limit, remaining].join(" "),
    );
    const current = told.limits?.map((each) => `${each.tier ?? ""} ${each.name} ${each.current}`.trim());
    const field = told.members?.errors?.[0]?.field;
    return {
      status: response.status,
      address: told.address,
      limits,
      more: { tier: told.tier, current, field },
      now: told.now,
    };
  };
}

const CALLERS = [" burst 5 0", "premium burst 50 45", "gold burst 500 495"];
const ALL = [" burst 5 0", " door 9 4", "premium burst 50 45", "gold burst 500 495"];
const GIVEN_BACK = [" burst 5 5", "premium burst 50 50", "gold burst 500 500"];

test.each<
  [
    method: string,
    path: string,
    body: object | undefined,
    status: number,
    limits?: string[],
    address?: string,
  ]
>([
  ["GET", "user:ada", undefined, 200, CALLERS],
  ["GET", "key:one", undefined, 200, CALLERS],
  ["GET", `hash:${"a".repeat(32)}`, undefined, 200, ALL],
  ["DELETE", "user:ada", undefined, 200, GIVEN_BACK],
  ["DELETE", "key:one", undefined, 200, GIVEN_BACK],
  ["GET", "key:two", undefined, 404],
  ["DELETE", "key:two", undefined, 404],
  ["GET", "key:One", undefined, 404],
  ["GET", "caller:one", undefined, 400],
  ["POST", "lookup", { address: "203.0.113.7" }, 200, ALL, "203.0.113.7"],
  ["POST", "lookup", { address: "2001:db8:0:1:2:3:4:5" }, 200, ALL, "2001:db8:0:1::/64"],
  ["POST", "lookup", { address: "::ffff:203.0.113.7" }, 200, ALL, "203.0.113.7"],
  ["POST", "lookup", { address: "somewhere" }, 400],
])("%s %s %j", async (method, path, body, status, limits, address) => {
  const { more: _, ...told } = await open()(method, path, body);
  // The clock by which each `resetAt` is a time.
  const now = status === 200 ? testPlatform().now() : undefined;
  expect(told).toEqual({ status, limits, address, now });
});

test.each([
  ["2001:db8:7:42ff::1", 56, "2001:db8:7:4200::/56"],
  ["2001:db8:7:4200::/56", 56, "2001:db8:7:4200::/56"],
  ["2001:db8:7:42ff::1", 48, "2001:db8:7::/48"],
  ["2001:db8:7::/48", 48, "2001:db8:7::/48"],
  ["2001:db8:7:4200::/56", 64, undefined],
  ["203.0.113.7", 56, "203.0.113.7"],
])("an address is shown as the network that is counted: %s by /%d is %s", async (address, prefix, shown) => {
  const { status, address: told } = await open(prefix)("POST", "lookup", { address });
  expect({ status, told }).toEqual({ status: shown ? 200 : 400, told: shown });
});

const OWN = ["burst true", "premium burst false", "gold burst false"];
const PREMIUM = ["burst false", "premium burst true", "gold burst false"];
const GOLD = ["burst false", "premium burst false", "gold burst true"];
const UNKNOWN = ["burst null", "premium burst null", "gold burst null"];
/** Whoever shares an address may have any tier. */
const withDoor = ([first = "", ...others]: string[]) => [first, "door null", ...others];

test.each<[who: object, tier: string | null, current: string[]]>([
  [{ user: "ada" }, "premium", PREMIUM],
  [{ user: "bob" }, null, OWN],
  [{ user: "eve" }, null, UNKNOWN],
  [{ user: "nobody" }, null, UNKNOWN],
  [{ user: "a/b?c#d" }, "gold", GOLD],
  [{ user: ".." }, "other", OWN],
  [{ user: "Ωμέγα 🙂" }, null, UNKNOWN],
  [{ key: "one" }, "premium", PREMIUM],
  [{ key: "plain" }, "none-of-these", OWN],
  [{ hash: VERIFIED }, "gold", withDoor(GOLD)],
  [{ hash: `hash:${VERIFIED}` }, "gold", withDoor(GOLD)],
  [{ hash: "a".repeat(32) }, null, withDoor(UNKNOWN)],
  [{ address: "203.0.113.7" }, null, withDoor(OWN)],
  [{ address: "203.0.113.7", reset: true }, null, withDoor(OWN)],
])("%j has the tier %j, and is counted by its windows", async (who, tier, current) => {
  const { status, more } = await open()("POST", "lookup", who);
  expect({ status, ...more }).toEqual({ status: 200, tier, current, field: undefined });
});

test("in a path too, and without a SESSION_SECRET no user's tier is known", async () => {
  expect((await open()("GET", "key:one")).more.current).toEqual(PREMIUM);
  expect((await open()("DELETE", "user:ada")).more.current).toEqual(PREMIUM);
  const none = open(undefined, { hasSessions: false });
  expect((await none("GET", "user:ada")).more).toMatchObject({ tier: null, current: UNKNOWN });
});

test.each<[body: object, status: number, field?: string]>([
  [{}, 400, "body"],
  [{ reset: true }, 400, "body"],
  [{ user: "ada", key: "one" }, 400, "body"],
  [{ address: "1.2.3.4", hash: "a".repeat(32) }, 400, "body"],
  [{ user: "" }, 400, "user"],
  [{ user: "\ud800" }, 400, "user"],
  [{ user: 7 }, 400, "user"],
  [{ user: null }, 400, "user"],
  [{ hash: "A".repeat(32) }, 400, "hash"],
  [{ hash: "a".repeat(31) }, 400, "hash"],
  [{ hash: "hash:" }, 400, "hash"],
  [{ address: "" }, 400, "address"],
  [{ name: "ada" }, 400, "name"],
  [{ key: "two" }, 404],
  [{ key: "ONE" }, 404],
])("%j is refused with %d", async (body, status, field) => {
  const told = await open()("POST", "lookup", body);
  expect([told.status, told.more.field]).toEqual([status, field]);
});
