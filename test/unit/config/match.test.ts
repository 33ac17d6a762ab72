import { describe, expect, it } from "vitest";
import { routeMatcher } from "../../../src/config/match.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { decodedPath } from "../../../src/http/path.ts";

const match = routeMatcher(
  loadConfig({}, [
    { path: "/v1/emissions/calculate", methods: ["POST"] },
    { path: "/v1/emissions/*", methods: ["GET"] },
    { path: "/v1/user/:id/Profile" },
    { path: "/v1/*" },
  ]).routes,
);

describe("the first route that matches", () => {
  const cases: [method: string, path: string, name: string][] = [
    ["GET", "/v1/emissions/factors", "GET /v1/emissions/*"],
    ["HEAD", "/v1/emissions/factors", "GET /v1/emissions/*"],
    ["POST", "/v1/emissions/calculate", "POST /v1/emissions/calculate"],
    ["GET", "/v1/emissions/calculate", "GET /v1/emissions/*"],
    ["DELETE", "/v1/emissions/calculate", "/v1/*"],
    ["GET", "/v1/user/7/Profile", "/v1/user/:id/Profile"],
    ["GET", "/elsewhere", "*"],
  ];
  it.each(cases)("%s %s is %s", (method, path, name) => {
    expect(match(method, path).name).toBe(name);
  });
});

it("is also found under the spellings that many origins forgive", () => {
  const only = routeMatcher(loadConfig({}, [{ path: "/v1/user/:id/Profile", access: "session" }]).routes);
  expect(only("GET", "/v1/user/7/Profile/").access).toBe("session");
  expect(only("GET", "/V1/USER/7/profile").access).toBe("session");
});

describe("a rule for one path, followed by one for everything", () => {
  const login = routeMatcher(
    loadConfig({}, [{ path: "/v1/auth/tasks/look", access: "session" }, { path: "/*" }]).routes,
  );
  it.each([
    ["%0a"],
    ["%0d"],
    ["%0d%0a"],
    ["%09"],
    ["%7f"],
    ["%C2%85"],
    ["%20"],
    ["."],
    [".%20."],
    ["/%20"],
    [";v=1%0a"],
  ])("is not evaded by what an origin drops from its end: %s", (tail) => {
    expect(login("GET", decodedPath(`/v1/auth/tasks/look${tail}`) ?? "").access).toBe("session");
  });
  it.each([["ta\u017fks/look"], ["tasks/loo\u212a"], ["TA\u017fKS/LOO\u212a"]])(
    "is not evaded by letters beyond ASCII that compare as its own: %s",
    (spelling) => {
      expect(login("GET", `/v1/auth/${spelling}`).access).toBe("session");
    },
  );
  it("leaves a name that is only like it alone", () => {
    for (const path of ["/v1/auth/tasks/look.txt", "/v1/auth/tasks/l ook", "/v1/auth/tasks/.look"])
      expect(login("GET", path).access, path).toBe("public");
  });
});

describe("a rule that is followed by one for everything", () => {
  const guarded = routeMatcher(
    loadConfig({}, [
      { path: "/user/*", access: "session" },
      { path: "/Files/:name", access: "session" },
      { path: "/about" },
      { path: "/ABOUT", access: "session" },
      { path: "/*" },
    ]).routes,
  );
  it.each([
    ["/USER/profile"],
    ["/user;x=1/profile"],
    ["/user/profile/"],
    ["/files/a"],
    ["/FILES/a;b"],
    ["/ABOUT"],
    ["/user/profile\n"],
    ["/user\u0020/profile"],
    ["/user./profile"],
    ["/files/a..."],
    ["/u\u017fer/profile"],
  ])("is not evaded by %s", (path) => {
    expect(guarded("GET", path).access).toBe("session");
  });
  it.each([["/about"], ["/users"], ["/other/user/x"]])("does not reach %s", (path) => {
    expect(guarded("GET", path).access).toBe("public");
  });
});

it("is the same for a path that comes again, and for one that is long", () => {
  for (const path of ["/v1/emissions/factors", `/v1/emissions/${"x".repeat(500)}`]) {
    const first = match("GET", path);
    expect(match("GET", path)).toBe(first);
    expect(match("POST", path).name, "another method").toBe("/v1/*");
  }
  for (let n = 0; n < 2500; n += 1) expect(match("GET", `/v1/${n}`).name).toBe("/v1/*");
});

describe("the forgiving reading of a path", () => {
  const limits = [{ name: "few", limit: 5, window: "1 m" as const }];
  const mixed = routeMatcher(
    loadConfig({}, [
      { path: "/v1/public", methods: ["GET"] },
      { path: "/files/:name" },
      { path: "/v1/auth/login", limits },
      { path: "/v1/cached/:id", cache: { ttl: 60 } },
      { path: "/v1/alike" },
      { path: "/v1/exact/*", forgiving: false },
      { path: "/v1/exact-only", forgiving: false, access: "identified" },
      { path: "/v1/open/:id" },
      { path: "/v1/*", access: "session" },
      { path: "/files/*", access: "session" },
      { path: "/open/guarded", access: "session" },
      { path: "/open/free" },
      { path: "/open/*" },
    ]).routes,
  );
  it.each<[path: string, differ: boolean]>([
    ["/v1/Public", true],
    ["/v1/public.", true],
    ["/v1/public/", true],
    ["/v1/public ", true],
    ["/v1/public;x=1", true],
    ["/files/a/", true],
    ["/v1/AUTH/login", true],
    ["/v1/Cached/7", true],
    ["/v1/alike;v", true],
    ["/v1/p%75blic", true],
    ["/open/gu%2561rded", true],
    ["/open/x%2fy", false],
    ["/open/50%20%25", false],
    ["/v1/public", false],
    ["/v1/other", false],
    ["/V1/Other", false],
    ["/files/a", false],
    ["/files/A", false],
    ["/files/a;v=1", false],
    ["/open/Guarded", true],
    ["/open/Free", false],
    ["/v1/exact/Public", false],
    ["/v1/Exact-only", false],
    ["/elsewhere/", false],
  ])("of %j is another route with other rules: %s", (path, differ) => {
    expect(mixed.readingsDiffer("GET", path)).toBe(differ);
    expect(mixed.readingsDiffer("GET", path), "remembered").toBe(differ);
  });

  it("lets a route that no other reading finds refuse, and store nothing", () => {
    const only = routeMatcher(
      loadConfig({}, [
        { path: "/v1/user", access: "session", limits, cache: { ttl: 60 } },
        { path: "/v1/keys", access: "identified", verifiesKeys: true },
      ]).routes,
    );
    expect(only("GET", "/v1/user").cache).not.toBeNull();
    expect(only("GET", "/V1/User/")).toMatchObject({ access: "session", cache: null });
    expect(only("GET", "/V1/User/").limits).toBe(only("GET", "/v1/user").limits);
    expect(only("GET", "/v1/keys/")).toMatchObject({ access: "identified", verifiesKeys: false });
  });

  it("does not find a route that says forgiving: false", () => {
    expect(mixed("GET", "/v1/Exact-only").access).toBe("session");
    expect(mixed("GET", "/V1/exact/x").access, "the next one that does").toBe("session");
  });
});

it("is not looked for along the list: a thousand routes take as many steps as ten", () => {
  const steps = (count: number) => {
    const last = `/part-${count}`;
    const { routes } = loadConfig({}, [
      ...Array.from({ length: count }, (_, n) => ({ path: `/part-${n}/*` })),
      // Two readings, which lie in two routes: their places in the list are compared.
      { path: `${last}/a;b`, forgiving: true },
      { path: `${last}/*` },
    ]);
    let reads = 0;
    const watched = new Proxy([...routes], {
      get(target, name, receiver) {
        if (typeof name === "string" && /^\d+$/.test(name)) reads += 1;
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
    const find = routeMatcher(watched);
    reads = 0;
    for (const path of [`${last}/x`, `${last}/A`, `${last}/x/`, "/elsewhere"]) find("GET", path);
    return reads;
  };
  expect(steps(1000)).toBe(steps(10));
});
