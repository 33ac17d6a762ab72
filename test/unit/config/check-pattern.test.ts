import { describe, expect, it } from "vitest";
import { patternIssue } from "../../../src/config/check-pattern.ts";

describe("a route's path", () => {
  it.each([
    "/",
    "/*",
    "/v1/user/:id",
    "/v1/:id{[0-9]+}",
    "/v1/:id{[0-9]{3}}",
    "/v1/:rest{.+}",
    "/v1/:id?",
    "/v1/*/x/*",
    "/v1/pre*",
    "/v1/items/abc:cancel",
    '/v1/echo/"quoted"',
    "/v1/a b/é",
    "/v1/trailing/",
    "/v1/:kind{a|b}/x",
    "/v1/Products(1)",
    "/v1/$metadata",
    "/v1/C++",
    "/v1/v1.2",
    "/v1/@me",
    "/.well-known/x",
    "/v1/été:x",
  ])("may be %s", (path) => {
    expect(patternIssue(path, false)).toBeNull();
  });

  it.each([
    ["v1", /start with a \//],
    ["*", /start with a \//],
    ["/v1/:id{[0-9+}", /regular expression/],
    ["/v1/:id{(}", /regular expression/],
    ["/v1/:id{", /Close each \{/],
    ["/v1/}x", /Close each \{/],
    ["/v1/x{[0-9]+}", /after a name/],
    ["/v1/:id{}", /between the braces/],
    ["/v1/:a:b", /one :name a segment/],
    ["/v1/:", /Name the parameter/],
    ["/v1/:id.json", /Name the parameter/],
    ["/v1/:id{[0-9]+}.json", /nothing after it/],
    ["/v1/:id?/x", /Only the last segment/],
    ["/v1/x?", /without \? and #/],
    ["/v1/a?b=c", /without \? and #/],
    ["/v1/a#b", /without \? and #/],
    ["/**", /whole segment/],
    ["/v1/*.json", /whole segment/],
    ["/v1/a*/b", /whole segment/],
    ["/v1//x", /empty segment/],
    ["//", /empty segment/],
    ["/v1/../x", /dot segment/],
    ["/v1/a%20b", /matched decoded/],
    ["/v1/a\nb", /control characters/],
    // As other routers write it: it would guard nothing.
    ["/v1/[id]", /Write :id/],
    ["/v1/[id]/x", /Write :id/],
    ["/v1/[...slug]", /Write :id/],
    ["/v1/[[...slug]]", /Write :id/],
    ["/v1/<id>", /Write :id/],
    ["/v1/<int:id>", /Write :id/],
    ["/v1/(group)/x", /Write :id/],
    ["/v1/(a|b)", /Write :id/],
    ["/v1/(.*)", /Write :id|Use \*/],
    ["/v1/a|b", /Write :id/],
    ["/v1/@:user", /Write :id/],
    ["/v1/user-:id", /Write :id/],
    ["/v1/user-:id/x", /Write :id/],
    ["/v1/(:id)", /Write :id/],
    ["/v1/.*", /Write :id/],
    ["/v1/.+", /Write :id/],
    ["/v1/.+/x", /Write :id/],
    ["/v1/[^/]+", /Write :id/],
    ["/v1/\\d+", /Write :id/],
    ["/v1/x$", /Write :id/],
  ])("may not be %s", (path, fix) => {
    expect(patternIssue(path, false)).toMatch(fix);
  });

  it("may have empty segments where the route takes raw paths", () => {
    expect(patternIssue("/v1//x", true)).toBeNull();
  });
});
