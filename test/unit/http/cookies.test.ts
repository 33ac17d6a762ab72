import { describe, expect, it } from "vitest";
import { cookiePairs, cookieValue, withoutForeignDomain, withPath } from "../../../src/http/cookies.ts";

describe("the pairs of a Cookie field", () => {
  const read = (header: string | null) => cookiePairs(header).map((pair) => [pair.name, cookieValue(pair)]);

  it.each<[header: string | null, pairs: [name: string, value: string][]]>([
    [null, []],
    ["", []],
    [" ; ;", []],
    [
      "a=1; b=2",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    [
      "a=1;\tb=2 ",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    [
      "a=1; a=2",
      [
        ["a", "1"],
        ["a", "2"],
      ],
    ],
    ["a = 1", [["a", "1"]]],
    ["a=b=c", [["a", "b=c"]]],
    ['a="quoted"', [["a", "quoted"]]],
    ["a=%41", [["a", "A"]]],
    ["a=%", [["a", "%"]]],
    // What no cookie may hold is read as it stands.
    ['a="open', [["a", "open"]]],
    ["a=b\\c", [["a", "b\\c"]]],
    // A no-break space belongs to the name.
    ["\u00a0a=1", [["\u00a0a", "1"]]],
  ])("%j: %j", (header, pairs) => {
    expect(read(header)).toEqual(pairs);
  });

  it("keep their text", () => {
    expect(cookiePairs(' a="1" ;b=%41').map(({ text }) => text)).toEqual(['a="1"', "b=%41"]);
  });
});

describe("a Set-Cookie field", () => {
  it.each([
    ["a=1; Domain=.Example.com; Path=/", "a=1; Path=/"],
    ["a=1; domain = example.com ", "a=1"],
    ["domain=example.com; Path=/", "domain=example.com; Path=/"],
  ])("%j without its domain is %j", (field, without) => {
    expect(withoutForeignDomain(field, "edge.other.example")).toBe(without);
  });

  it.each<[domain: string, host: string, stays: boolean]>([
    ["shop.test", "api.shop.test", true],
    [".shop.test", "api.shop.test", true],
    ["SHOP.test", "shop.test", true],
    ["api.shop.test", "api.shop.test", true],
    ["b\u00fccher.test", "api.xn--bcher-kva.test", true],
    ["127.0.0.1", "127.0.0.1", false],
    ["[::1]", "[::1]", false],
    ["localhost", "localhost", true],
    ["origin.shop.test", "api.shop.test", false],
    ["shop.test", "edge.other.test", false],
    ["op.test", "shop.test", false],
    ["api.shop.test", "shop.test", false],
    ["0.0.1", "127.0.0.1", false],
    ["shop.test.", "shop.test", false],
    ["shop.test:443", "shop.test", false],
    ["other.test; Domain=shop.test", "shop.test", true],
    ["shop.test; Domain=other.test", "shop.test", false],
    ["shop.test; Domain=", "api.shop.test", true],
  ])("for %s stays on %s: %s (RFC 6265 \u00a75.1.3)", (domain, host, stays) => {
    const cookie = `a=1; Domain=${domain}; Secure`;
    expect(withoutForeignDomain(cookie, host)).toBe(stays ? cookie : "a=1; Secure");
  });

  it("gets another path, and keeps its value", () => {
    const cookie = "Path=/app; path=/app; Secure; Path";
    expect(withPath(cookie, (path) => path.replace("/app", "/"))).toBe("Path=/app; Path=/; Secure; Path");
  });
});
