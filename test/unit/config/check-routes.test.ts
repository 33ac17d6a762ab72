import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { configIssues } from "../../support/config.ts";

const places = (env: Record<string, unknown>, routes: unknown) =>
  configIssues(env, routes).map(({ place }) => place);

const secret = "0123456789abcdef0123456789abcdef";

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

describe("access that nobody can have", () => {
  const to = (access: NonNullable<RouteInput["access"]>): RouteInput[] => [{ path: "/a", access }];
  const verifying: RouteInput = { path: "/b", verifiesKeys: true };

  it.each<[Record<string, unknown>, RouteInput[], boolean]>([
    [{}, to("session"), true],
    [{}, to("identified"), true],
    [{}, to(["key"]), true],
    [{}, to(["jwt", "session"]), true],
    [{}, to("public"), false],
    [{ SESSION_SECRET: secret }, to("session"), false],
    [{ SESSION_SECRET: secret }, to(["jwt"]), true],
    [{ SESSION_SECRET: secret }, to(["jwt", "session"]), false],
    [{ JWT_SECRET: secret }, to("session"), true],
    [{ JWT_SECRET: secret }, to("identified"), false],
    [{ API_KEYS: `${secret}:one` }, to(["key"]), false],
    [{ API_KEYS: `${secret}:one` }, to(["session"]), true],
    [{}, [...to(["key"]), verifying], false],
    [{}, [...to(["jwt"]), verifying], true],
  ])("%j, %j: %s", (env, list, warned) => {
    const { warnings } = loadConfig(env, list);
    expect(warnings.some((warning) => warning.startsWith("routes[0].access: nobody"))).toBe(warned);
  });
});

it.each<[env: Record<string, unknown>, unused: string[]]>([
  [{ JWT_COOKIE: "jwt" }, ["JWT_COOKIE"]],
  [{ JWT_ISSUER: "https://i", JWT_AUDIENCE: "a" }, ["JWT_ISSUER", "JWT_AUDIENCE"]],
  [{ JWT_TIER_CLAIM: "tier" }, ["JWT_TIER_CLAIM"]],
  [{ JWT_SECRET_ISSUER: "https://i" }, ["JWT_SECRET_ISSUER"]],
  [{ JWT_SECRET: secret, JWT_COOKIE: "jwt", JWT_SECRET_ISSUER: "https://i", JWT_ISSUER: "i" }, []],
  [
    {
      JWT_JWKS_URL: "https://i.example/keys",
      JWT_ISSUER: "i",
      JWT_AUDIENCE: "a",
      JWT_SECRET_AUDIENCE: "b",
      JWT_COOKIE: "jwt",
    },
    ["JWT_SECRET_AUDIENCE"],
  ],
  [{}, []],
])("of %j a warning says what has no effect: %j", (env, unused) => {
  const { warnings } = loadConfig(env, []);
  const told = warnings.flatMap((warning) => /^(\w+) has no effect/.exec(warning)?.slice(1) ?? []);
  expect(told).toEqual(unused);
});

it.each<[ignoreCookies: string[], wrong: boolean]>([
  [["jwt"], true],
  [["_ga*", "jwt"], true],
  [["j*"], true],
  [["*"], true],
  [["jwt2", "JWT", "_ga*"], false],
  [[], false],
])("a cache rule that ignores the cookies %j hides the JWT's: %s", (ignoreCookies, wrong) => {
  const list: RouteInput[] = [{ path: "/a", cache: { ttl: 60, ignoreCookies } }];
  const issues = configIssues({ JWT_SECRET: secret, JWT_COOKIE: "jwt" }, list);
  expect(issues.map(({ place }) => place)).toEqual(wrong ? ["routes[0].cache.ignoreCookies"] : []);
  expect(configIssues({ JWT_SECRET: secret }, list), "no such cookie").toEqual([]);
});

/** A `*` elsewhere would be a letter, and the name that of nothing. */
it.each<[name: string, wrong: boolean]>([
  ["utm_*", false],
  ["*", false],
  ["filter[a]", false],
  ["a b", false],
  ["*_id", true],
  ["a*b", true],
  ["**", true],
  ["utm_source=*", true],
  ["page=1", true],
  ["?page", true],
  ["a&b", true],
  ["", true],
])("the query parameter %j of a cache rule is none: %s", (name, wrong) => {
  for (const kind of ["ignore", "allow"]) {
    const issues = configIssues({}, [{ path: "/a", cache: { ttl: 60, query: { [kind]: ["fine", name] } } }]);
    expect(issues.map(({ place }) => place)).toEqual(wrong ? [`routes[0].cache.query.${kind}[1]`] : []);
  }
});

it.each<[name: string, wrong: boolean]>([
  ["_ga*", false],
  ["*", false],
  ["__Host-a", false],
  ["*_session", true],
  ["a*b", true],
  ["**", true],
  ["a=b", true],
  ["a b", true],
])("the ignored cookie %j of a cache rule is none: %s", (name, wrong) => {
  const issues = configIssues({}, [{ path: "/a", cache: { ttl: 60, ignoreCookies: ["fine", name] } }]);
  expect(issues.map(({ place }) => place)).toEqual(wrong ? ["routes[0].cache.ignoreCookies[1]"] : []);
});

it.each<[tag: string, wrong: boolean]>([
  ["items", false],
  ["{item}:1/x", false],
  ["items,lists", true],
  ["items, lists", true],
  ["", true],
])("the tag %j of a cache rule is no one tag: %s", (tag, wrong) => {
  const issues = configIssues({}, [{ path: "/a", cache: { ttl: 60, tags: ["fine", tag] } }]);
  expect(issues.map(({ place }) => place)).toEqual(wrong ? ["routes[0].cache.tags[1]"] : []);
});

const leased = { name: "leased", limit: 100, window: "1 m", lease: 10 } as const;
const plain = { name: "plain", limit: 100, window: "1 h" } as const;
it.each<[string, RouteInput, string[]]>([
  ["each has one", { path: "/a", limits: [leased, { ...plain, lease: 1 }] }, []],
  ["none has one", { path: "/a", limits: [plain] }, []],
  ["one has none", { path: "/a", limits: [leased, plain] }, ["routes[0].limits[0].lease"]],
  [
    "one in shadow has none",
    { path: "/a", limits: [{ ...plain, shadow: true }, leased] },
    ["routes[0].limits[1].lease"],
  ],
  [
    "one of a tier has none",
    { path: "/a", limits: [leased], tiers: { pro: [plain, leased] } },
    ["routes[0].tiers.pro[1].lease"],
  ],
  ["one of another tier has none", { path: "/a", limits: [leased], tiers: { pro: [plain] } }, []],
])("leases are told to have no effect where %s", (_, route, places) => {
  const told = loadConfig({ SESSION_SECRET: "s".repeat(32) }, [route]).warnings.flatMap(
    (warning) => /^(\S+lease) has no effect/.exec(warning)?.slice(1) ?? [],
  );
  expect(told).toEqual(places);
});
