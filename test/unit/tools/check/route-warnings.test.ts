import { expect, it } from "vitest";
import type { RouteInput } from "../../../../src/config/route.ts";
import { loadConfig } from "../../../../src/edge/load-config.ts";
import { routeWarnings } from "../../../../src/tools/check/route-warnings.ts";

const key = { access: "identified" } as const;

it.each<[what: string, routes: RouteInput[], told: RegExp[]]>([
  ["a colon behind a name", [{ path: "/items:id" }], [/the very text "items:id".*\/:id/]],
  ["a dollar before one", [{ path: "/users/$userId/x" }], [/the very text "\$userId"/]],
  [
    "OData's and Google's, which may be meant",
    [{ path: "/$metadata" }, { path: "/a/b:cancel" }],
    [/metadata/, /cancel/],
  ],
  [
    "parameters, patterns and stars: nothing",
    [{ path: "/:id" }, { path: "/a/:b{x:y}" }, { path: "/b/:c?" }, { path: "/d/*" }],
    [],
  ],
  ["a dollar within a name: nothing", [{ path: "/a$b" }], []],
  [
    "access for some methods",
    [{ path: "/a/:id", methods: ["GET"], ...key }],
    [/"GET \/a\/:id".* no route has POST, PUT, PATCH, DELETE of its path/],
  ],
  [
    "of a list",
    [{ path: "/a", methods: ["POST", "DELETE"], access: ["key"] }],
    [/has GET, PUT, PATCH of its path/],
  ],
  ...["GTE", "psot", "Fetch", "UPDATE", "GETPOST", "ANY"].map((method): [string, RouteInput[], RegExp[]] => [
    `a method that no request has: ${method}`,
    [{ path: "/a", methods: ["GET", method] }],
    [new RegExp(`"GET,${method.toUpperCase()} /a".*no request has the method ${method.toUpperCase()}`)],
  ]),
  [
    "a method near to another",
    [
      { path: "/a", methods: ["DELTE"] },
      { path: "/b", methods: ["GTE"] },
    ],
    [/method DELTE: did you mean DELETE\?/, /method GTE: did you mean GET\?/],
  ],
  [
    "methods of WebDAV and of caches: nothing",
    [{ path: "/a", methods: ["PROPFIND", "mkcol", "PURGE", "QUERY", "REPORT", "HEAD", "OPTIONS"] }],
    [],
  ],
  ["access for all: nothing", [{ path: "/a", ...key }], []],
  [
    "public with limits: nothing",
    [{ path: "/a", methods: ["GET"], limits: [{ name: "l", limit: 1, window: "1 m" }] }],
    [],
  ],
  [
    "the rest at a wider route: nothing",
    [{ path: "/a/:id", methods: ["GET"], ...key }, { path: "/a/*" }],
    [],
  ],
  [
    "the rest by several",
    [
      { path: "/a", methods: ["GET"], ...key },
      { path: "/a", methods: ["POST", "PUT"] },
      { path: "/*", methods: ["DELETE"] },
    ],
    [/has PATCH of its path/],
  ],
  [
    "the rest at a narrower route",
    [{ path: "/a/*", methods: ["GET"], ...key }, { path: "/a/b" }],
    [/has POST, PUT, PATCH, DELETE/],
  ],
])("of %s", (_, routes, told) => {
  const found = routeWarnings(loadConfig({}, routes).routes);
  expect(found).toEqual(told.map((each) => expect.stringMatching(each) as string));
});
