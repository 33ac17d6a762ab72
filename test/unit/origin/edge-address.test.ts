import { describe, expect, it } from "vitest";
import { edgeAddress, edgeCookiePath, edgeLinks } from "../../../src/origin/edge-address.ts";

const at = (basePath: string) => ({
  originUrl: new URL(`http://internal:8000${basePath}/v1/x?q=1`),
  edgeUrl: new URL("https://edge.example/v1/x?q=1"),
  basePath,
});
const based = at("/app");
const EDGE = "https://edge.example";

describe("behind a base path", () => {
  it.each([
    ["/app/y", "/y"],
    ["/app", "/"],
    ["/app/", "/"],
    ["/app?a=1#f", "/?a=1#f"],
    ["/%61pp/y", "/y"],
    ["/app/a//b", "/a//b"],
    ["/application/z", "/application/z"],
    ["/v1/y", "/v1/y"],
    ["http://internal:8000/app/y", `${EDGE}/y`],
    ["https://internal:8000/app", `${EDGE}/`],
    ["HTTP://INTERNAL:8000/app?x=1", `${EDGE}/?x=1`],
    ["//internal:8000/app/y", `${EDGE}/y`],
    ["https://edge.example/app/y", `${EDGE}/y`],
    ["http://edge.example/app/y", "http://edge.example/y"],
    ["//edge.example/app/y", `${EDGE}/y`],
    ["https://edge.example/y", "https://edge.example/y"],
    ["y?a=1", "y?a=1"],
    ["", ""],
    ["#part", "#part"],
    ["../../app/y", "/y"],
    ["../../outside", "../../outside"],
    ["https://elsewhere.example/app/y", "https://elsewhere.example/app/y"],
    ["//elsewhere.example/app/y", "//elsewhere.example/app/y"],
    ["app://internal:8000/app/y", "app://internal:8000/app/y"],
    ["mailto:a@internal", "mailto:a@internal"],
    ["http://[", "http://["],
  ])("%j is %j", (reference, expected) => {
    expect(edgeAddress(reference, based)).toBe(expected);
  });

  it.each([
    "/app//evil.example/x",
    "/app/\\evil.example/x",
    "/app///evil.example/x",
    "/app/\t/evil.example",
    "/app/.//evil.example",
    "/app/x/..//evil.example",
    "\\app\\\\evil.example",
    "../..//app//evil.example",
    "http://internal:8000/app//evil.example",
    "//internal:8000/app/\\evil.example",
  ])("%j never becomes another host", (reference) => {
    expect(new URL(edgeAddress(reference, based), based.edgeUrl).host).toBe("edge.example");
  });

  it.each([
    ["/app", "/"],
    ["/app/", "/"],
    ["/app/admin", "/admin"],
    ["/", "/"],
    ["/application", "/application"],
    ["/App", "/App"],
    ["app", "app"],
    ["", ""],
  ])("a cookie's path %j is %j", (path, expected) => {
    expect(edgeCookiePath(path, based)).toBe(expected);
  });

  it.each([
    ['</app/p?page=2>; rel="next"', '</p?page=2>; rel="next"'],
    ["<http://internal:8000/app/a,b>;rel=x,</c>;rel=y", `<${EDGE}/a,b>;rel=x,</c>;rel=y`],
    ['</app/a>; title="</app/b>"; rel=x', '</a>; title="</app/b>"; rel=x'],
    ['</app/a>; title="\\"</app/b>"', '</a>; title="\\"</app/b>"'],
    ['</app/a>; anchor="/app/b"', '</a>; anchor="/b"'],
    ["<https://cdn.example/app/x>; rel=preload", "<https://cdn.example/app/x>; rel=preload"],
    ["</app//evil.example>; rel=next", `<${EDGE}//evil.example>; rel=next`],
    ["no link", "no link"],
  ])("the links %s are %s", (link, expected) => {
    expect(edgeLinks(link, based)).toBe(expected);
  });
});

describe("without a base path", () => {
  it.each([
    ["/app/y", "/app/y"],
    ["http://internal:8000/y", `${EDGE}/y`],
    ["http://internal/y", "http://internal/y"],
    ["//elsewhere.example", "//elsewhere.example"],
    ["https://edge.example/y", "https://edge.example/y"],
  ])("%j is %j", (reference, expected) => {
    expect(edgeAddress(reference, at(""))).toBe(expected);
  });
  it("a cookie keeps its path", () => {
    expect(edgeCookiePath("/app", at(""))).toBe("/app");
  });
});
