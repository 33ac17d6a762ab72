import { describe, expect, it } from "vitest";
import { ambiguityOf, decodedPath, forgive, forgivePattern, withoutEnds } from "../../../src/http/path.ts";

it("a path is decoded, and one with a broken escape has no reading", () => {
  expect(decodedPath("/v1/%65missions")).toBe("/v1/emissions");
  expect(decodedPath("/v1/%zz")).toBeNull();
  expect(decodedPath("/v1/%ff")).toBeNull();
});

describe("a path that two readers could read differently", () => {
  it.each(["//x", "/a//b", "/a%2Fb", "/a%5cb", "/a%00", "/a/%2e%2e/b", "/%2E/b"])("%s is refused", (path) => {
    expect(ambiguityOf(path, false)).not.toBeNull();
  });
  it.each(["%0a", "%0d", "%0d%0a", "%09", "%01", "%1F", "%7f"])("holds %s", (escaped) => {
    expect(
      ambiguityOf(`/v1/auth/login${escaped}`, false),
      "`login$` matches before a last newline",
    ).not.toBeNull();
  });
  it("is let through where the route wants it, but for NUL, ends of lines and dot segments", () => {
    for (const never of ["%00", "%0a", "%0D"]) expect(ambiguityOf(`/a${never}`, true), never).not.toBeNull();
    expect(ambiguityOf("/a%09", true)).toBeNull();
    expect(ambiguityOf("/a//b%2fc", true)).toBeNull();
    expect(ambiguityOf("/a%00", true)).not.toBeNull();
    expect(ambiguityOf("/a/%2e%2e/b", true)).not.toBeNull();
    expect(ambiguityOf("/a.b/c..d/%2e.txt.%2e", false), "dots inside a segment are only dots").toBeNull();
  });

  it("once it is decoded: a dot segment is refused on a raw path too, a broken escape everywhere", () => {
    expect(ambiguityOf("/a%2f..%2fb", true)).toBe("a dot segment");
    expect(ambiguityOf("/a%2f..", true)).toBe("a dot segment");
    expect(ambiguityOf("/a%2f..b", true)).toBeNull();
    expect(ambiguityOf("/a%zz", true)).toBe("a broken escape");
  });
});

describe("without its parameters, which servlet containers cut first", () => {
  it.each<[path: string, strict: string | null, raw: string | null]>([
    ["/;/v1/user", "a segment of nothing but parameters", null],
    ["/v1/;x=1/user", "a segment of nothing but parameters", null],
    ["/v1/;;/user", "a segment of nothing but parameters", null],
    ["/v1/%3b/user", "a segment of nothing but parameters", null],
    ["/v1/%20;x/user", "a segment of nothing but parameters", null],
    ["/v1/user/;x", "a segment of nothing but parameters", null],
    ["/v1/pub/..;/user", "a dot segment", "a dot segment"],
    ["/v1/pub/..;x=1;y/user", "a dot segment", "a dot segment"],
    ["/v1/pub/.;/user", "a dot segment", "a dot segment"],
    ["/v1/pub/%2e%2e;/user", "a dot segment", "a dot segment"],
    ["/v1/pub/..%3bx/user", "a dot segment", "a dot segment"],
    ["/v1/pub/..%20;x", "a dot segment", "a dot segment"],
    ["/raw/..%5cv1%5cuser", "a backslash", "a dot segment"],
    ["/raw/x%5C..%5c..%5Cv1", "a backslash", "a dot segment"],
    ["/raw/x%5c..;y%5cv1", "a backslash", "a dot segment"],
    ["/raw/x%2f..;%2fv1", "an encoded slash (%2f)", "a dot segment"],
    ["/raw/a%5cb..%5cc", "a backslash", null],
    ["/v1/pub/a;v=1", null, null],
    ["/v1/pub/a;v=1/b;w=../c", null, null],
    ["/v1/..a;x/b", null, null],
    ["/v1/a%20;x/b", null, null],
  ])("%s: %s; on a raw path: %s", (path, strict, raw) => {
    expect(ambiguityOf(path, false)).toBe(strict);
    expect(ambiguityOf(path, true)).toBe(raw);
  });
});

describe("decoded again, as by a proxy in front of the origin and then by the origin", () => {
  it.each([
    "/pub/%252e%252e/user",
    "/pub/%252E./user",
    "/pub/.%252e",
    "/pub/..%252fuser",
    "/pub%252f..%252fuser",
    "/pub/..%255cuser",
    "/pub/%25252e%25252e/user",
    "/pub/..%25252fuser",
    "/pub/%252e%252e;x/user",
    "/%25/%252e%252e/user",
  ])("%s holds a dot segment", (path) => {
    expect([ambiguityOf(path, false), ambiguityOf(path, true)]).toEqual(["a dot segment", "a dot segment"]);
  });
  it.each([
    "/100%25",
    "/a%252eb",
    "/v%252e..x",
    "/get/https%253A%252F%252Fapi.example%252Fx",
    "/%25zz",
    "/%252525",
  ])("%s holds none", (path) => {
    expect([ambiguityOf(path, false), ambiguityOf(path, true)]).toEqual([null, null]);
  });
});

it.each(["/a/.%20/b", "/a/..%20", "/a/%2e%20%20/b"])("%s is a dot segment where Windows reads it", (path) => {
  expect(ambiguityOf(path, false), "refused").not.toBeNull();
  expect(ambiguityOf(path, true), "on a raw path too").not.toBeNull();
});

it.each([
  ["/Profile", "/profile"],
  ["/profile/", "/profile"],
  ["/profile;x=1", "/profile"],
  ["/profile. ", "/profile"],
  ["/a./b", "/a/b"],
  ["/..x/b", "/..x/b"],
  ["/.../b", "/.../b"],
  ["/\u017f", "/s"],
  ["/", "/"],
  ["/;x", "/"],
  // Percent-encoded twice: a proxy in front of the origin decodes it, and the origin again.
  ["/prof%69le", "/profile"],
  ["/prof%2569le", "/profile"],
  ["/PROF%49LE", "/profile"],
  ["/profile%3bx=1", "/profile"],
  ["/profile%2f", "/profile"],
  ["/%2fa%2Fb%5Cc", "/a/b/c"],
  ["/caf%C3%A9", "/café"],
  ["/a%20b", "/a b"],
  ["/100%", "/100%"],
  ["/100%/prof%69le", "/100%/profile"],
  ["/%zz", "/%zz"],
])("%j may be served as %j", (path, plain) => {
  expect(forgive(path)).toBe(plain);
});

it("a route's parameters keep their names", () => {
  expect(forgivePattern("/User/:Id/Profile/")).toBe("/user/:Id/profile");
});

it.each([
  ["/v1/Items/7", "/v1/Items/7"],
  ["/v1/Items/7/", "/v1/Items/7"],
  ["/v1/Items/7;v=1", "/v1/Items/7"],
  ["/v1/Items;a/7;v=1;w/", "/v1/Items/7"],
  ["/v1/Items/7.", "/v1/Items/7"],
  ["/v1/./7", "/v1/./7"],
  ["/v1/a.b", "/v1/a.b"],
  ["/", "/"],
  ["/;x", "/"],
])("%s without what ends its segments is %s", (path, plain) => {
  expect(withoutEnds(path)).toBe(plain);
  expect(withoutEnds(plain), "once and for all").toBe(plain);
});
