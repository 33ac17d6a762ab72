import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";

const env = { ORIGIN_URL: "https://api.example", IDENTITY_SECRET: "identity-secret-of-this-test-only" };
const load = (route: Omit<RouteInput, "path">) => loadConfig(env, [{ path: "/v1/*", ...route }]);

describe('originFetch: "eager"', () => {
  it.each<[what: string, route: Omit<RouteInput, "path">]>([
    ["alone", {}],
    ["with methods of which one is a read", { methods: ["post", "get"] }],
    ["with HEAD only", { methods: ["HEAD"] }],
    ["on a public route that says so", { access: "public" }],
    ["with a cache", { cache: { ttl: 60, scope: "shared" } }],
    ["with a limit in shadow", { limits: [{ name: "a", limit: 1, window: "1 m" }], shadow: true }],
    ["where everybody passes while the store is lost", { onStoreFailure: "open" }],
  ])("may stand %s", (_, route) => {
    expect(load({ ...route, originFetch: "eager" }).routes[0]?.originFetch).toBe("eager");
  });

  it.each<[route: Omit<RouteInput, "path">, found: string]>([
    [{ onStoreFailure: "closed" }, 'onStoreFailure = "closed"'],
    [{ access: "identified" }, 'access = "identified"'],
    [{ access: "session" }, 'access = "session"'],
    [{ access: ["key"] }, 'access = ["key"]'],
    [{ methods: ["POST"] }, "methods = POST"],
    [{ methods: ["put", "DELETE"] }, "methods = PUT, DELETE"],
    [{ cache: { scope: "caller" } }, 'cache.scope = "caller"'],
  ])("contradicts %j", (route, found) => {
    expect(() => load({ ...route, originFetch: "eager" })).toThrow(`"eager" with ${found}`);
    expect(() => load(route)).not.toThrow();
  });

  it("names every contradiction of a route", () => {
    const all = {
      access: "session",
      onStoreFailure: "closed",
      methods: ["POST"],
      originFetch: "eager",
    } as const;
    expect(() => load({ ...all, methods: ["POST"] })).toThrow(/access[\s\S]*closed[\s\S]*methods = POST/);
  });

  it.each(["lazy", true, "EAGER", null])("is %j nowhere", (originFetch) => {
    expect(() => load({ originFetch } as never)).toThrow("originFetch");
  });
});
