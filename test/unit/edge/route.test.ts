import { describe, expect, it } from "vitest";
import { routeMatcher } from "../../../src/config/match.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { routeOf } from "../../../src/edge/route.ts";

const { routes } = loadConfig({ ORIGIN_URL: "https://origin.example" }, [
  { path: "/v1/user/*", access: "session" },
  { path: "/v1/login", methods: ["POST"], session: "start" },
  { path: "/v1/cached/*", cache: { ttl: 60 }, limits: [{ name: "few", limit: 5, window: "1 m" }] },
  { path: "/raw/*", rawPath: true },
  { path: "/v1/keys", verifiesKeys: true },
]);
const matchRoute = routeMatcher(routes);
const routed = (path: string, method = "GET") =>
  routeOf({ request: { method }, url: new URL(path, "https://edge.example") }, matchRoute);

describe("the route of a request", () => {
  it.each([
    ["/v1/user/profile", "GET", "/v1/user/*", "/v1/user/profile"],
    ["/v1/user/caf%C3%A9", "GET", "/v1/user/*", "/v1/user/café"],
    ["/v1/login", "POST", "POST /v1/login", "/v1/login"],
    ["/v1/login", "GET", "*", "/v1/login"],
    ["/raw/a%2fb//c", "GET", "/raw/*", "/raw/a/b//c"],
    ["/v1/USER/profile", "GET", "/v1/user/*", "/v1/USER/profile"],
    ["/", "GET", "*", "/"],
    ["/v1/cached/x?y=//", "HEAD", "/v1/cached/*", "/v1/cached/x"],
  ])("%s, %s: %s", (path, method, name, decoded) => {
    const found = routed(path, method);
    expect([found.route.name, found.path, found.refusal]).toEqual([name, decoded, null]);
  });

  it.each([
    ["/v1/user//profile", "//"],
    ["/v1/user%2fprofile", "%2f"],
    ["/v1/user%5cprofile", "backslash"],
    ["/v1/%zz", "broken escape"],
    ["/v1/%ff", "broken escape"],
    ["/v1/a%00", "NUL"],
    ["/v1/;/x", "parameters"],
    ["/v1/..;/x", "dot segment"],
    ["/raw/a%0d", "CR"],
    ["/raw/%2e%2e%2fx", "dot segment"],
  ])("%s is refused: %s", (path, what) => {
    const { refusal } = routed(path);
    expect(refusal).toMatchObject({ code: "AMBIGUOUS_PATH", facts: { status: 400 } });
    expect(refusal?.message).toContain(what);
  });

  it("that passes all the same stores nothing, starts nothing and verifies nothing", () => {
    for (const [path, method] of [
      ["/v1/cached//x", "GET"],
      ["/v1/login%5c", "POST"],
      ["/v1/keys%09", "GET"],
    ] as const) {
      const { route, refusal } = routed(path, method);
      expect(refusal, path).not.toBeNull();
      expect([route.cache, route.session, route.verifiesKeys], path).toEqual([null, null, false]);
    }
  });

  it("is the given one for a middleware, however the path is written: Hono reads it", () => {
    const [own] = routes;
    const url = new URL("https://edge.example/anything");
    expect(routeOf({ request: { method: "GET" }, url }, matchRoute, own).route).toBe(own);
    for (const odd of ["/a//b", "/a%2fb", "/%zz", "/a%00", "/a%5cb"]) {
      const url = new URL(odd, "https://edge.example");
      expect(routeOf({ request: { method: "GET" }, url }, matchRoute, own), odd).toMatchObject({
        route: own,
        refusal: null,
      });
    }
  });
});
