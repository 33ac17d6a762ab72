import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/routes-schema.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { configIssues } from "../../support/config.ts";

const places = (env: Record<string, unknown>, routes: unknown) =>
  configIssues(env, routes).map(({ place }) => place);

describe("a route that can never match", () => {
  const cases: [name: string, routes: RouteInput[], dead: string[]][] = [
    ["the same path", [{ path: "/a" }, { path: "/a" }], ["routes[1]"]],
    ["under a wildcard", [{ path: "/v1/*" }, { path: "/v1/a" }], ["routes[1]"]],
    ["under everything", [{ path: "/*" }, { path: "/a" }, { path: "/b" }], ["routes[1]", "routes[2]"]],
    ["a narrower parameter", [{ path: "/v1/:id" }, { path: "/v1/:id{[0-9]+}" }], ["routes[1]"]],
    [
      "fewer methods",
      [
        { path: "/a", methods: ["GET", "POST"] },
        { path: "/a", methods: ["post"] },
      ],
      ["routes[1]"],
    ],
    [
      "HEAD after GET",
      [
        { path: "/a", methods: ["GET"] },
        { path: "/a", methods: ["HEAD"] },
      ],
      ["routes[1]"],
    ],
    [
      "methods of two earlier ones",
      [
        { path: "/a", methods: ["GET"] },
        { path: "/*", methods: ["POST"] },
        { path: "/a", methods: ["GET", "POST"] },
      ],
      ["routes[2]"],
    ],
    ["the wider path after", [{ path: "/v1/a" }, { path: "/v1/*" }], []],
    [
      "other methods",
      [
        { path: "/a", methods: ["GET"] },
        { path: "/a", methods: ["POST"] },
      ],
      [],
    ],
    [
      "one method more",
      [
        { path: "/a", methods: ["GET"] },
        { path: "/a", methods: ["GET", "PUT"] },
      ],
      [],
    ],
    ["every method after one", [{ path: "/a", methods: ["GET"] }, { path: "/a" }], []],
    ["another case", [{ path: "/about" }, { path: "/ABOUT" }], []],
  ];
  it.each(cases)("%s", (_name, routes, dead) => {
    expect(places({}, routes)).toEqual(dead);
  });
});

describe("a path that is owned twice", () => {
  it.each([
    [{ AUTH_BASE_PATH: "/edge" }, ["AUTH_BASE_PATH"]],
    [{ AUTH_BASE_PATH: "/edge/auth" }, ["AUTH_BASE_PATH"]],
    [{ HEALTH_PATH: "/edge" }, ["HEALTH_PATH"]],
    [{ HEALTH_PATH: "/auth" }, ["AUTH_BASE_PATH"]],
    [{ AUTH_BASE_PATH: "/x", HEALTH_PATH: "/x" }, ["AUTH_BASE_PATH"]],
    [{ AUTH_BASE_PATH: "/health/auth" }, ["AUTH_BASE_PATH"]],
    [{ HEALTH_PATH: "/auth/health" }, ["AUTH_BASE_PATH"]],
    [{ AUTH_BASE_PATH: "/healthy" }, []],
    [{ HEALTH_PATH: "/edges" }, []],
    [{ AUTH_BASE_PATH: "/api/auth", HEALTH_PATH: "/api/health" }, []],
  ])("%j", (env, expected) => {
    expect(places(env, [])).toEqual(expected);
  });

  it.each<[RouteInput, string[]]>([
    [{ path: "/health" }, ["routes[0].path"]],
    [{ path: "/health/ready", methods: ["GET"] }, ["routes[0].path"]],
    [{ path: "/health", methods: ["POST"] }, []],
    [{ path: "/edge/purge" }, ["routes[0].path"]],
    [{ path: "/edge" }, ["routes[0].path"]],
    [{ path: "/edges" }, []],
    [{ path: "/auth/login" }, []],
    [{ path: "/healthy" }, []],
    [{ path: "/health/*" }, []],
    [{ path: "/*" }, []],
  ])("%j", (route, expected) => {
    expect(places({}, [route])).toEqual(expected);
  });
});

describe("a tier that nobody can have", () => {
  const routes: RouteInput[] = [{ path: "/a", tiers: { gold: [{ name: "n", limit: 1, window: "1 s" }] } }];
  const secret = "0123456789abcdef0123456789abcdef";
  it.each<[Record<string, unknown>, RouteInput[], boolean]>([
    [{}, routes, true],
    [{ API_KEYS: `${secret}:one:silver` }, routes, true],
    [{ API_KEYS: `${secret}:one` }, routes, true],
    [{ API_KEYS: `${secret}:one:gold` }, routes, false],
    [{ SESSION_SECRET: secret }, routes, false],
    [{ SERVICE_TOKEN: secret }, routes, true],
    [{ JWT_SECRET: secret }, routes, true],
    [{ JWT_SECRET: secret, JWT_TIER_CLAIM: "tier" }, routes, false],
    [{ JWT_TIER_CLAIM: "tier" }, routes, true],
    [{}, [...routes, { path: "/b", verifiesKeys: true }], false],
  ])("%j", (env, list, warned) => {
    const { warnings } = loadConfig(env, list);
    expect(warnings.some((warning) => warning.includes('"gold"'))).toBe(warned);
  });

  it("is an issue where it has no name", () => {
    expect(configIssues({}, [{ path: "/a", tiers: { "": [] } }])).toEqual([
      { place: "routes[0].tiers.", found: '""', fix: "Nobody can have a tier without a name: name it." },
    ]);
  });
});
