import { describe, expect, it } from "vitest";
import { prefixSpellings, purgedAs, spelled, spellings } from "../../../src/http/url-spelling.ts";

describe("one spelling of an address (RFC 3986 §6.2.2)", () => {
  it.each([
    ["/caf%c3%a9", "/caf%C3%A9"],
    ["/caf\u00e9", "/caf%C3%A9"],
    ["/%7Eann", "/~ann"],
    ["/%41%2Db%2E%5f", "/A-b._"],
    ["/a%2fb", "/a%2Fb"],
    ["/a%3bb", "/a%3Bb"],
    ["/a b/{y}", "/a%20b/%7By%7D"],
    ["/x?q=caf%c3%a9", "/x?q=caf%C3%A9"],
    ["/x?%71=%7e&b=%26", "/x?q=~&b=%26"],
    ["/x?a=b+c&d=%2b", "/x?a=b+c&d=%2B"],
    ["/100%25%34", "/100%254"],
    ["/plain?a=1", "/plain?a=1"],
  ])("%s is %s", (written, expected) => {
    const url = spelled(new URL(written, "https://e.example"));
    expect(`${url.pathname}${url.search}`).toBe(expected);
    expect(spelled(url).href, "once and for all").toBe(url.href);
  });

  it.each(["?sig=%7e", "?X-Amz-Signature=%7e", "?a=1&hmac=%7e"])(
    "a query with %s stays as it is",
    (query) => {
      expect(spelled(new URL(`https://e.example/%7Eann${query}`)).pathname).toBe("/%7Eann");
    },
  );

  it("a route with raw paths has it as it was written, and purges try both", () => {
    const url = new URL("https://e.example/%7Eann");
    expect(spelled(url, true).pathname).toBe("/%7Eann");
    expect(spellings(url).map(({ pathname }) => pathname)).toEqual(["/~ann", "/%7Eann"]);
    expect(spellings(new URL("https://e.example/a")).length).toBe(1);
  });

  it.each([
    ["e.example/c/d\u00e9/", ["e.example/c/d%C3%A9/"]],
    ["e.example/c/d%c3%a9/", ["e.example/c/d%C3%A9/", "e.example/c/d%c3%a9/"]],
    ["e.example/a b/", ["e.example/a%20b/"]],
    ["e.example:8080/{y}/", ["e.example:8080/%7By%7D/"]],
    ["e.example/", ["e.example/"]],
  ])("the prefix %s is %j", (prefix, expected) => {
    expect(prefixSpellings(prefix)).toEqual(expected);
  });

  it.each([
    ["e.example./a.b/%7e?q=./", "e.example/a.b/~?q=./"],
    ["e.example.:8080/", "e.example:8080/"],
    ["e.example/a./b", "e.example/a./b"],
    ["[2001:db8::1]/a./", "[2001:db8::1]/a./"],
    ["./a", "./a"],
  ])("%s is purged as %s", (address, expected) => {
    expect(purgedAs(address)).toBe(expected);
  });
});
