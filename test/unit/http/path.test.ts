import { describe, expect, it } from "vitest";
import { ambiguityOf, decodedPath, forgive, forgivePattern } from "../../../src/http/path.ts";

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
])("%j may be served as %j", (path, plain) => {
  expect(forgive(path)).toBe(plain);
});

it("a route's parameters keep their names", () => {
  expect(forgivePattern("/User/:Id/Profile/")).toBe("/user/:Id/profile");
});
