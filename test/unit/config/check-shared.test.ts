import { describe, expect, it } from "vitest";
import type { LimitInput, RouteInput } from "../../../src/config/route.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";

const day = { name: "api-day", shared: true, limit: 100, window: "1 d" } as const;
const bucket = {
  name: "b",
  shared: true,
  algorithm: "token-bucket",
  capacity: 9,
  refill: 1,
  window: "1 s",
} as const;
const routes = (first: LimitInput, second: LimitInput): RouteInput[] => [
  { path: "/a", methods: ["GET"], limits: [first] },
  { path: "/b", limits: [{ name: "own", limit: 5, window: "1 s" }, second] },
];
const idsOf = (list: RouteInput[]) =>
  loadConfig({}, list).routes.flatMap(({ limits }) => limits.map(({ id }) => id));

describe("a shared limit", () => {
  it.each<[string, LimitInput, LimitInput]>([
    ["the same words", day, day],
    ["another writing of the window", day, { ...day, window: "24 h" }],
    ["the default written out", day, { ...day, algorithm: "sliding-window", by: "caller", localShare: 1 }],
    ["another cost", day, { ...day, cost: 5 }],
    ["another shadow", day, { ...day, shadow: true }],
    ["a bucket", bucket, bucket],
  ])("counts once over two routes: %s", (_what, first, second) => {
    const [one, own, two] = idsOf(routes(first, second));
    expect(one).toBe(two);
    expect(own).not.toBe(one);
  });

  it.each<[string, LimitInput, LimitInput, string]>([
    ["limit", day, { ...day, limit: 99 }, "limit"],
    ["window", day, { ...day, window: "23 h" }, "window"],
    ["algorithm", day, { ...day, algorithm: "fixed-window" }, "algorithm"],
    ["by", day, { ...day, by: "address" }, "by"],
    ["lease", day, { ...day, lease: 10 }, "lease"],
    ["localShare", day, { ...day, localShare: 0.5 }, "localShare"],
    ["capacity", bucket, { ...bucket, capacity: 8 }, "capacity"],
    ["refill", bucket, { ...bucket, refill: 2 }, "refill"],
    ["a bucket and a window", { ...bucket, name: "api-day" }, day, "algorithm"],
  ])("that two routes define differently is an error that names both: %s", (_what, first, second, key) => {
    const load = () => loadConfig({}, routes(first, second));
    expect(load).toThrow(`routes[1].limits[1].${key}`);
    expect(load).toThrow('"GET /a" (routes[0].limits[0])');
    expect(load).toThrow('on "/b"');
  });

  it("has a limit of its own for each tier, which all routes define alike too", () => {
    const tiered = (premium: number): RouteInput[] => [
      { path: "/a", limits: [day], tiers: { premium: [{ ...day, limit: 1000 }] } },
      { path: "/b", limits: [day], tiers: { premium: [{ ...day, limit: premium }] } },
    ];
    const { routes: compiled, warnings } = loadConfig({ SESSION_SECRET: "s".repeat(32) }, tiered(1000));
    const ids = compiled.flatMap(({ limits, tiers }) =>
      [...limits, ...(tiers.get("premium") ?? [])].map(({ id }) => id),
    );
    expect(new Set(ids).size).toBe(1);
    expect(warnings.filter((text) => text.includes("api-day"))).toEqual([]);
    expect(() => loadConfig({}, tiered(999))).toThrow("routes[1].tiers.premium[0].limit");
  });

  it("warns of a tier that one route limits otherwise and another does not know", () => {
    const { warnings } = loadConfig({ SESSION_SECRET: "s".repeat(32) }, [
      { path: "/a", limits: [day], tiers: { premium: [{ ...day, limit: 1000 }] } },
      { path: "/b", limits: [day] },
    ]);
    expect(warnings.join()).toContain('routes[1].limits[0]: the tier "premium" has a limit of 1000');
  });

  it("shares nothing with a limit of the same name that is not shared", () => {
    const { shared: _, ...plain } = day;
    const ids = idsOf([
      ...routes(day, plain),
      { path: "/c", limits: [plain] },
      { path: "/d", limits: [day] },
    ]);
    expect(new Set(ids).size).toBe(4);
  });
});

it("no two routes share a counter, however alike their paths are", () => {
  const paths = ["/a", "/A", "/a/", "/a/*", "/:a", "/:a{[0-9]+}", "/:a_[0-9]+_", "/shared", "/shared|all"];
  const limits: LimitInput[] = [{ name: "all", limit: 5, window: "1 m" }];
  const list = paths.map((path): RouteInput => ({ path, limits, forgiving: false }));
  const methods = list.map((route): RouteInput => ({ ...route, methods: ["GET"] }));
  const ids = [...list, ...methods].flatMap((route) => {
    try {
      return idsOf([route]);
    } catch {
      return []; // A path that no route may have.
    }
  });
  expect(ids.length).toBeGreaterThan(10);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.join("")).not.toMatch(/[\s{}]/);
});
