import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { routeMatcher } from "../../../src/config/match.ts";
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
