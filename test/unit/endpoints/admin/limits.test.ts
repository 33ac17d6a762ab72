import { Hono } from "hono/tiny";
import { expect, test } from "vitest";
import { limitRoutes } from "../../../../src/endpoints/admin/limits.ts";
import { Problem } from "../../../../src/http/problem.ts";
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

/** Everybody has used five units of every counter, until a reset. */
function open(ipv6Prefix?: number) {
  let used = 5;
  const hash = async (kind: string, value: string) => hashOf(`${kind}:${value}`);
  const app = new Hono().route(
    "/",
    limitRoutes({
      routes,
      ipv6Prefix,
      platform: testPlatform(),
      apiKeys: [{ name: "one" }],
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
      address?: string;
      reset?: boolean;
      limits?: { tier: string; name: string; limit: number; remaining: number; route: string }[];
    };
    const told = await response.json<Told>();
    const limits = told.limits?.map(({ tier, name, limit, remaining }) =>
      [tier, name, limit, remaining].join(" "),
    );
    return { status: response.status, address: told.address, limits };
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
  expect(await open()(method, path, body)).toEqual({ status, limits, address });
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
